//! When a delivery that failed is tried again.

use std::time::Duration;

use model::Millis;

/// The waits between tries; the last failure behind them is the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

impl Default for Schedule {
    /// The example of the Standard Webhooks specification: ten tries over three days.
    fn default() -> Self {
        let first = [5, 5 * 60, 30 * 60].map(Duration::from_secs);
        Self([&first[..], &[2, 5, 10, 14, 20, 24].map(hours)].concat())
    }
}

impl Schedule {
    /// These waits.
    pub const fn new(waits: Vec<Duration>) -> Self {
        Self(waits)
    }

    /// How long to wait after the try numbered `tries`, from 1; `None` where that was the last.
    ///
    /// `luck` from 0 to 1 spreads the wait over four fifths to six fifths of what the schedule says, so that what failed
    /// together does not come back together.
    pub(crate) fn wait(&self, tries: u32, luck: f64) -> Option<Millis> {
        let before = usize::try_from(tries.saturating_sub(1)).ok()?;
        let wait = self.0.get(before)?.mul_f64(0.8 + 0.4 * luck.clamp(0.0, 1.0));
        Some(Millis::new(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_ten_tries_over_three_days() {
        let schedule = Schedule::default();
        let waits: Vec<_> = (1..).map_while(|tries| schedule.wait(tries, 0.5)).collect();
        assert_eq!((waits[0], waits.len()), (Millis::seconds(5), 9));
        let altogether: i64 = waits.iter().map(|wait| wait.get()).sum();
        assert_eq!(altogether, (Millis::hours(75) + Millis::minutes(35) + Millis::seconds(5)).get());
    }

    #[test]
    fn luck_moves_a_wait_by_a_fifth() {
        let schedule = Schedule::default();
        assert_eq!(
            (schedule.wait(1, 0.0), schedule.wait(1, 1.0)),
            (Some(Millis::seconds(4)), Some(Millis::seconds(6)))
        );
    }
}
