//! What is said of a decision: whether it can be derived again, and why it was made.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod made;

use std::sync::Arc;

use explain::{Cause, Derived, Explanation, Recorded, Review};
use made::{START, acme, decision, event, evidence, policy};
use model::{
    Blame, Command, Counter, Decision, Event, Evidence, Fleet, Millis, Mode, Offset, Order, PartitionId, Provider,
    SetAside, Stage, Test, Tick, Timestamp,
};
use policy::Policy;
use scoring::{Fold, Input, MemoryStore, Partition, Said};

/// A record of a partition.
enum Entry {
    Tick(Tick),
    Event(Event<'static>),
}

impl Entry {
    fn hand_to(&self, take: &mut dyn FnMut(Input<'_>)) {
        match self {
            Self::Tick(tick) => take(Input::Tick(tick.clone())),
            Self::Event(event) => take(Input::Event(&acme(), event, event.at)),
        }
    }
}

/// A partition's records, of which every third is a mail that bounces, with a tick now and then; and what the fold decided
/// first.
fn records() -> (Vec<Entry>, Recorded) {
    let mut fold = Fold::new(policy(), PartitionId::new(0), Partition::default());
    let (mut store, mut share) = (MemoryStore::default(), Fleet::default());
    let (mut entries, mut decided) = (Vec::new(), None);
    for number in 0..600 {
        let at = START + Millis::seconds(number);
        let fate = if number % 3 == 0 { Counter::HardBounce } else { Counter::Delivered };
        let entry = if number % 20 == 0 {
            Entry::Tick(Tick { at, fleet: share.clone() })
        } else {
            Entry::Event(event(number.unsigned_abs().into(), fate, at))
        };
        entry.hand_to(&mut |input| {
            let Ok(applied) = fold.apply(&mut store, Offset::new(number.unsigned_abs()), input);
            for said in applied.said {
                match said {
                    Said::Decision(decision) => drop(decided.get_or_insert(decision)),
                    Said::Share(told) => share = told,
                    Said::Standing(_) => {}
                }
            }
        });
        entries.push(entry);
    }
    (entries, recorded(&decided.unwrap()))
}

fn recorded(decision: &Decision) -> Recorded {
    Recorded::read(&serde_json::to_vec(decision).unwrap()).unwrap()
}

fn reviewed(entries: &[Entry], recorded: Recorded, from: u64, policy: Arc<Policy>) -> Explanation {
    let mut review = Review::new(recorded, Vec::new(), policy);
    for (offset, entry) in (0..).zip(entries).filter(|(offset, _)| *offset >= from) {
        entry.hand_to(&mut |input| review.take(Offset::new(offset), input));
    }
    review.finish(Offset::new(from))
}

#[test]
fn a_decision_that_the_log_bears_out_is_the_same_byte_for_byte() {
    let (entries, recorded) = records();
    assert_eq!(reviewed(&entries, recorded, 0, policy()).derived, Derived::Same);
}

#[test]
fn one_changed_member_is_found_and_named() {
    let (entries, recorded) = records();
    let text = String::from_utf8(recorded.bytes).unwrap();
    let numerator = recorded.decision.evidence.unwrap().numerator;
    let changed = text.replace(&format!("\"numerator\":{numerator}"), "\"numerator\":77");
    let explanation = reviewed(&entries, Recorded::read(changed.as_bytes()).unwrap(), 0, policy());
    let Derived::Differently { differences, causes } = &explanation.derived else { panic!("{explanation}") };
    assert_eq!((differences.len(), causes.len()), (1, 0), "{explanation}");
    assert_eq!(differences[0].to_string(), format!("evidence.numerator is 77 on record and {numerator} derived"));
}

#[test]
fn a_log_without_its_beginning_is_named_as_the_cause() {
    let (entries, recorded) = records();
    let last = recorded.decision.offset.offset.get();
    let explanation = reviewed(&entries, recorded, last, policy());
    let begins = Offset::new(last);
    assert_eq!(explanation.derived, Derived::NoDecision { causes: vec![Cause::LogCut { begins }] });
    assert!(explanation.to_string().contains("the log no longer holds what came before record"), "{explanation}");
}

#[test]
fn under_another_policy_nothing_is_claimed() {
    let other = Arc::new(Policy::parse(&format!("{}\n# Another file.\n", policy::DEFAULT)).unwrap());
    let at_hand = other.digest().to_owned();
    let (entries, recorded) = records();
    let explanation = reviewed(&entries, recorded, 0, other);
    assert_eq!(explanation.derived, Derived::UnderAnotherPolicy { at_hand });
}

#[test]
fn an_explanation_reads_back_what_it_wrote() {
    let (entries, recorded) = records();
    let explanation = reviewed(&entries, recorded, 0, policy());
    let text = serde_json::to_string(&explanation).unwrap();
    assert_eq!(serde_json::from_str::<Explanation>(&text).unwrap(), explanation);
}

/// What is said of `decision`, of which the log holds nothing.
fn said(decision: &Decision, history: &[Decision]) -> Explanation {
    Review::new(recorded(decision), history.to_vec(), policy()).finish(Offset::ZERO)
}

fn half_past() -> Timestamp {
    START + Millis::minutes(30)
}

fn charged(evidence: Evidence) -> Decision {
    decision("hard-bounce-burst", half_past(), 1_000, Some(evidence))
}

#[test]
fn every_signal_and_every_test_has_words_and_tells_the_figures() {
    let signals = [
        ("hard_bounce", "hard bounces", "refused for good"),
        ("invalid_address", "invalid addresses", "do not exist"),
        ("block", "blocks", "were refused by"),
        ("reputation_block", "blocks for reputation", "the sender's reputation"),
        ("soft_bounce", "soft bounces", "mailbox is full"),
        ("deferral", "deferred mails", "put off"),
        ("spam_report", "complaints", "called spam"),
        ("unsubscribe", "unsubscribes", "leave your list"),
        ("something_new", "bad events", "went wrong"),
    ];
    let tests = [
        (Test::Bound, "by chance once in 3.1 million times; the rule moves at once in 100,710"),
        (Test::Sequential, "3.1 million times as likely"),
        (Test::Budget, "The account altogether has to stay below 5 %"),
    ];
    for (signal, name, happened) in signals {
        for (test, words) in tests {
            let explanation = said(&charged(Evidence { test, ..evidence(signal, half_past(), (31, 1_402)) }), &[]);
            let (facts, letter) = (explanation.facts.join("\n").to_lowercase(), &explanation.for_the_customer);
            assert!(
                facts.contains("31 of 1,402") && facts.contains(name) && facts.contains(&words.to_lowercase()),
                "{explanation}"
            );
            assert!(letter.contains("31 of 1,402") && letter.contains(happened), "{explanation}");
            assert!(!letter.contains("hard-bounce-burst") && !letter.contains("quarantine"), "{explanation}");
        }
    }
}

#[test]
fn what_was_left_out_whose_fault_it_is_and_how_often_it_came_to_this_are_told() {
    let provider = Provider::Yahoo;
    let aside = SetAside { provider, from: START, until: half_past(), mails: 1_200, blame: Blame::Pool };
    let evidence = Evidence { set_aside: vec![aside], ..evidence("block", half_past(), (31, 402)) };
    let decision = Decision { blame: Some(Blame::Customer), ..charged(evidence.clone()) };
    let earlier = |offset, at| Decision { at, ..made::decision("block-burst", at, offset, Some(evidence.clone())) };
    let history = [earlier(1, START - Millis::days(40)), earlier(2, START - Millis::days(3)), earlier(3, START)];
    let explanation = said(&decision, &history);
    assert!(explanation.set_aside[0].starts_with("1,200 mails to yahoo sent from 2026-09-21T14:13Z"), "{explanation}");
    let facts = explanation.facts.join("\n");
    assert!(facts.contains("it is laid to acme"), "{explanation}");
    assert!(facts.contains("Rules had moved acme up twice in the 30 days before."), "{explanation}");
    assert_eq!(
        explanation.comparison.unwrap(),
        "All other customers' blocks in the same hour: 0.9 %; acme's 7.71 % is 8.6 times as much."
    );
}

#[test]
fn the_way_back_is_the_ladders_or_a_persons() {
    let evidence = || Some(evidence("hard_bounce", half_past(), (31, 402)));
    let to = |stage| said(&Decision { to: stage, ..decision("hard-bounce-burst", START, 7, evidence()) }, &[]);
    let quarantined = to(Stage::Quarantined).way_back;
    assert!(
        quarantined.starts_with("It comes down to throttled once all of these have stayed so for "),
        "{quarantined}"
    );
    assert!(quarantined.contains("hard bounces below "), "{quarantined}");
    let suspended = to(Stage::Suspended);
    assert!(suspended.way_back.starts_with("A person only"), "{suspended}");
    assert!(suspended.for_the_customer.contains("does not end by itself"), "{suspended}");
    let calm = Decision { from: Stage::Watch, to: Stage::Healthy, ..decision("calm", START, 7, evidence()) };
    let calm = said(&calm, &[]);
    assert!(calm.headline.contains("came down from watch to healthy"), "{calm}");
    assert_eq!(calm.way_back, "Nothing holds it: it sends freely.");
    assert!(calm.for_the_customer.contains("You can send without limits."), "{calm}");
    let throttled = to(Stage::Throttled);
    assert!(throttled.for_the_customer.contains("For now, you can send up to 1,000 mails a day."), "{throttled}");
}

#[test]
fn in_shadow_nothing_is_claimed_to_have_happened() {
    let evidence = evidence("hard_bounce", half_past(), (31, 402));
    let explanation = said(&Decision { mode: Mode::Shadow, ..charged(evidence) }, &[]);
    assert!(explanation.headline.ends_with("(in shadow: only said, not carried out)."), "{explanation}");
    assert!(explanation.for_the_customer.contains("Nothing has changed for your mail yet."), "{explanation}");
    assert!(!explanation.for_the_customer.contains("This ends by itself"), "{explanation}");
}

#[test]
fn a_persons_order_is_told_to_operators_with_its_author_and_to_the_customer_without() {
    let until = START + Millis::days(9);
    for (order, meant, way_back) in [
        (Order::Hold, "leave the customer where it is", "no rule moves it"),
        (Order::Release, "back to healthy", "Nothing holds it"),
        (Order::SetStage { stage: Stage::Suspended }, "put the customer to suspended", "A person only"),
        (Order::Exempt { until }, "until 2026-09-30T14:13Z", "Rules move it up again from 2026-09-30T14:13Z on"),
    ] {
        let command = Command { order, reason: "a long story".to_owned(), by: "ana".to_owned() };
        let (mut fold, mut store) =
            (Fold::new(policy(), PartitionId::new(0), Partition::default()), MemoryStore::default());
        let Ok(applied) = fold.apply(&mut store, Offset::ZERO, Input::Command(&acme(), command.clone()));
        let Said::Decision(decision) = &applied.said[0] else { panic!("{applied:?}") };
        let mut review = Review::new(recorded(decision), Vec::new(), policy());
        review.take(Offset::ZERO, Input::Command(&acme(), command));
        let explanation = review.finish(Offset::ZERO);
        assert_eq!(explanation.derived, Derived::Same);
        let facts = explanation.facts.join("\n");
        assert!(facts.contains(meant) && facts.contains("a long story"), "{explanation}");
        assert!(explanation.way_back.contains(way_back), "{explanation}");
        assert!(!explanation.for_the_customer.contains("a long story"), "{explanation}");
        assert!(!explanation.for_the_customer.contains("ana "), "{explanation}");
    }
}
