//! What would bring the customer back.

use std::collections::BTreeMap;

use model::figures::{list, thousands};
use model::{Stage, Window};
use policy::Signal;

use super::figures::{minute, percent, span};
use super::{Case, Wording, figures};

/// What would bring the customer back from where the decision put it.
pub(crate) fn way_back(case: &Case<'_>) -> String {
    let stage = case.decision.to;
    let way = match (case.is_held(), stage) {
        (true, Stage::Healthy) => {
            "It is held there: no rule moves it until a person gives the command `release`.".to_owned()
        }
        (true, _) => "A person only: it is held until the command `release` brings it one stage down, or back to healthy where that is meant fully.".to_owned(),
        (false, Stage::Healthy) => free(case),
        (false, _) => by_itself(case),
    };
    match case.exempt_until().filter(|_| !case.is_held()) {
        Some(until) => format!("{way} It is exempt: no rule moves it up before {}.", minute(until)),
        None => way,
    }
}

fn free(case: &Case<'_>) -> String {
    match case.daily_cap() {
        Some(cap) => format!("Nothing holds it: as a pilot customer it sends at most {} mails a day.", thousands(cap)),
        None => "Nothing holds it: it sends freely.".to_owned(),
    }
}

/// The step down that time brings, where it does.
fn by_itself(case: &Case<'_>) -> String {
    let stage = case.decision.to;
    match case.dwell(stage) {
        Some(dwell) => format!(
            "It comes down to {} once all of these have stayed so for {}: {}. The command `release` takes the next step at once.",
            stage.milder(),
            span(dwell),
            limits(case)
        ),
        None => format!("A person only: from {stage} no time brings it back, but the command `release` does."),
    }
}

/// The exits of all rules that can hold the customer: the strictest of each signal and window, those that are alike
/// together.
fn limits(case: &Case<'_>) -> String {
    let mut exits: BTreeMap<(Signal, Window), f64> = BTreeMap::new();
    for rule in case.holding(case.decision.to) {
        let exit = exits.entry((rule.signal, rule.window)).or_insert(rule.exit);
        *exit = exit.min(rule.exit);
    }
    let mut alike: BTreeMap<(Signal, String), Vec<&str>> = BTreeMap::new();
    for ((signal, window), exit) in exits {
        alike.entry((signal, percent(exit))).or_default().push(figures::over(window));
    }
    let limit = |((signal, exit), windows): (&(Signal, String), &Vec<&str>)| {
        format!("{} below {exit} over {}", Wording::of(signal.name()).name, list(windows))
    };
    alike.iter().map(limit).collect::<Vec<_>>().join("; ")
}
