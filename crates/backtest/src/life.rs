//! What was decided in life.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use log::{Log, Reach, Start, Stored, Topic};
use model::{Decision, Fleet, Mode, PartitionId, Timestamp};

use crate::Error;
use crate::outcome::{Behind, Force, Live, Made, Run, in_order};
use crate::peaks::Stages;

/// How long the log is waited for before it is asked again whether all was read.
const WAITING: Duration = Duration::from_secs(1);

/// What was read of the log's events.
#[derive(Debug)]
pub(crate) struct Events {
    /// From where to where each partition was read.
    pub(crate) reaches: BTreeMap<PartitionId, Reach>,
    /// The last tick of each.
    pub(crate) read_to: BTreeMap<PartitionId, Timestamp>,
    /// The digests of policies that are known to be enforced.
    pub(crate) enforced: BTreeSet<String>,
}

/// What life decided of these events, beside the `run` of the first candidate.
pub(crate) fn live(
    log: &dyn Log,
    events: Events,
    run: Option<&Run>,
    is_over: &dyn Fn() -> bool,
) -> Result<Live, Error> {
    // First: whatever a scorer has decided up to a share of the fleet stands on its topic when the share does.
    let behind = behind(log, &events.read_to, is_over)?;
    let again = run.into_iter().flat_map(|run| &run.made);
    let again: BTreeSet<_> = again.filter_map(|made| serde_json::to_vec(&made.decision).ok()).collect();
    let (mut decisions, mut same) = (Vec::new(), 0);
    each(log, Topic::Decisions, is_over, &mut |stored| {
        let Ok(decision) = serde_json::from_slice::<Decision>(&stored.record.value) else { return };
        let place = decision.offset;
        let is_kept = |reach: &Reach| (reach.start..reach.end).contains(&place.offset);
        if events.reaches.get(&place.partition).is_some_and(is_kept) {
            same += usize::from(again.contains(stored.record.value.as_ref()));
            decisions.push(decision);
        }
    })?;
    let made = with_force(decisions, events.enforced);
    let (name, digest) = ("in life".to_owned(), String::new());
    let run = Run { name, digest, made: in_order(made), samples: Vec::new(), most: Stages::default() };
    Ok(Live { run, same, behind })
}

/// The partitions whose scorer has not yet said its share of the fleet as of the last tick that was read.
fn behind(
    log: &dyn Log,
    read_to: &BTreeMap<PartitionId, Timestamp>,
    is_over: &dyn Fn() -> bool,
) -> Result<Vec<Behind>, Error> {
    let mut got_to = BTreeMap::new();
    each(log, Topic::Fleet, is_over, &mut |stored| {
        if let Ok(Fleet { as_of: Some(as_of), .. }) = serde_json::from_slice(&stored.record.value) {
            got_to.insert(stored.position.partition, as_of);
        }
    })?;
    let lags = |(partition, read_to): (&PartitionId, &Timestamp)| {
        let got_to = got_to.get(partition).copied();
        (got_to < Some(*read_to)).then_some(Behind { partition: *partition, got_to, read_to: *read_to })
    };
    Ok(read_to.iter().filter_map(lags).collect())
}

fn each(log: &dyn Log, topic: Topic, is_over: &dyn Fn() -> bool, take: &mut dyn FnMut(&Stored)) -> Result<(), Error> {
    let mut tail = log.tail(topic, Start::Earliest)?;
    while !tail.caught_up() {
        if is_over() {
            return Err(Error::Stopped);
        }
        tail.next(WAITING)?.iter().for_each(&mut *take);
    }
    Ok(())
}

/// Tells moves from what was only said. A decision in shadow is a move under a policy that is in shadow as a whole, and
/// otherwise none; that a policy is enforced shows, where its text is not known, by any decision of it that is.
fn with_force(decisions: Vec<Decision>, mut enforced: BTreeSet<String>) -> Vec<Made> {
    let carried_out = decisions.iter().filter(|decision| decision.mode == Mode::Enforce);
    enforced.extend(carried_out.map(|decision| decision.policy.clone()));
    let made = |decision: Decision| {
        let is_said_only = decision.mode == Mode::Shadow && enforced.contains(&decision.policy);
        Made { force: if is_said_only { Force::WouldBe } else { Force::Real }, decision, mails: None }
    };
    decisions.into_iter().map(made).collect()
}

#[cfg(test)]
mod tests {
    use model::{CustomerId, DecisionId, Offset, Position, Stage};

    use super::*;

    fn decision(policy: &str, mode: Mode) -> Decision {
        Decision {
            id: DecisionId::from_bits(1),
            customer: CustomerId::new("acme").unwrap(),
            at: Timestamp::from_seconds(1_790_000_000),
            from: Stage::Healthy,
            to: Stage::Throttled,
            cause: None,
            phase: None,
            pilot_step: None,
            sending: None,
            mode,
            rule: "hard-bounce-drip".to_owned(),
            blame: None,
            evidence: None,
            reason: None,
            by: None,
            policy: policy.to_owned(),
            offset: Position { partition: PartitionId::new(0), offset: Offset::ZERO },
        }
    }

    #[test]
    fn what_is_said_in_shadow_is_a_move_only_under_a_policy_that_enforces_nothing() {
        let known = BTreeSet::from(["known".to_owned()]);
        let decisions =
            [("known", Mode::Shadow), ("seen", Mode::Shadow), ("seen", Mode::Enforce), ("in shadow", Mode::Shadow)];
        let made = with_force(decisions.map(|(policy, mode)| decision(policy, mode)).into(), known);
        let forces: Vec<_> = made.iter().map(|made| made.force).collect();
        assert_eq!(forces, [Force::WouldBe, Force::WouldBe, Force::Real, Force::Real]);
    }
}
