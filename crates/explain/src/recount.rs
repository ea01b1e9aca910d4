//! The evidence's figures once more, counted one by one from the raw events.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use model::figures::thousands;
use model::{
    Bucket, Counter, Counts, Decision, Digest, Event, EventKind, Evidence, Grain, Offset, Provider, Test, Tick,
    Timestamp,
};
use policy::{Fraction, Signal};
use scoring::{AHEAD, Clock, HORIZON, Input, Place, Scheduled};
use serde::{Deserialize, Serialize};

use crate::words::figures::minute;

/// What a count of the raw events gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
        let (numerator, denominator) = (thousands(self.numerator), thousands(self.denominator));
        let verdict = if self.agrees { "the same" } else { "not the same" };
        write!(
            f,
            "recounted from the raw events up to {}: {numerator} of {denominator}, {verdict}",
            minute(self.as_of)
        )?;
        match self.copies {
            0 => {}
            1 => write!(f, "; 1 copy was left out")?,
            copies => write!(f, "; {} copies were left out", thousands(copies))?,
        }
        if !self.is_whole {
            write!(f, "; the log no longer holds the beginning, so that some mail may be missing here")?;
        }
        Ok(())
    }
}

/// A count in the making.
///
/// Takes every event of the customer, once, whose mail was sent (by `sent_at`, or else when the event happened) in the
/// evidence's cohort, that stands on the log behind the customer's last release and not behind the last record that the
/// evidence counts, and that is not of mail that was set aside. No rings, no windows: whatever the fold makes of them, this is
/// what the evidence says that it counted.
#[derive(Debug)]
pub struct Recounting {
    signal: Signal,
    evidence: Evidence,
    now: Option<Timestamp>,
    clock: Clock,
    scheduled: Scheduled,
    /// When the last record that counts was appended, or the tick before it said.
    as_of: Timestamp,
    /// When the first record was appended.
    began: Option<Timestamp>,
    seen: HashMap<Digest, Timestamp>,
    /// Whether bad events are charged bucket by bucket with the mails of theirs, or all of the window together.
    by_bucket: bool,
    counts: BTreeMap<(Provider, Bucket), Counts>,
    copies: u32,
}

impl Recounting {
    /// Counts what `decision` rests on. `None` where there is nothing to count: a person's command, or evidence of a signal
    /// that is not known.
    pub fn of(decision: &Decision) -> Option<Self> {
        let evidence = decision.evidence.clone()?;
        Some(Self {
            signal: Signal::named(&evidence.signal)?,
            by_bucket: evidence.test == Test::Sequential && decision.rule != policy::CALM,
            evidence,
            now: None,
            clock: Clock::default(),
            scheduled: Scheduled::default(),
            as_of: decision.at,
            began: None,
            seen: HashMap::new(),
            counts: BTreeMap::new(),
            copies: 0,
        })
    }

    /// Tells the time before the first tick.
    pub fn begin_at(&mut self, appended: Timestamp) {
        self.now.get_or_insert(appended);
        self.began.get_or_insert(appended);
    }

    /// Takes one record of the customer, or a tick.
    pub fn take(&mut self, offset: Offset, input: &Input<'_>) {
        if offset > self.evidence.counted_to {
            return;
        }
        match input {
            Input::Event(_, event, appended) => self.event(offset, event, *appended),
            Input::Tick(tick) => self.tick(offset, tick),
            Input::Command(..) | Input::Policy(_) => {}
        }
    }

    fn tick(&mut self, offset: Offset, tick: &Tick) {
        let before = self.now.unwrap_or(tick.at);
        let now = self.clock.tick(self.now, tick.at);
        self.now = Some(now);
        self.as_of = now;
        if Bucket::of(Grain::Hour, before) < Bucket::of(Grain::Hour, now) {
            self.seen.retain(|_, at| *at >= now - HORIZON);
        }
        self.count_due(offset, now);
    }

    fn event(&mut self, offset: Offset, event: &Event<'_>, appended: Timestamp) {
        let now = self.now.unwrap_or(appended);
        if event.at > now.max(appended) + AHEAD {
            return;
        }
        let now = self.clock.event(now, event.at);
        self.now = self.now.map(|_| now);
        // The fold goes by the latest event of the whole partition, which is not known here; where mail flows it is as good as now.
        if event.at < now - HORIZON {
            return;
        }
        let known = [event.id_digest, event.content_digest].map(|digest| self.seen.insert(digest, event.at).is_some());
        let EventKind::Counted(counter) = event.kind else { return };
        let is_copy = known.contains(&true);
        // A copy tells nothing of what is scheduled.
        let mut told = if is_copy { self.scheduled.clone() } else { std::mem::take(&mut self.scheduled) };
        let place = told.place(event);
        if !is_copy {
            self.scheduled = told;
            self.count_due(offset, now.max(event.at));
        }
        let Place::At(sent) = place else { return };
        if !self.is_of_cohort(offset, event.provider, sent) {
            return;
        }
        if is_copy {
            self.copies = self.copies.saturating_add(1);
            return;
        }
        for counter in [Some(counter), event.facet].into_iter().flatten() {
            self.count(event.provider, sent, counter);
        }
    }

    /// Counts the scheduled mails that are due by `now`, at a record at `offset`.
    fn count_due(&mut self, offset: Offset, now: Timestamp) {
        for (provider, sent, mails) in self.scheduled.due(now) {
            if self.is_of_cohort(offset, provider, sent) {
                (0..mails).for_each(|_| self.count(provider, sent, Counter::Processed));
            }
        }
    }

    fn is_of_cohort(&self, offset: Offset, provider: Provider, sent: Timestamp) -> bool {
        let is_released = self.evidence.counted_after.is_some_and(|release| offset <= release);
        let is_of_cohort = (self.evidence.from..self.evidence.until).contains(&sent);
        !is_released && is_of_cohort && !self.is_set_aside(provider, sent)
    }

    fn count(&mut self, provider: Provider, sent: Timestamp, counter: Counter) {
        let bucket = Bucket::of(self.evidence.window.grain(), sent);
        self.counts.entry((provider, bucket)).or_default().count(counter);
    }

    fn is_set_aside(&self, provider: Provider, sent: Timestamp) -> bool {
        let mut aside = self.evidence.set_aside.iter();
        aside.any(|aside| aside.provider == provider && (aside.from..aside.until).contains(&sent))
    }

    /// What was counted, in a log that begins at `log_begins`.
    pub fn finish(self, log_begins: Offset) -> Recount {
        let mut sums: BTreeMap<(Provider, Option<Bucket>), Counts> = BTreeMap::new();
        for ((provider, bucket), counts) in &self.counts {
            *sums.entry((*provider, self.by_bucket.then_some(*bucket))).or_default() += counts;
        }
        let parts = sums.iter().map(|((provider, _), counts)| self.signal.fraction(*provider, counts));
        let found = parts.fold(Fraction::default(), Fraction::plus);
        Recount {
            numerator: found.hits,
            denominator: found.mails,
            copies: self.copies,
            as_of: self.as_of,
            agrees: (found.hits, found.mails) == (self.evidence.numerator, self.evidence.denominator),
            is_whole: log_begins == Offset::ZERO || self.began.is_some_and(|began| began < self.evidence.from),
        }
    }
}
