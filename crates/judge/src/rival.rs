//! Rules of fixed percentages and counts, as others use them.

use std::collections::VecDeque;

use model::{Counter, Millis, Timestamp};
use serde::Serialize;

/// A rule of fixed percentages or counts, with a name for tables.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rival {
    /// For tables.
    pub name: &'static str,
    /// When it acts.
    #[serde(skip)]
    pub rule: Rule,
}

/// When a rival acts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// When more than a share of the latest mails went wrong.
    Share {
        /// How many mails back it looks.
        latest: usize,
        /// It does not act on fewer.
        least: usize,
        /// Hard bounces as a share of mails attempted.
        bounces: f64,
        /// Complaints as a share of mails delivered, to whichever provider.
        complaints: f64,
    },
    /// When so many went wrong of late.
    Count {
        /// How far back it looks.
        within: Millis,
        /// Hard bounces.
        bounces: usize,
        /// Complaints.
        complaints: usize,
    },
}

impl Rival {
    /// Amazon SES puts an account under review at 5 % bounces or 0.1 % complaints of a "representative volume"; here that of
    /// 10,000 mails, and another of 1,000. The third is what a rate-limited alarm does.
    pub const ALL: [Self; 3] = [
        Self {
            name: "5 % / 0.1 % of 10,000",
            rule: Rule::Share { latest: 10_000, least: 1_000, bounces: 0.05, complaints: 0.001 },
        },
        Self {
            name: "5 % / 0.1 % of 1,000",
            rule: Rule::Share { latest: 1_000, least: 200, bounces: 0.05, complaints: 0.001 },
        },
        Self { name: "25 / 5 an hour", rule: Rule::Count { within: Millis::hours(1), bounces: 25, complaints: 5 } },
    ];
}

/// What a rival remembers of one customer.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The latest events that count, oldest first.
    latest: VecDeque<(Timestamp, Counter)>,
    processed: usize,
    delivered: usize,
    bounces: usize,
    complaints: usize,
}

impl Memory {
    /// Takes an event; whether the rule acts now.
    pub(crate) fn acts(&mut self, rule: &Rule, at: Timestamp, counter: Counter) -> bool {
        if self.slot(counter).is_none() {
            return false;
        }
        match *rule {
            Rule::Share { latest, least, bounces, complaints } => {
                self.take(at, counter);
                while self.processed > latest {
                    self.forget_oldest_mail();
                }
                self.processed >= least
                    && (is_over(self.bounces, self.processed, bounces)
                        || is_over(self.complaints, self.delivered, complaints))
            }
            Rule::Count { within, bounces, complaints } => {
                if matches!(counter, Counter::HardBounce | Counter::SpamReport) {
                    self.take(at, counter);
                }
                while self.latest.front().is_some_and(|(then, _)| at.since(*then) > within) {
                    self.forget_oldest();
                }
                self.bounces >= bounces || self.complaints >= complaints
            }
        }
    }

    fn take(&mut self, at: Timestamp, counter: Counter) {
        self.latest.push_back((at, counter));
        if let Some(slot) = self.slot(counter) {
            *slot += 1;
        }
    }

    /// Forgets the oldest mail, and what happened until the next one.
    fn forget_oldest_mail(&mut self) {
        self.forget_oldest();
        while self.latest.front().is_some_and(|(_, counter)| *counter != Counter::Processed) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((_, counter)) = self.latest.pop_front() else { return };
        if let Some(slot) = self.slot(counter) {
            *slot -= 1;
        }
    }

    fn slot(&mut self, counter: Counter) -> Option<&mut usize> {
        match counter {
            Counter::Processed => Some(&mut self.processed),
            Counter::Delivered => Some(&mut self.delivered),
            Counter::HardBounce => Some(&mut self.bounces),
            Counter::SpamReport => Some(&mut self.complaints),
            _ => None,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rule looks back over some thousands of mails")]
fn is_over(part: usize, whole: usize, share: f64) -> bool {
    part as f64 > share * whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// After how many of the events the rule acts.
    fn acts_after(rule: Rule, events: impl IntoIterator<Item = (i64, Counter)>) -> Option<usize> {
        let mut memory = Memory::default();
        events.into_iter().position(|(seconds, counter)| memory.acts(&rule, at(seconds), counter)).map(|at| at + 1)
    }

    #[test]
    fn a_share_counts_from_its_least_volume_on_and_over_the_latest_mails_only() {
        let rule = Rule::Share { latest: 20, least: 10, bounces: 0.2, complaints: 0.5 };
        let bouncing = (0..).map(|n| (n, if n % 2 == 0 { Counter::Processed } else { Counter::HardBounce }));
        assert_eq!(acts_after(rule, bouncing.take(100)), Some(19), "with the tenth mail");
        // Four bounces of 20 mails are not more than a fifth; the ones before are forgotten.
        let few = (0..200).map(|n| (n, if n % 6 == 5 { Counter::HardBounce } else { Counter::Processed }));
        assert_eq!(acts_after(rule, few), None);
    }

    #[test]
    fn a_count_forgets_what_is_older_than_its_hour() {
        let rule = Rule::Count { within: Millis::hours(1), bounces: 3, complaints: 9 };
        let every = |seconds: i64| (0..10).map(move |n| (n * seconds, Counter::HardBounce));
        assert_eq!(acts_after(rule, every(1_800)), Some(3));
        assert_eq!(acts_after(rule, every(1_900)), None);
    }
}
