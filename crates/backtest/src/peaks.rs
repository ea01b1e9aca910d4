//! The most customers that were at a stage at once.

use std::iter::Peekable;

use model::{Stage, Timestamp};

/// How many customers are at each stage, in the order of [`Stage::ALL`].
pub(crate) type Stages = [u64; Stage::ALL.len()];

/// A partition's customers by stage, at those ticks at which they were others than before. Unlike a series it is never thinned
/// out: the most may have lasted for one tick.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<(Timestamp, Stages)>);

impl Steps {
    /// Takes in how many are at each stage at a tick; ticks come in their order.
    pub(crate) fn push(&mut self, at: Timestamp, stages: Stages) {
        if self.0.last().is_none_or(|(_, last)| *last != stages) {
            self.0.push((at, stages));
        }
    }
}

/// The most that were at each stage at any tick, all partitions together.
pub(crate) fn most<'s>(partitions: impl Iterator<Item = &'s Steps>) -> Stages {
    let mut partitions: Vec<_> = partitions.map(|steps| (Stages::default(), steps.0.iter().peekable())).collect();
    let mut most = Stages::default();
    while let Some(at) = partitions.iter_mut().filter_map(|(_, steps)| steps.peek().map(|(at, _)| *at)).min() {
        let mut together = Stages::default();
        for (now, steps) in &mut partitions {
            go_on(now, steps, at);
            together.iter_mut().zip(*now).for_each(|(sum, part)| *sum += part);
        }
        most.iter_mut().zip(together).for_each(|(most, now)| *most = now.max(*most));
    }
    most
}

/// How many are at each stage behind all steps up to `at`.
fn go_on<'s>(now: &mut Stages, steps: &mut Peekable<impl Iterator<Item = &'s (Timestamp, Stages)>>, at: Timestamp) {
    while let Some((_, stages)) = steps.next_if(|(then, _)| *then <= at) {
        *now = *stages;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(throttled: &[(i64, u64)]) -> Steps {
        let mut steps = Steps::default();
        for (seconds, throttled) in throttled {
            steps.push(Timestamp::from_seconds(*seconds), [0, 0, *throttled, 0, 0, 0]);
        }
        steps
    }

    #[test]
    fn the_most_of_all_partitions_is_that_of_one_moment() {
        let (early, late) = (steps(&[(0, 1), (10, 5), (20, 0)]), steps(&[(0, 2), (20, 6), (21, 0)]));
        assert_eq!(most([&early, &late].into_iter()), [0, 0, 7, 0, 0, 0], "not 5 and 6");
    }

    #[test]
    fn a_peak_of_one_tick_among_a_million_is_seen_and_costs_two_steps() {
        let peak = |second: i64| (second, u64::from(second == 654_321));
        let steps = steps(&(0..1_000_000).map(peak).collect::<Vec<_>>());
        assert_eq!((most(std::iter::once(&steps))[2], steps.0.len()), (1, 3));
    }
}
