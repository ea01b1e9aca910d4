//! Figures over time, in bounded memory.

use model::{Stage, Timestamp};

/// Samples kept of one partition; beyond them every second one goes.
const KEPT: usize = 2_048;

/// How things stood at a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// Customers by stage, in the order of [`Stage::ALL`].
    pub stages: [u64; Stage::ALL.len()],
    /// Bad mail so far: hard bounces, complaints and blocks for conduct.
    pub bad: u64,
    /// Of it, what came from customers that were not found by then, so that nothing held it back.
    pub unfound: u64,
}

impl Sample {
    fn add(&mut self, other: &Self) {
        for (sum, part) in self.stages.iter_mut().zip(other.stages) {
            *sum += part;
        }
        self.bad += other.bad;
        self.unfound += other.unfound;
    }
}

/// One partition's samples, thinned out as they become many.
#[derive(Debug, Default)]
pub(crate) struct Series {
    samples: Vec<Sample>,
    /// One sample of so many is kept, less one.
    passed_over: usize,
    seen: usize,
    latest: Option<Sample>,
}

impl Series {
    pub(crate) fn push(&mut self, sample: Sample) {
        if self.seen.is_multiple_of(self.passed_over + 1) {
            self.samples.push(sample);
        }
        self.seen += 1;
        self.latest = Some(sample);
        if self.samples.len() > KEPT {
            let mut number = 0_usize;
            self.samples.retain(|_| {
                number += 1;
                !number.is_multiple_of(2)
            });
            self.passed_over = self.passed_over * 2 + 1;
        }
    }

    fn ends(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.samples.first()?.at, self.latest?.at))
    }

    /// How things stood last at `at`; as at the beginning before it.
    fn until(&self, at: Timestamp) -> Sample {
        let behind = self.samples.partition_point(|sample| sample.at <= at);
        let kept = behind.checked_sub(1).and_then(|index| self.samples.get(index));
        let latest = self.latest.filter(|latest| latest.at <= at);
        latest.or(kept.copied()).unwrap_or_default()
    }
}

/// The sum of the partitions' series, at `points` moments at most, evenly spread; the last one is the end.
pub(crate) fn sum(series: &[&Series], points: i64) -> Vec<Sample> {
    let ends = series.iter().filter_map(|series| series.ends());
    let Some((first, last)) = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else { return Vec::new() };
    let span = last.since(first).get();
    let steps = points.saturating_sub(1).max(1);
    let mut moments: Vec<_> = (0..=steps)
        .map(|step| Timestamp::from_millis(first.millis() + span / steps * step + span % steps * step / steps))
        .collect();
    moments.dedup();
    let at = |at| {
        let mut sum = Sample { at, ..Sample::default() };
        series.iter().for_each(|series| sum.add(&series.until(at)));
        sum
    };
    moments.into_iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seconds: i64, bad: u64) -> Sample {
        Sample { at: Timestamp::from_seconds(seconds), bad, ..Sample::default() }
    }

    #[test]
    fn a_long_series_keeps_its_ends_and_its_shape() {
        let mut long = Series::default();
        (0..1_000_000).for_each(|second| long.push(sample(second, u64::try_from(second).unwrap())));
        assert!(long.samples.len() <= KEPT);
        let sum = sum(&[&long], 101);
        assert_eq!((sum.len(), sum[0].at, sum[100].bad), (101, Timestamp::from_seconds(0), 999_999));
        let middle = i64::try_from(sum[50].bad).unwrap();
        assert!((499_000..=500_000).contains(&middle), "{middle}");
    }

    #[test]
    fn a_partition_that_begins_later_counts_from_then_on() {
        let (mut early, mut late) = (Series::default(), Series::default());
        (0..=10).for_each(|second| early.push(sample(second, 1)));
        (5..=10).for_each(|second| late.push(sample(second, 10)));
        let bad: Vec<_> = sum(&[&early, &late], 11).iter().map(|sample| sample.bad).collect();
        assert_eq!(bad, [1, 1, 1, 1, 1, 11, 11, 11, 11, 11, 11]);
    }
}
