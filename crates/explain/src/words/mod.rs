//! Decisions in sentences.

mod case;
mod customer;
mod facts;
pub(crate) mod figures;
mod signal;
mod way_back;

use model::figures::{count, thousands};
use model::{Decision, Evidence, Stage};

use case::Step;
use figures::{minute, percent};
use signal::Wording;

pub(crate) use case::Case;
pub(crate) use customer::for_the_customer;
pub(crate) use facts::facts;
pub(crate) use way_back::way_back;

/// What was decided, in a sentence.
pub(crate) fn headline(case: &Case<'_>) -> String {
    let Decision { customer, at, from, to, rule, by, .. } = case.decision;
    let who = match (case.command(), by) {
        (Some(command), Some(by)) => format!("by {by}'s command `{command}`"),
        (Some(command), None) => format!("by the command `{command}`"),
        (None, _) if case.is_for_the_account() => format!("by the limit {rule}"),
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
pub(crate) fn comparison(case: &Case<'_>) -> Option<String> {
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
