//! What a house was told and what it said, and the same figures counted once more from that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{
    Bucket, Cause, Cell, Counter, Counts, Decision, Grain, Mode, Offset, Order, Phase, Provider, Stage, Standing,
    Timestamp, Window,
};
use policy::{Fraction, Policy, Rule, Signal};
use scoring::{AHEAD, Said};

/// Everything that a house was told, and what it said.
pub(crate) struct Journal {
    pub(crate) policy: Arc<Policy>,
    pub(crate) entries: Vec<Entry>,
    /// Where the customers stood in the end.
    pub(crate) finally: Vec<Standing>,
}

/// One record, and what was said of it.
pub(crate) struct Entry {
    pub(crate) offset: u64,
    /// The fold's time once it had been taken.
    pub(crate) now: Timestamp,
    pub(crate) record: Record,
    pub(crate) said: Vec<Said>,
}

pub(crate) enum Record {
    Mail(Mail),
    /// A copy, or an event from too long ago.
    NotCounted,
    Tick,
    Order(Order),
}

/// An event that was counted.
pub(crate) struct Mail {
    pub(crate) customer: &'static str,
    /// Its kind, and what it is counted as besides.
    pub(crate) counters: [Option<Counter>; 2],
    pub(crate) provider: Provider,
    pub(crate) sent: Timestamp,
    pub(crate) id: String,
}

/// What follows for a customer from what was said of it so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) stage: Stage,
    /// When it last came to a stage, or was put there.
    pub(crate) since: Timestamp,
    pub(crate) held: bool,
    pub(crate) exempt_until: Option<Timestamp>,
    pub(crate) phase: Phase,
    /// When rules moved it to throttled or worse.
    pub(crate) offences: Vec<Timestamp>,
    /// The record of its last release, and when that was.
    pub(crate) released: Option<Offset>,
    released_at: Timestamp,
    /// When it last came down or was released.
    pub(crate) came_down: Option<Timestamp>,
    /// Rules in shadow that were said and have not been calm since.
    pub(crate) shadowed: BTreeSet<String>,
}

/// A decision, and what was known of the customer before.
pub(crate) struct Decided<'j> {
    pub(crate) decision: &'j Decision,
    pub(crate) entry: &'j Entry,
    pub(crate) before: Known,
}

impl Decided<'_> {
    pub(crate) fn is_real(&self) -> bool {
        self.decision.mode == Mode::Enforce
    }

    pub(crate) fn is_command(&self) -> bool {
        self.decision.rule.starts_with("command:")
    }
}

/// Mails that records up to `to`, and behind `after`, tell of, sent in a span of time.
pub(crate) struct Cohort {
    pub(crate) after: Option<Offset>,
    pub(crate) to: Offset,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) grain: Grain,
    /// Whether bad events are charged bucket by bucket with the mails of theirs, or all of them together.
    pub(crate) by_bucket: bool,
}

impl Journal {
    pub(crate) const fn new(policy: Arc<Policy>) -> Self {
        Self { policy, entries: Vec::new(), finally: Vec::new() }
    }

    /// All decisions in their order, each with what was known before it.
    pub(crate) fn decisions(&self) -> Vec<Decided<'_>> {
        let mut known: BTreeMap<&str, Known> = BTreeMap::new();
        let mut decided = Vec::new();
        for entry in &self.entries {
            for (customer, known) in &mut known {
                match &entry.record {
                    Record::Tick => {
                        known.put_right(entry);
                        self.forget_calm(customer, known, entry);
                    }
                    Record::Mail(mail) if mail.customer == *customer => known.put_right(entry),
                    Record::Mail(_) | Record::NotCounted | Record::Order(_) => {}
                }
            }
            for said in &entry.said {
                match said {
                    Said::Standing(standing) => {
                        known.entry(standing.customer.as_str()).or_default().phase = standing.phase;
                    }
                    Said::Decision(decision) => {
                        let known = known.entry(decision.customer.as_str()).or_default();
                        decided.push(Decided { decision, entry, before: known.clone() });
                        known.learn(decision, entry);
                    }
                    Said::Share(_) | Said::Profile(_) | Said::AccountStatus(_) => {}
                }
            }
        }
        decided
    }

    fn forget_calm(&self, customer: &str, known: &mut Known, entry: &Entry) {
        let rules = self.policy.rules_for(known.phase);
        let calm = |name: &String| {
            let rule = rules.iter().find(|rule| rule.name == *name).unwrap();
            self.is_calm(customer, rule, known.released, entry)
        };
        known.shadowed.retain(|name| !calm(name));
    }

    /// Whether the rate of the whole window is below the rule's exit, at the time of `entry` and counted from the records.
    pub(crate) fn is_calm(&self, customer: &str, rule: &Rule, released: Option<Offset>, entry: &Entry) -> bool {
        let cohort = Cohort {
            after: released,
            to: Offset::new(entry.offset),
            from: self.first_of(rule.window, released, entry.now),
            until: Timestamp::from_millis(i64::MAX),
            grain: rule.window.grain(),
            by_bucket: false,
        };
        let whole = self.fraction(customer, rule.signal, &cohort);
        whole.hits == 0 || whole.rate() < rule.exit
    }

    /// Where a window begins: with the bucket of one span ago, but never before the last release.
    fn first_of(&self, window: Window, released: Option<Offset>, now: Timestamp) -> Timestamp {
        let grain = window.grain();
        let released = released.and_then(|offset| self.entries.iter().find(|entry| entry.offset == offset.get()));
        window.first_bucket(now).start(grain).max(released.map(|entry| entry.now).unwrap_or_default())
    }

    /// The customer's signal over a cohort, bucket by bucket, counted one by one from the records.
    pub(crate) fn fraction(&self, customer: &str, signal: Signal, cohort: &Cohort) -> Fraction {
        let mails = || {
            let told = self.entries.iter().take_while(|entry| entry.offset <= cohort.to.get());
            told.filter_map(|entry| match &entry.record {
                Record::Mail(mail) if mail.customer == customer => Some((entry.offset, mail)),
                _ => None,
            })
        };
        let mut newest: BTreeMap<Provider, Bucket> = BTreeMap::new();
        for (_, mail) in mails() {
            let newest = newest.entry(mail.provider).or_default();
            *newest = Bucket::of(cohort.grain, mail.sent).max(*newest);
        }
        let after = cohort.after.map_or(0, Offset::get);
        let mut cells: BTreeMap<Cell, Counts> = BTreeMap::new();
        for (_, mail) in mails().filter(|(offset, _)| *offset > after) {
            let cell =
                Cell { grain: cohort.grain, bucket: Bucket::of(cohort.grain, mail.sent), provider: mail.provider };
            let held = cell.bucket >= newest[&mail.provider].back(cohort.grain.kept() - 1);
            if held && (cohort.from..cohort.until).contains(&mail.sent) {
                let counts = cells.entry(cell).or_default();
                mail.counters.into_iter().flatten().for_each(|counter| counts.count(counter));
            }
        }
        let mut sums: BTreeMap<(Provider, Option<Bucket>), Counts> = BTreeMap::new();
        for (cell, counts) in &cells {
            *sums.entry((cell.provider, cohort.by_bucket.then_some(cell.bucket))).or_default() += counts;
        }
        let parts = sums.iter().map(|((provider, _), counts)| signal.fraction(*provider, counts));
        parts.fold(Fraction::default(), Fraction::plus)
    }
}

impl Known {
    /// A clock that was ahead was put right before `entry`: nothing was done later than now.
    fn put_right(&mut self, entry: &Entry) {
        let now = entry.now;
        self.since = self.since.min(now);
        self.came_down = self.came_down.map(|at| at.min(now));
        self.offences.iter_mut().for_each(|offence| *offence = now.min(*offence));
        if self.released.is_some() && self.released_at > now + AHEAD {
            (self.released, self.released_at) = (Some(Offset::new(entry.offset)), now);
        }
    }

    fn learn(&mut self, decision: &Decision, entry: &Entry) {
        if decision.mode == Mode::Shadow {
            self.shadowed.insert(decision.rule.clone());
            return;
        }
        let order = match &entry.record {
            Record::Order(order) => Some(*order),
            _ => None,
        };
        match order {
            Some(Order::Exempt { until }) => self.exempt_until = Some(until),
            Some(Order::Hold { .. } | Order::SetStage { .. }) => self.held = true,
            Some(Order::Release { .. }) => self.held = false,
            Some(Order::Undo { since, .. }) if !self.held => self.offences.retain(|offence| *offence < since),
            Some(Order::Undo { .. } | Order::SetPhase { .. } | Order::Register { .. } | Order::Note) => {}
            None if decision.cause == Some(Cause::PinEnded) => self.held = false,
            None if decision.to >= Stage::Throttled && decision.to > decision.from => {
                let is_new = decision.from < Stage::Throttled || self.came_down > self.offences.last().copied();
                self.offences.extend(is_new.then_some(decision.at));
            }
            None => {}
        }
        let stays_put = match order {
            Some(Order::Undo { .. }) => decision.to == decision.from,
            Some(Order::Release { .. } | Order::SetStage { .. }) => false,
            Some(_) => true,
            None => decision.cause != Some(Cause::Rule),
        };
        if stays_put {
            return;
        }
        if matches!(order, Some(Order::Release { .. } | Order::Undo { .. })) || decision.to < decision.from {
            self.released = Some(Offset::new(entry.offset));
            self.released_at = decision.at;
            self.came_down = Some(decision.at);
        }
        (self.stage, self.since) = (decision.to, decision.at);
    }
}
