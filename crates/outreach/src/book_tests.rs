//! Sequences of decisions, of the enforcer's words and of what comes of a try.

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

fn decision(number: u128, from: Stage, to: Stage) -> Decision {
    let example = crate::example(to, Some("block")).unwrap();
    Decision { id: DecisionId::from_bits(number), from, ..example }
}

/// What happens to a line of telling.
#[derive(Clone, Copy, Debug)]
enum Happens {
    /// A decision to this stage.
    Decided(Stage),
    /// The enforcer lets the last decision through, or not.
    InForce(bool),
    /// What waits is told, and this comes of it.
    Told(Option<How>),
    /// The process ends, with a message on its way or without.
    Restarted { is_sending: bool },
}

fn happens() -> impl Strategy<Value = Happens> {
    let how = prop_oneof![Just(How::Delivered), Just(How::Unknown), Just(How::GivenUp)];
    prop_oneof![
        2 => (0..Stage::ALL.len()).prop_map(|stage| Happens::Decided(Stage::ALL[stage])),
        3 => any::<bool>().prop_map(Happens::InForce),
        4 => proptest::option::weighted(0.8, how).prop_map(Happens::Told),
        1 => any::<bool>().prop_map(|is_sending| Happens::Restarted { is_sending }),
    ]
}

/// A message that went out: of which decision, whether it says that it is in force, whether it is told once more.
type Sent = (u64, bool, bool, How);

/// Customer success's line over a sequence, as the worker drives it; what went out.
fn sent_over(sequence: &[Happens]) -> (State, Vec<Sent>, (u64, bool)) {
    let (mut state, mut sent) = (State::default(), Vec::new());
    let (mut number, mut stage, mut is_in_force) = (0, Stage::Healthy, false);
    let number_of = |decision: &Decision| u64::from_str_radix(decision.id.as_str(), 16).unwrap();
    for happens in sequence {
        match happens {
            Happens::Decided(to) if *to != stage => {
                number += 1;
                state.take(Line::SuccessMail, &decision(number.into(), stage, *to), NOW);
                (stage, is_in_force) = (*to, false);
            }
            Happens::Decided(_) => {}
            Happens::InForce(now) => is_in_force = number > 0 && *now,
            Happens::Told(how) => {
                let Some(waiting) = state.waiting.clone() else { continue };
                // Only the last decision waits.
                assert_eq!(number_of(&waiting.decision), number);
                if waiting.comes_into_force && !is_in_force {
                    state.go_out_of_force();
                    continue;
                }
                state.start(!is_in_force);
                match how {
                    Some(how) => {
                        state.end(*how, NOW);
                        sent.push((number, is_in_force, waiting.comes_into_force, *how));
                    }
                    None => state.again(NOW),
                }
            }
            Happens::Restarted { is_sending } => {
                if let Some(waiting) = state.waiting.clone().filter(|waiting| *is_sending && !waiting.comes_into_force)
                {
                    state.start(!is_in_force);
                    sent.push((number, is_in_force, waiting.comes_into_force, How::Unknown));
                }
                state = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
                if state.sending.is_some() {
                    state.end(How::Unknown, NOW);
                }
            }
        }
        // The worker looks at each word of the enforcer, and at its start.
        if is_in_force && state.pending.as_ref().is_some_and(|pending| number_of(pending) == number) {
            state.come_into_force(NOW);
        }
    }
    (state, sent, (number, is_in_force))
}

proptest! {
    /// Each decision is told once, and once more only where it was told as not in force and then came into force.
    #[test]
    fn what_was_told_as_not_in_force_is_told_once_more_when_it_is(sequence in prop::collection::vec(happens(), 0..40)) {
        let (_, sent, (last, is_in_force)) = sent_over(&sequence);
        for number in 1..=last {
            let of_it: Vec<_> = sent.iter().filter(|(decision, ..)| *decision == number).collect();
            let is_sound = match of_it[..] {
                [] => true,
                [(_, _, once_more, _)] => !once_more,
                [(_, false, false, how), (_, true, true, _)] => *how != How::GivenUp,
                _ => false,
            };
            prop_assert!(is_sound, "{number}: {of_it:?}");
        }
        // Where the last decision is in force, nothing is left to be said once it has been told.
        if is_in_force {
            let mut sequence = sequence;
            sequence.extend([Happens::Told(Some(How::Delivered)); 2]);
            let (state, sent, _) = sent_over(&sequence);
            let latest = sent.iter().rfind(|(decision, .., how)| *decision == last && *how != How::GivenUp);
            let lost = sent.iter().any(|(decision, .., how)| *decision == last && *how == How::GivenUp);
            prop_assert!(lost || latest.is_some_and(|(_, says_so, ..)| *says_so), "{sent:?}");
            prop_assert!(state.waiting.is_none() && state.pending.is_none());
        }
    }
}
