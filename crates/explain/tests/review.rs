//! What is said of a decision: whether it can be derived again, and why it was made.

use std::sync::Arc;

use explain::{Cause, Derived, Explanation, Recorded, Review};
use model::{
    Blame, Command, Counter, Decision, Event, Evidence, Fleet, Millis, Mode, Offset, Order, PartitionId, Phase,
    Provider, SetAside, Stage, Test, Tick, Timestamp, Window,
};
use policy::Policy;
use scoring::{Fold, Input, MemoryStore, Partition, Said};

use crate::made::{self, START, acme, decision, event, evidence, policy};

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
                    Said::Standing(_) | Said::Profile(_) | Said::AccountStatus(_) => {}
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

/// The same under another policy.
fn said_under(text: &str, decision: &Decision) -> Explanation {
    let policy = Arc::new(Policy::parse(text).unwrap());
    Review::new(recorded(decision), Vec::new(), policy).finish(Offset::ZERO)
}

/// The same of a customer about whom these orders stand on the log.
fn said_after(orders: &[Order], decision: &Decision) -> Explanation {
    let mut review = Review::new(recorded(decision), Vec::new(), policy());
    review.begin_at(START);
    for (offset, order) in (0..).zip(orders) {
        let command = Command { order: *order, reason: "a long story".to_owned(), by: "ana".to_owned(), role: None };
        review.take(Offset::new(offset), Input::Command(&acme(), command));
    }
    review.finish(Offset::ZERO)
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
        (Test::Budget, "together has 12 bad events more than 5 % allows. acme's own 31 of 1,402 are 15 more"),
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
fn a_limit_of_the_account_is_told_as_one_and_not_as_a_rule_about_the_customer() {
    let evidence = Evidence {
        test: Test::Budget,
        window: Window::Day,
        weight: 9.2,
        needed: 1_234.4,
        ..evidence("hard_bounce", half_past(), (31, 402))
    };
    let decision = Decision {
        to: Stage::Watch,
        blame: Some(Blame::Account),
        ..decision("account-bounces", half_past(), 1_000, Some(evidence))
    };
    let explanation = said(&decision, &[]);
    assert!(explanation.headline.ends_with("by the limit account-bounces."), "{explanation}");
    assert_eq!(explanation.comparison, None, "the whole account is not the others");
    assert_eq!(
        explanation.facts[1..3],
        [
            "The limit account-bounces keeps hard bounces in all mail of the account at or below 5 % over 24 hours, and leads \
             those that weigh most to watch, at most 10 customers at a time.",
            "All customers' mail there together has 1,234 bad events more than 5 % allows. acme's own 31 of 402 are 9.2 more \
             than it allows for that many mails, and acme is among those that weigh most: the fewest without whom the limit is \
             kept.",
        ]
    );
    let ahead = decision.evidence.clone().map(|evidence| Evidence { needed: -3.0, ..evidence });
    let ahead = said(&Decision { evidence: ahead, ..decision.clone() }, &[]);
    assert!(ahead.facts[2].contains("is not above 5 % yet, and will be within 6 h if every hour"), "{ahead}");
    let unknown = said(&Decision { rule: "another".to_owned(), ..decision }, &[]);
    assert!(unknown.facts[1].starts_with("The policy at hand has no limit another"), "{unknown}");
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
fn deferrals_hold_nobody_from_throttled_on() {
    let text = policy::DEFAULT.replace("signal = \"reputation_block\"", "signal = \"deferral\"");
    let evidence = evidence("hard_bounce", half_past(), (31, 402));
    let at = |to| {
        let decision = Decision { to, ..decision("hard-bounce-fire", half_past(), 7, Some(evidence.clone())) };
        said_under(&text, &decision).way_back
    };
    assert!(at(Stage::Watch).contains("deferred mails below 5 %"), "{}", at(Stage::Watch));
    assert!(!at(Stage::Throttled).contains("deferred"), "{}", at(Stage::Throttled));
    assert!(at(Stage::Throttled).contains("hard bounces below 3 %"), "{}", at(Stage::Throttled));
}

#[test]
fn a_pilot_customer_is_told_its_own_limits() {
    let evidence = evidence("hard_bounce", half_past(), (31, 402));
    let decision = decision("hard-bounce-fire", half_past(), 7, Some(evidence));
    let explanation = said_after(&[Order::SetPhase { phase: Phase::Pilot }], &decision);
    let facts = explanation.facts.join("\n");
    assert!(facts.contains("in above 4 %, out below 1.5 %, as a pilot customer."), "{explanation}");
    assert!(explanation.way_back.contains("hard bounces below 1.5 %"), "{explanation}");
    assert!(explanation.for_the_customer.contains("(here: below 1.5 %)"), "{explanation}");
}

#[test]
fn a_pilot_customer_that_nothing_holds_is_told_its_cap() {
    let pilot = Command {
        order: Order::SetPhase { phase: Phase::Pilot },
        reason: "new".to_owned(),
        by: "ana".to_owned(),
        role: None,
    };
    let (mut fold, mut store) =
        (Fold::new(policy(), PartitionId::new(0), Partition::default()), MemoryStore::default());
    let Ok(applied) = fold.apply(&mut store, Offset::ZERO, Input::Command(&acme(), pilot));
    let Said::Decision(decision) = &applied.said[0] else { panic!("{applied:?}") };
    let explanation = said_after(&[Order::SetPhase { phase: Phase::Pilot }], decision);
    assert_eq!(explanation.way_back, "Nothing holds it: as a pilot customer it sends at most 200 mails a day.");
}

#[test]
fn that_a_person_holds_or_exempts_the_customer_is_said_of_later_decisions_too() {
    let evidence = evidence("hard_bounce", half_past(), (31, 402));
    let decision = decision("hard-bounce-fire", half_past(), 7, Some(evidence));
    let held = said_after(&[Order::SetStage { stage: Stage::Quarantined }], &decision);
    assert!(held.way_back.starts_with("A person only: it is held"), "{held}");
    let exempt = Order::Exempt { until: START + Millis::days(9) };
    let explanation = said_after(&[exempt], &decision);
    assert!(explanation.way_back.ends_with("no rule moves it up before 2026-09-30T14:13Z."), "{explanation}");
    let over = Order::Exempt { until: START + Millis::minutes(1) };
    assert!(!said_after(&[over], &decision).way_back.contains("exempt"));
}

#[test]
fn what_no_provider_and_no_pool_can_be_blamed_for_is_laid_to_the_customer_without_the_others() {
    let evidence = evidence("spam_report", half_past(), (31, 402));
    let explanation = said(&Decision { blame: Some(Blame::Customer), ..charged(evidence) }, &[]);
    let facts = explanation.facts.join("\n");
    assert!(facts.contains("Complaints are no provider's and no pool's fault: they are laid to acme."), "{facts}");
    assert!(!facts.contains("fared well"), "{facts}");
}

#[test]
fn an_earlier_policy_is_a_cause_only_where_the_log_holds_no_record_of_it() {
    let (entries, recorded) = records();
    let earlier = |policy: &str| Decision {
        policy: policy.to_owned(),
        ..decision("a-rule", START, 1, Some(evidence("hard_bounce", half_past(), (31, 402))))
    };
    let other = Arc::new(Policy::parse(&format!("{}\n# Another file.\n", policy::DEFAULT)).unwrap());
    let causes = |before: &str| {
        let text = String::from_utf8(recorded.bytes.clone()).unwrap();
        let changed = Recorded::read(text.replace("\"numerator\":", "\"numerator\":7").as_bytes()).unwrap();
        let at = changed.decision.offset.offset.get();
        let mut review = Review::new(changed, vec![earlier(before)], Arc::clone(&other));
        review.take(Offset::ZERO, Input::Policy(policy()));
        entries[usize::try_from(at).unwrap()].hand_to(&mut |input| review.take(Offset::new(at), input));
        match review.finish(Offset::ZERO).derived {
            Derived::Differently { causes, .. } | Derived::NoDecision { causes } => causes,
            other => panic!("{other}"),
        }
    };
    assert_eq!(causes(other.digest()), []);
    assert_eq!(causes("sha256:lost"), [Cause::EarlierPolicy { policy: "sha256:lost".to_owned() }]);
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
        (Order::Hold { until: None }, "leave the customer where it is", "no rule moves it"),
        (Order::Note, "only to be read", "Nothing holds it"),
        (Order::Release { fully: true }, "back to healthy", "Nothing holds it"),
        (Order::Undo { stage: Stage::Healthy, since: START }, "take back what a rule did since", "Nothing holds it"),
        (Order::SetStage { stage: Stage::Suspended }, "put the customer to suspended", "A person only"),
        (Order::Exempt { until }, "until 2026-09-30T14:13Z", "no rule moves it up before 2026-09-30T14:13Z"),
    ] {
        let command = Command { order, reason: "a long story".to_owned(), by: "ana".to_owned(), role: None };
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
