//! The ladder's laws, under arbitrary stories and several policies.

use std::collections::{BTreeMap, BTreeSet};

use model::{Blame, Cause, CustomerId, Decision, Evidence, Millis, Mode, Order, Stage, Test, Timestamp, Window};
use policy::{CALM, Limit, Policy, Rule, Signal};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestCaseResult, TestRunner};
use scoring::Said;

use crate::journal::{Cohort, Decided, Journal, Known, Record};
use crate::story::{CUSTOMERS, Part, Teller, policies, story};

fn told() -> impl Strategy<Value = Journal> {
    (policies(), story()).prop_map(|(policy, story)| Teller::tell(&policy, &story).journal)
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decisions: Vec<_> = self.decisions().iter().map(|decided| decided.decision.clone()).collect();
        f.debug_struct("Journal").field("policy", &self.policy.digest()).field("decisions", &decisions).finish()
    }
}

/// The rule by which this decision moved the customer, with the limits of its phase.
fn rule_of<'p>(policy: &'p Policy, decided: &Decided<'_>) -> Option<&'p Rule> {
    policy.rules_for(decided.before.phase).iter().find(|rule| rule.name == decided.decision.rule)
}

fn limit_of<'p>(policy: &'p Policy, decision: &Decision) -> Option<&'p Limit> {
    policy.limits().iter().find(|limit| limit.name == decision.rule)
}

/// The rules that can hold a customer where it is.
fn holding<'p>(policy: &'p Policy, customer: &CustomerId, known: &Known) -> Vec<&'p Rule> {
    let stage = known.stage;
    let own_doing = |rule: &&Rule| rule.signal.is_caused_at(stage);
    let is_carried_out = |rule: &&Rule| rule.mode(customer, Mode::Enforce) == Mode::Enforce;
    let rules = || policy.rules_for(known.phase).iter().filter(|rule| !own_doing(rule));
    let mut holding: Vec<_> = rules().filter(is_carried_out).collect();
    if holding.is_empty() {
        holding = rules().collect();
    }
    match holding.iter().map(|rule| rule.stage).max() {
        Some(farthest) => holding.into_iter().filter(|rule| rule.stage >= stage.min(farthest)).collect(),
        None => holding,
    }
}

/// How long a customer must stay at least; `None` where only a person brings it down.
fn least_stay(policy: &Policy, customer: &CustomerId, known: &Known) -> Option<Millis> {
    let maturity = holding(policy, customer, known).into_iter().map(|rule| policy.maturity(rule.signal)).max();
    let dwell = policy.dwell_of(known.stage, &known.offences, known.since);
    dwell.map(|dwell| dwell.max(maturity.unwrap_or_default()))
}

/// A decision by a rule or a limit, up the ladder.
fn check_up(journal: &Journal, decided: &Decided<'_>, evidence: &Evidence) -> TestCaseResult {
    let (policy, decision) = (&*journal.policy, decided.decision);
    prop_assert!(evidence.rate > evidence.threshold, "{decision:?}");
    prop_assert!(!evidence.events.is_empty(), "{decision:?}");
    let mails = journal.entries.iter().filter_map(|entry| match &entry.record {
        Record::Mail(mail) if mail.customer == decision.customer.as_str() => Some(mail),
        _ => None,
    });
    let signal = Signal::named(&evidence.signal).unwrap();
    let known: BTreeSet<_> = mails
        .filter(|mail| mail.counters[0].is_some_and(|counter| signal.is_fed_by(counter)))
        .map(|mail| mail.id.as_str())
        .collect();
    prop_assert!(evidence.events.iter().all(|id| known.contains(id.as_str())), "{decision:?}");
    match (rule_of(policy, decided), limit_of(policy, decision)) {
        (Some(rule), None) => {
            let written = policy.rules().iter().find(|written| written.name == rule.name).unwrap();
            let strictness = if decided.before.phase == model::Phase::Pilot { policy.pilot().strictness } else { 1.0 };
            prop_assert!((evidence.threshold.get() - written.enter * strictness).abs() < 1e-12, "{decision:?}");
            prop_assert_eq!((decision.to, decision.blame), (rule.stage, Some(Blame::Customer)));
            prop_assert_eq!((evidence.window, evidence.test), (rule.window, rule.test()));
            prop_assert!(evidence.numerator >= rule.minimum, "{decision:?}");
            prop_assert!(evidence.weight >= evidence.needed, "{decision:?}");
            prop_assert_eq!(evidence.needed.to_bits(), rule.needed().to_bits());
        }
        (None, Some(limit)) => {
            prop_assert_eq!((decision.to, decision.blame), (limit.stage, Some(Blame::Account)));
            prop_assert_eq!((evidence.window, evidence.test), (Window::Day, Test::Budget));
            prop_assert!((evidence.threshold.get() - limit.enter).abs() < 1e-12, "{decision:?}");
            prop_assert!(evidence.weight > 0.0, "{decision:?}");
            prop_assert!(evidence.needed > 0.0 || limit.ahead_hours > 0.0, "{decision:?}");
        }
        _ => prop_assert!(false, "by no rule of the policy: {decision:?}"),
    }
    Ok(())
}

/// What the evidence says that it counted, counted again.
fn check_figures(journal: &Journal, decision: &Decision, evidence: &Evidence) -> TestCaseResult {
    // Each of three customers has at most two others: too few for an incident.
    prop_assert_eq!(&evidence.set_aside, &Vec::new());
    let cohort = Cohort {
        after: evidence.counted_after,
        to: evidence.counted_to,
        from: evidence.from,
        until: evidence.until,
        grain: evidence.window.grain(),
        by_bucket: evidence.test == Test::Sequential && decision.rule != CALM,
    };
    let again = journal.fraction(decision.customer.as_str(), Signal::named(&evidence.signal).unwrap(), &cohort);
    prop_assert_eq!((again.hits, again.mails), (evidence.numerator, evidence.denominator), "{:?}", decision);
    Ok(())
}

/// A decision down the ladder.
fn check_down(journal: &Journal, decided: &Decided<'_>, evidence: &Evidence) -> TestCaseResult {
    let (policy, decision, before) = (&*journal.policy, decided.decision, &decided.before);
    prop_assert_eq!(decision.rule.as_str(), CALM);
    prop_assert_eq!(decision.to, decision.from.milder());
    prop_assert!(evidence.numerator == 0 || evidence.rate < evidence.threshold, "{decision:?}");
    prop_assert_ne!(decision.from, Stage::Banned);
    let Some(least) = least_stay(policy, &decision.customer, before) else {
        return Err(TestCaseError::fail(format!("only a person may do this: {decision:?}")));
    };
    prop_assert!(decision.at.since(before.since) >= least, "after less than {least:?}: {decision:?}");
    for rule in holding(policy, &decision.customer, before) {
        let calm = journal.is_calm(decision.customer.as_str(), rule, before.released, decided.entry);
        prop_assert!(calm, "{} still holds it: {decision:?}", rule.name);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn each_decision_begins_where_the_one_before_ended(journal in told()) {
        let mut stages: BTreeMap<&str, Stage> = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for decided in journal.decisions() {
            let decision = decided.decision;
            prop_assert!(ids.insert(decision.id.clone()), "said twice: {decision:?}");
            prop_assert_eq!(decision.at, decided.entry.now);
            let stage = stages.entry(decision.customer.as_str()).or_default();
            prop_assert_eq!(decision.from, *stage, "{:?}", decision);
            if !decided.is_real() {
                continue;
            }
            let to = match &decided.entry.record {
                Record::Order(Order::SetStage { stage }) => *stage,
                Record::Order(Order::Undo { stage: before, .. }) if !decided.before.held => (*before).min(*stage),
                Record::Order(Order::Release { fully: true }) => Stage::Healthy,
                Record::Order(Order::Release { fully: false }) => stage.milder(),
                Record::Order(_) => *stage,
                _ if decision.cause != Some(Cause::Rule) => *stage,
                _ => {
                    prop_assert_ne!(decision.to, *stage, "a rule moves or says nothing");
                    decision.to
                }
            };
            prop_assert_eq!(decision.to, to);
            *stage = to;
        }
        for standing in &journal.finally {
            let last = stages.get(standing.customer.as_str()).copied().unwrap_or_default();
            prop_assert_eq!(standing.stage, last);
        }
    }

    #[test]
    fn a_standing_is_said_with_each_decision_that_is_carried_out(journal in told()) {
        for entry in &journal.entries {
            for pair in entry.said.windows(2) {
                if let [Said::Decision(decision), next] = pair && decision.mode == journal.policy.mode() {
                    let Said::Standing(standing) = next else {
                        return Err(TestCaseError::fail(format!("{decision:?} is followed by {next:?}")));
                    };
                    prop_assert_eq!((&standing.customer, standing.stage), (&decision.customer, decision.to));
                    prop_assert_eq!(standing.pool.clone(), journal.policy.pool(decision.to));
                }
            }
        }
    }

    #[test]
    fn nobody_is_moved_up_but_by_a_rule_to_its_stage_on_evidence(journal in told()) {
        for decided in journal.decisions() {
            let decision = decided.decision;
            match &decision.evidence {
                None if decided.is_command() => prop_assert!(decision.by.is_some() && decision.reason.is_some()),
                None => prop_assert!(decision.from == decision.to && decision.reason.is_some(), "{decision:?}"),
                Some(evidence) if decision.to > decision.from => {
                    prop_assert!(!decided.is_command());
                    check_up(&journal, &decided, evidence)?;
                }
                Some(_) => prop_assert!(decided.is_real() && !decided.is_command(), "{decision:?}"),
            }
        }
    }

    #[test]
    fn the_evidence_can_be_counted_again_from_the_records(journal in told()) {
        for decided in journal.decisions() {
            match &decided.decision.evidence {
                Some(evidence) if evidence.test != Test::Budget => check_figures(&journal, decided.decision, evidence)?,
                _ => {}
            }
        }
    }

    #[test]
    fn a_customer_comes_down_one_stage_after_all_rates_were_calm_for_the_dwell(journal in told()) {
        for decided in journal.decisions() {
            match &decided.decision.evidence {
                Some(evidence) if decided.decision.to < decided.decision.from => {
                    check_down(&journal, &decided, evidence)?;
                }
                _ => {}
            }
        }
    }

    #[test]
    fn no_rule_moves_a_customer_that_a_person_holds_or_exempts(journal in told()) {
        for decided in journal.decisions().iter().filter(|decided| !decided.is_command()) {
            let (decision, before) = (decided.decision, &decided.before);
            prop_assert!(!before.held, "held: {decision:?}");
            let exempt = before.exempt_until.is_some_and(|until| decision.at < until);
            let up = decided.is_real() && decision.to > decision.from;
            prop_assert!(!(exempt && up), "exempt: {decision:?}");
            if !decided.is_real() {
                prop_assert!(!before.shadowed.contains(&decision.rule), "said before: {decision:?}");
                let named = rule_of(&journal.policy, decided).unwrap();
                let in_shadow = named.mode(&decision.customer, Mode::Enforce) == Mode::Shadow;
                prop_assert!(exempt || in_shadow, "in shadow for no reason: {decision:?}");
            }
        }
    }

    #[test]
    fn nobody_goes_up_twice_from_a_stage_faster_than_the_dwell_times(journal in told()) {
        let mut last_up: BTreeMap<(&str, Stage), (Timestamp, Option<Millis>)> = BTreeMap::new();
        for decided in journal.decisions().iter().filter(|decided| decided.is_real()) {
            let (decision, before) = (decided.decision, &decided.before);
            let customer = decision.customer.as_str();
            if decided.is_command() {
                // A person's word starts everything anew.
                last_up.retain(|(known, _), _| *known != customer);
            } else if decision.to == decision.from {
                continue;
            } else if decision.to < decision.from {
                let stay = least_stay(&journal.policy, &decision.customer, before);
                for (_, since) in last_up.iter_mut().filter(|((known, _), _)| *known == customer) {
                    since.1 = since.1.max(stay);
                }
            } else if let Some((at, stay)) = last_up.insert((customer, decision.from), (decision.at, None)) {
                prop_assert!(stay.is_some_and(|stay| decision.at.since(at) >= stay), "{stay:?} since {at}: {decision:?}");
            }
        }
    }

    #[test]
    fn the_same_story_is_answered_the_same_byte_for_byte(policy in policies(), story in story()) {
        let run = || {
            let teller = Teller::tell(&policy, &story);
            let said: Vec<_> = teller.journal.entries.into_iter().map(|entry| format!("{:?}", entry.said)).collect();
            let customers = teller.house.store.customers();
            let customers: Vec<_> = customers.map(|(_, customer)| postcard::to_stdvec(customer).unwrap()).collect();
            (said, customers, postcard::to_stdvec(teller.house.fold.partition()).unwrap())
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn counts_do_not_depend_on_the_order_of_events_between_two_ticks(
        policy in policies(), story in story(), turn in any::<prop::sample::Index>(),
    ) {
        let run = |turned: bool| {
            let mut teller = Teller::new(&policy);
            let mut waiting = Vec::new();
            for part in &story {
                let Part::Ticks { apart, times } = part else {
                    waiting.extend(teller.events(part));
                    continue;
                };
                if turned && !waiting.is_empty() {
                    waiting.reverse();
                    let by = turn.index(waiting.len());
                    waiting.rotate_left(by);
                }
                waiting.drain(..).for_each(|told| teller.event(told));
                teller.ticks(*apart, *times);
            }
            CUSTOMERS.map(|name| Window::ALL.map(|window| teller.house.counts(name, window)))
        };
        prop_assert_eq!(run(false), run(true));
    }
}

/// Laws about moves that never happen would hold for nothing.
#[test]
fn stories_bring_about_every_kind_of_decision() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..200 {
        let journal = told().new_tree(&mut runner).unwrap().current();
        for decided in journal.decisions() {
            let decision = decided.decision;
            let kind = match (decided.is_real(), decision.evidence.as_ref().map(|evidence| evidence.test)) {
                (_, None) => "command",
                (false, Some(_)) => "shadow",
                (true, Some(_)) if decision.rule == CALM => "calm",
                (true, Some(Test::Budget)) => "limit",
                (true, Some(Test::Bound)) => "bound",
                (true, Some(Test::Sequential)) => "sequential",
            };
            *seen.entry(kind).or_default() += 1;
        }
    }
    for kind in ["command", "shadow", "calm", "limit", "bound", "sequential"] {
        assert!(seen.get(kind).is_some_and(|times| *times >= 10), "{kind}: {seen:?}");
    }
}
