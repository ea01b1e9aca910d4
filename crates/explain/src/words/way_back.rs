//! What would bring the customer back.

use std::collections::BTreeMap;

use model::figures::list;
use model::{Order, Stage, Window};
use policy::Signal;

use super::figures::{minute, percent, span};
use super::{Case, Wording, figures};

/// What would bring the customer back from where the decision put it.
pub(crate) fn way_back(case: &Case<'_>) -> String {
    let stage = case.decision.to;
    match (case.command(), case.order) {
        (Some("hold" | "set_stage"), _) if stage == Stage::Healthy => {
            "It is held there: no rule moves it until a person gives the command `release`.".to_owned()
        }
        (Some("hold" | "set_stage"), _) => {
            "A person only: it is held until the command `release` brings it back to healthy.".to_owned()
        }
        (_, Some(Order::Exempt { until })) => {
            format!("Rules move it up again from {} on; {}", minute(until), by_itself(case))
        }
        _ if stage == Stage::Healthy => "Nothing holds it: it sends freely.".to_owned(),
        _ => by_itself(case),
    }
}

/// The step down that time brings, where it does.
fn by_itself(case: &Case<'_>) -> String {
    let stage = case.decision.to;
    match case.dwell(stage) {
        None if stage == Stage::Healthy => "nothing holds it.".to_owned(),
        None => format!("A person only: from {stage} no time brings it back, but the command `release` does."),
        Some(dwell) => format!(
            "It comes down to {} once all of these have stayed so for {}: {}. The command `release` brings it back at once.",
            stage.milder(),
            span(dwell),
            limits(case)
        ),
    }
}

/// The exits of all rules that can hold the customer: the strictest of each signal and window, those that are alike
/// together.
fn limits(case: &Case<'_>) -> String {
    let mut exits: BTreeMap<(Signal, Window), f64> = BTreeMap::new();
    for rule in case.policy.rules().iter().filter(|rule| rule.stage >= case.decision.to) {
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
