//! Decisions in sentences.

mod case;
mod customer;
mod facts;
pub(crate) mod figures;
mod signal;
mod way_back;

use std::sync::Arc;

use model::figures::{count, thousands};
use model::{Cause, Decision, Evidence, Order, Stage, Standing};
use policy::Policy;

use case::Step;
use customer::for_the_customer;
use facts::grounds;
use figures::{minute, percent};
use signal::Wording;
use way_back::way_back;

pub(crate) use case::Case;
pub(crate) use facts::record;

/// A decision in sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What was decided.
    pub headline: String,
    /// On what grounds, a sentence each.
    pub grounds: Vec<String>,
    /// How all others fare; `None` where nothing was held against them.
    pub comparison: Option<String>,
    /// Which mail was left out, and why.
    pub set_aside: Vec<String>,
    /// What would bring the customer back.
    pub way_back: String,
    /// Plain paragraphs that the customer can be sent.
    pub for_the_customer: String,
}

/// Tells a decision by what it says itself: the log is not read, and nothing is derived or counted again.
///
/// `history` is what was decided about the customer before, as far as it is known; `policy` gives the words for the rule, the
/// stages and the way back; `standing` is where the customer stands behind the decision, where that is known.
pub fn tell(decision: &Decision, history: &[Decision], policy: &Arc<Policy>, standing: Option<Standing>) -> Told {
    let order = order(decision, standing.as_ref());
    told(&Case { decision, history, policy, order, standing })
}

/// The person's order behind a decision, as far as the decision tells.
fn order(decision: &Decision, standing: Option<&Standing>) -> Option<Order> {
    match decision.rule.strip_prefix("command:")? {
        "hold" => Some(Order::Hold { until: standing.and_then(|standing| standing.held_until) }),
        "release" => Some(Order::Release { fully: decision.to == Stage::Healthy }),
        "set_stage" => Some(Order::SetStage { stage: decision.to }),
        "exempt" => standing?.exempt_until.map(|until| Order::Exempt { until }),
        "note" => Some(Order::Note),
        _ => None,
    }
}

pub(crate) fn told(case: &Case<'_>) -> Told {
    Told {
        headline: headline(case),
        grounds: grounds(case),
        comparison: comparison(case),
        set_aside: set_aside(case),
        way_back: way_back(case),
        for_the_customer: for_the_customer(case),
    }
}

/// What was decided, in a sentence.
fn headline(case: &Case<'_>) -> String {
    let decision = case.decision;
    let Decision { customer, at, from, to, rule, by, .. } = decision;
    let who = match (case.command(), by) {
        (Some(command), Some(by)) => format!("by {by}'s command `{command}`"),
        (Some(command), None) => format!("by the command `{command}`"),
        (None, _) if case.is_for_the_account() => format!("by the limit {rule}"),
        (None, _) if decision.cause == Some(Cause::PilotPassed) => "after a good day as a pilot".to_owned(),
        (None, _) if decision.cause == Some(Cause::PinEnds) => {
            "as the order that no rule moves it ends soon".to_owned()
        }
        (None, _) if decision.cause == Some(Cause::PinEnded) => {
            "as the order that no rule moves it has ended".to_owned()
        }
        (None, _) => format!("by the rule {rule}"),
    };
    let at = minute(*at);
    let sentence = match case.step() {
        Step::Up => format!("{customer} was moved from {from} to {to} at {at}, {who}"),
        Step::Down => format!("{customer} came down from {from} to {to} at {at}, {who}"),
        Step::Stays => format!("{customer} stays {to} as of {at}, {who}"),
    };
    let end = if case.is_shadow() { " (in shadow: only said, not carried out)." } else { "." };
    sentence + end
}

/// How the others fare; `None` where nothing was held against them, as where a limit is kept that all cross together.
fn comparison(case: &Case<'_>) -> Option<String> {
    let evidence = case.decision.evidence.as_ref().filter(|_| !case.is_for_the_account())?;
    let Evidence { rate, fleet_rate, .. } = evidence;
    let (customer, name) = (&case.decision.customer, Wording::of(&evidence.signal).name);
    let window = figures::window(evidence.window);
    if fleet_rate.get() <= 0.0 {
        return Some(format!("All other customers together had no {name} in the same {window}."));
    }
    let others = percent(fleet_rate.get());
    let times = rate.get() / fleet_rate.get();
    let held = if times >= 1.5 {
        format!("{customer}'s {} is {times:.1} times as much", percent(rate.get()))
    } else {
        format!("{customer} has {}", percent(rate.get()))
    };
    Some(format!("All other customers' {name} in the same {window}: {others}; {held}."))
}

/// Which mail was left out.
fn set_aside(case: &Case<'_>) -> Vec<String> {
    let aside = case.decision.evidence.iter().flat_map(|evidence| &evidence.set_aside);
    let sentence = |aside: &model::SetAside| {
        let mails = count(aside.mails, "mail", "mails");
        let (from, until) = (minute(aside.from), minute(aside.until));
        let whose = facts::blamed(aside.blame);
        format!("{mails} to {} sent from {from} to before {until}: {whose}.", provider(aside.provider))
    };
    aside.map(sentence).collect()
}

fn provider(provider: model::Provider) -> &'static str {
    match provider {
        model::Provider::Other => "other providers",
        named => named.name(),
    }
}

/// The bad events and the mails, for example `31 of 402`.
fn share(evidence: &Evidence) -> String {
    format!("{} of {}", thousands(evidence.numerator), thousands(evidence.denominator))
}

/// What a stage is for its customer.
fn is_free(stage: Stage) -> bool {
    stage <= Stage::Watch
}

#[cfg(test)]
mod tests {
    use model::{CustomerId, DecisionId, Mode, Offset, PartitionId, Position, Timestamp};

    use super::*;

    #[test]
    fn a_persons_order_is_told_from_the_decision_alone() {
        let decision = |rule: &str| Decision {
            id: DecisionId::from_bits(1),
            customer: CustomerId::new("acme").unwrap(),
            at: Timestamp::from_seconds(1_790_000_000),
            from: Stage::Healthy,
            to: Stage::Suspended,
            cause: None,
            phase: None,
            pilot_step: None,
            sending: None,
            mode: Mode::Enforce,
            rule: rule.to_owned(),
            blame: None,
            evidence: None,
            reason: Some("phishing".to_owned()),
            by: Some("ana".to_owned()),
            policy: "sha256:x".to_owned(),
            offset: Position { partition: PartitionId::new(0), offset: Offset::new(7) },
        };
        let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
        let told = |rule| tell(&decision(rule), &[], &policy, None);
        let set = told("command:set_stage");
        assert!(set.headline.contains("acme was moved from healthy to suspended"), "{}", set.headline);
        assert_eq!(
            set.grounds,
            [
                "ana gave the command `set_stage`: put the customer to suspended and hold it there.",
                "The reason given: phishing"
            ]
        );
        assert!(set.way_back.contains("release"), "{}", set.way_back);
        assert_eq!(told("command:set_phase").grounds[0], "ana gave the command `set_phase`.");
    }
}
