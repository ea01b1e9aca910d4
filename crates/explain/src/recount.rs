//! The evidence's figures once more, counted one by one from the raw events.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use model::{
    Bucket, Counts, Decision, Digest, Event, EventKind, Evidence, Grain, Millis, Offset, Order, ProviderCounts, Tick,
    Timestamp,
};
use policy::Signal;
use scoring::{HORIZON, Input};
use serde::{Deserialize, Serialize};

use crate::words::figures::{count, minute};

/// Events from further ahead than this are not counted.
const AHEAD: Millis = Millis::hours(1);
/// Ticks looked back for the moment at which mail was last held against the fleet's.
const TICKS: usize = 240;

/// What a count of the raw events gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recount {
    /// Bad events.
    pub numerator: u32,
    /// Mails.
    pub denominator: u32,
    /// Copies of events that were left out.
    pub copies: u32,
    /// Up to when events were counted: the decision's time, or the earlier tick at which the mail was held against the
    /// fleet's.
    pub as_of: Timestamp,
    /// Whether the evidence says the same.
    pub agrees: bool,
    /// Whether the log still holds what came before the cohort; where not, some of its mail may be missing here.
    pub is_whole: bool,
}

impl fmt::Display for Recount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (numerator, denominator) = (count(self.numerator), count(self.denominator));
        let verdict = if self.agrees { "the same" } else { "not the same" };
        write!(
            f,
            "recounted from the raw events up to {}: {numerator} of {denominator}, {verdict}",
            minute(self.as_of)
        )?;
        match self.copies {
            0 => {}
            1 => write!(f, "; 1 copy was left out")?,
            copies => write!(f, "; {} copies were left out", count(copies))?,
        }
        if !self.is_whole {
            write!(f, "; the log no longer holds the beginning, so that some mail may be missing here")?;
        }
        Ok(())
    }
}

/// Bad events among mails.
#[derive(Clone, Copy, Debug)]
struct Figures {
    bad: u32,
    mails: u32,
}

/// A count in the making.
///
/// Takes every event of the customer whose mail was sent (by `sent_at`, or else when the event happened) in the evidence's
/// cohort, once, unless it was counted before the customer's last release or lies in mail that was set aside. No buckets,
/// no windows: whatever the fold makes of them, this is what the evidence says that it counted.
#[derive(Debug)]
pub struct Recounting {
    signal: Signal,
    evidence: Evidence,
    decided_at: Timestamp,
    /// The record that released the customer last.
    released: Option<Offset>,
    now: Option<Timestamp>,
    /// When the fleet's counts were taken that were known last.
    fleet_as_of: Option<Timestamp>,
    /// When the first record was appended.
    began: Option<Timestamp>,
    seen: HashMap<Digest, Timestamp>,
    counts: ProviderCounts,
    copies: u32,
    ticks: VecDeque<(Timestamp, Figures)>,
}

impl Recounting {
    /// Counts what `decision` rests on; `history` holds the customer's earlier decisions. `None` where there is nothing to
    /// count: a person's command, or evidence that names no cohort or a signal that is not known.
    pub fn of(decision: &Decision, history: &[Decision]) -> Option<Self> {
        let evidence = decision.evidence.clone().filter(|evidence| evidence.until > evidence.from)?;
        Some(Self {
            signal: Signal::ALL.into_iter().find(|signal| signal.name() == evidence.signal)?,
            evidence,
            decided_at: decision.at,
            released: history.iter().filter(|earlier| is_release(earlier)).map(|earlier| earlier.offset.offset).max(),
            now: None,
            fleet_as_of: None,
            began: None,
            seen: HashMap::new(),
            counts: ProviderCounts::default(),
            copies: 0,
            ticks: VecDeque::new(),
        })
    }

    /// Tells the time before the first tick.
    pub fn begin_at(&mut self, appended: Timestamp) {
        self.now.get_or_insert(appended);
        self.began.get_or_insert(appended);
    }

    /// Takes one record of the customer, or a tick.
    pub fn take(&mut self, offset: Offset, input: &Input<'_>) {
        match input {
            Input::Event(_, event, appended) => self.event(offset, event, *appended),
            Input::Tick(tick) => self.tick(tick),
            Input::Command(..) => {}
        }
    }

    fn tick(&mut self, tick: &Tick) {
        let before = self.now.unwrap_or(tick.at);
        let now = before.max(tick.at);
        self.now = Some(now);
        self.fleet_as_of = tick.fleet.as_of;
        if Bucket::of(Grain::Hour, before) < Bucket::of(Grain::Hour, now) {
            self.seen.retain(|_, at| *at >= now - HORIZON);
        }
        if self.ticks.len() == TICKS {
            self.ticks.pop_front();
        }
        self.ticks.push_back((now, self.counted()));
    }

    fn event(&mut self, offset: Offset, event: &Event<'_>, appended: Timestamp) {
        let now = self.now.unwrap_or(appended);
        let is_timely = event.at >= now - HORIZON && event.at <= now.max(appended) + AHEAD;
        let sent = event.sent_at.unwrap_or(event.at);
        if !is_timely || !(self.evidence.from..self.evidence.until).contains(&sent) {
            return;
        }
        let known = [event.id_digest, event.content_digest].map(|digest| self.seen.insert(digest, event.at).is_some());
        let EventKind::Counted(counter) = event.kind else { return };
        let set_aside = self
            .evidence
            .set_aside
            .iter()
            .any(|aside| aside.provider == event.provider && (aside.from..aside.until).contains(&sent));
        if set_aside || self.released.is_some_and(|released| offset <= released) {
            return;
        }
        if known.contains(&true) {
            self.copies = self.copies.saturating_add(1);
            return;
        }
        let mut counts = Counts::ZERO;
        for counter in [Some(counter), event.facet].into_iter().flatten() {
            counts.count(counter);
        }
        self.counts.add(event.provider, &counts);
    }

    /// What was counted, in a log that begins at `log_begins`.
    pub fn finish(self, log_begins: Offset) -> Recount {
        let (as_of, found) = self.found();
        Recount {
            numerator: found.bad,
            denominator: found.mails,
            copies: self.copies,
            as_of,
            agrees: self.agrees(found),
            is_whole: log_begins == Offset::ZERO || self.began.is_some_and(|began| began < self.evidence.from),
        }
    }

    /// The figures up to the decision; or, for a signal that waits for the fleet's counts, up to the tick of those counts:
    /// events that came between the two are not part of what was compared.
    fn found(&self) -> (Timestamp, Figures) {
        let at_last = (self.decided_at, self.counted());
        if self.agrees(at_last.1) || !self.signal.needs_the_fleet() {
            return at_last;
        }
        let compared = self.ticks.iter().rev().filter(|(at, _)| self.fleet_as_of.is_some_and(|as_of| *at <= as_of));
        let agreeing = compared.clone().find(|(_, figures)| self.agrees(*figures));
        agreeing.or_else(|| compared.clone().next()).copied().unwrap_or(at_last)
    }

    fn counted(&self) -> Figures {
        let fraction = self.signal.fraction(&self.counts);
        Figures { bad: fraction.hits, mails: fraction.mails }
    }

    fn agrees(&self, found: Figures) -> bool {
        (found.bad, found.mails) == (self.evidence.numerator, self.evidence.denominator)
    }
}

/// Whether the customer's windows began anew with it.
fn is_release(decision: &Decision) -> bool {
    decision.to < decision.from || decision.rule == format!("command:{}", Order::Release.name())
}
