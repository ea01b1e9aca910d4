//! How mail is spread over the day and the week.

/// Whose day it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// People at home: mornings and evenings, less at weekends.
    Consumers,
    /// Offices: working hours, hardly anything at weekends.
    Offices,
    /// Machines that react to people: never quite still.
    Machines,
}

/// Hours' weights; what counts is how they relate.
const CONSUMERS: [f64; 24] = [
    1.0, 0.5, 0.3, 0.3, 0.5, 1.0, 2.5, 5.0, 7.0, 8.0, 8.0, 7.0, 6.0, 5.0, 5.0, 5.0, 6.0, 7.0, 8.0, 7.0, 5.0, 3.0, 2.0,
    1.5,
];
const OFFICES: [f64; 24] = [
    0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 1.0, 4.0, 9.0, 11.0, 11.0, 10.0, 7.0, 9.0, 10.0, 9.0, 8.0, 5.0, 2.0, 1.0, 0.5, 0.3,
    0.2, 0.2,
];
const MACHINES: [f64; 24] = [
    2.0, 1.5, 1.0, 1.0, 1.0, 1.5, 3.0, 4.0, 5.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0, 6.0, 5.0, 5.0, 4.0, 3.0,
    2.5,
];

impl Clock {
    /// The shares of a day's mail by hour.
    pub(super) fn hours(self) -> [f64; 24] {
        let weights = match self {
            Self::Consumers => CONSUMERS,
            Self::Offices => OFFICES,
            Self::Machines => MACHINES,
        };
        let sum: f64 = weights.iter().sum();
        weights.map(|weight| weight / sum)
    }

    /// A day's mail in shares of the average day's; every scenario begins on a Monday.
    pub(super) const fn day(self, day: u32) -> f64 {
        let weekend = day % 7 >= 5;
        match (self, weekend) {
            (Self::Consumers, false) => 1.1,
            (Self::Consumers, true) => 0.75,
            (Self::Offices, false) => 1.36,
            (Self::Offices, true) => 0.1,
            (Self::Machines, false) => 1.02,
            (Self::Machines, true) => 0.95,
        }
    }
}
