//! The ladder: what a stage means, and how fast a customer comes down from it.

use model::{Millis, Stage, Timestamp};

/// How many offences of a customer are kept: more make no difference.
pub const OFFENCES_KEPT: usize = 16;

/// The stages' meanings, and what earlier offences change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ladder {
    pub(crate) rungs: [Rung; Stage::ALL.len()],
    /// For how long an offence counts.
    pub(crate) memory: Millis,
    /// By how much each earlier offence multiplies the dwell time.
    pub(crate) slower: u32,
    /// The longest dwell time that offences can bring about.
    pub(crate) longest: Millis,
    /// With so many offences only a person brings the customer down.
    pub(crate) person_after: usize,
}

/// What a stage means.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rung {
    pub(crate) dwell: Option<Millis>,
    pub(crate) daily_cap: Option<u32>,
}

impl Ladder {
    pub(crate) fn daily_cap(&self, stage: Stage) -> Option<u32> {
        self.rungs[stage as usize].daily_cap
    }

    pub(crate) fn remembered(&self, offences: &[Timestamp], now: Timestamp) -> usize {
        offences.iter().filter(|at| now.since(**at) < self.memory).count()
    }

    /// The stage's dwell time, longer for each offence before the one that brought the customer here.
    pub(crate) fn dwell(&self, stage: Stage, offences: &[Timestamp], now: Timestamp) -> Option<Millis> {
        let dwell = self.rungs[stage as usize].dwell?;
        if stage < Stage::Throttled {
            return Some(dwell);
        }
        let remembered = self.remembered(offences, now);
        if remembered >= self.person_after {
            return None;
        }
        let earlier = u32::try_from(remembered.saturating_sub(1)).unwrap_or(u32::MAX);
        let factor = i64::from(self.slower).saturating_pow(earlier);
        Some(Millis::new(dwell.get().saturating_mul(factor).min(self.longest.get().max(dwell.get()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn ladder() -> Ladder {
        let rung = Rung { dwell: Some(Millis::hours(24)), daily_cap: None };
        Ladder {
            rungs: [rung; Stage::ALL.len()],
            memory: Millis::days(90),
            slower: 2,
            longest: Millis::days(3),
            person_after: 4,
        }
    }

    fn days_ago(days: &[i64]) -> Vec<Timestamp> {
        days.iter().map(|days| NOW - Millis::days(*days)).collect()
    }

    #[test]
    fn who_offends_again_comes_down_more_slowly_and_in_the_end_by_a_person_only() {
        let dwell = |days: &[i64]| ladder().dwell(Stage::Quarantined, &days_ago(days), NOW);
        assert_eq!(dwell(&[1]), Some(Millis::hours(24)));
        assert_eq!(dwell(&[30, 1]), Some(Millis::hours(48)));
        assert_eq!(dwell(&[60, 30, 1]), Some(Millis::hours(72)), "held at the longest");
        assert_eq!(dwell(&[61, 60, 30, 1]), None);
    }

    #[test]
    fn old_offences_are_forgotten() {
        assert_eq!(ladder().dwell(Stage::Throttled, &days_ago(&[400, 200, 91, 1]), NOW), Some(Millis::hours(24)));
    }
}
