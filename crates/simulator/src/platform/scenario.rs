//! What is simulated.

use model::{Millis, Timestamp};

use super::dice::Dice;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Everything random follows from it.
    pub seed: u64,
    /// How many customers there are.
    pub customers: usize,
    /// When it begins.
    pub start: Timestamp,
    /// How long mail is sent. Events of the last mails come later.
    pub length: Millis,
    /// Mails that the good customers send, about.
    pub good_mails: usize,
}

impl Scenario {
    /// An hour in the life of 300 customers and some 150,000 mails. The customers send in it what others send in a day.
    pub const fn hour(seed: u64, start: Timestamp) -> Self {
        Self { seed, customers: 300, start, length: Millis::hours(1), good_mails: 50_000 }
    }

    /// When the last mail is due.
    pub fn end(&self) -> Timestamp {
        self.start + self.length
    }

    /// The moment after `share` of the length.
    pub(super) fn moment(&self, share: f64) -> Timestamp {
        self.start + Dice::share(share, self.length)
    }

    /// When one provider refuses nearly everybody's mail: a quarter of the time, somewhere in the middle.
    pub(super) fn outage(&self) -> (Timestamp, Timestamp) {
        let begins = Dice::everybodys(self.seed).between(0.25, 0.5);
        (self.moment(begins), self.moment(begins + 0.25))
    }
}
