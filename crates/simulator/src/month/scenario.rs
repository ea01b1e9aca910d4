//! What is simulated.

use model::{Millis, Timestamp};

use super::dice::Dice;

/// What is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Everything random follows from it.
    pub seed: u64,
    /// How many customers there are.
    pub customers: usize,
    /// How many days.
    pub days: u32,
}

impl Scenario {
    /// When every scenario begins: midnight UTC before a Monday.
    pub const START: Timestamp = Timestamp::from_seconds(20_717 * 86_400);

    /// When its last day ends.
    pub fn end(&self) -> Timestamp {
        self.day(self.days)
    }

    /// When a day begins, counted from 0.
    pub(super) fn day(&self, day: u32) -> Timestamp {
        Self::START + Millis::days(i64::from(day))
    }

    /// The full hour after `share` of the length: what customers do changes on the hour, because they plan by hours.
    pub(super) fn moment(&self, share: f64) -> Timestamp {
        let hours = Dice::whole(share * f64::from(self.days) * 24.0);
        Self::START + Millis::hours(i64::try_from(hours).unwrap_or(i64::MAX))
    }

    /// How many customers there are of each rarer kind: an even number, because some come in pairs.
    pub(super) fn of_each_kind(&self) -> usize {
        (self.customers * 3 / 1_000).max(4).next_multiple_of(2)
    }
}
