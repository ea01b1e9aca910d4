//! Decisions in sentences.

mod customer;
mod facts;
pub(crate) mod figures;
mod signal;
mod way_back;

use std::sync::Arc;

use model::figures::{count, thousands};
use model::{Decision, Evidence, Millis, Mode, Order, Stage};
use policy::{Policy, Rule};

use figures::{minute, percent};
use signal::Wording;

pub(crate) use customer::for_the_customer;
pub(crate) use facts::facts;
pub(crate) use way_back::way_back;

/// What is put into words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) decision: &'a Decision,
    /// What was decided about the customer before, oldest first.
    pub(crate) history: &'a [Decision],
    /// The policy at hand; perhaps not the decision's.
    pub(crate) policy: &'a Arc<Policy>,
    /// The person's order, where one brought it about and the log still holds it.
    pub(crate) order: Option<Order>,
}

/// What kind of step a decision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Up,
    Down,
    Stays,
}

impl Case<'_> {
    fn step(&self) -> Step {
        match self.decision.to.cmp(&self.decision.from) {
            std::cmp::Ordering::Greater => Step::Up,
            std::cmp::Ordering::Less => Step::Down,
            std::cmp::Ordering::Equal => Step::Stays,
        }
    }

    /// The decision's rule; `None` for commands and `calm`, and where the policy at hand has none of that name.
    fn rule(&self) -> Option<&Rule> {
        self.policy.rules().iter().find(|rule| rule.name == self.decision.rule)
    }

    /// How long the customer must be calm at `stage` before it comes down: longer after earlier offences, and long enough
    /// for the bad events of its mail to come. `None` where only a person brings it down.
    fn dwell(&self, stage: Stage) -> Option<Millis> {
        let Self { decision, history, policy, .. } = self;
        let is_offence = |earlier: &&Decision| {
            earlier.evidence.is_some()
                && earlier.mode == decision.mode
                && earlier.to >= Stage::Throttled
                && earlier.from < Stage::Throttled
        };
        let offences = history.iter().chain([*decision]).filter(is_offence).map(|earlier| earlier.at);
        let offences: Vec<_> = offences.collect();
        let dwell = policy.dwell_of(stage, &offences, decision.at)?;
        let holding = policy.rules().iter().filter(|rule| rule.stage >= stage);
        Some(holding.map(|rule| policy.maturity(rule.signal)).fold(dwell, Millis::max))
    }

    /// The name of a person's order.
    fn command(&self) -> Option<&str> {
        self.decision.rule.strip_prefix("command:")
    }

    fn is_shadow(&self) -> bool {
        self.decision.mode == Mode::Shadow
    }
}

/// What was decided, in a sentence.
pub(crate) fn headline(case: &Case<'_>) -> String {
    let Decision { customer, at, from, to, rule, by, .. } = case.decision;
    let who = match (case.command(), by) {
        (Some(command), Some(by)) => format!("by {by}'s command `{command}`"),
        (Some(command), None) => format!("by the command `{command}`"),
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

/// How the others fare.
pub(crate) fn comparison(case: &Case<'_>) -> Option<String> {
    let evidence = case.decision.evidence.as_ref()?;
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
pub(crate) fn set_aside(case: &Case<'_>) -> Vec<String> {
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
