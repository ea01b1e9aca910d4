//! Decisions, one after the other.

use model::{Decision, Mode};
use serde::Deserialize;
use serde_json::Value;

use super::{Look, moment};

/// A page of them.
#[derive(Debug, Deserialize)]
pub(crate) struct DecisionsPage {
    pub(crate) decisions: Vec<Value>,
    /// What to ask for as `after` to go on.
    pub(crate) next: String,
}

/// Two lines: what was decided, and on what it rests.
pub(crate) fn two_lines(decision: &Decision, look: &Look) -> String {
    let Decision { id, customer, .. } = decision;
    format!("{} {customer}: {}\n    {}\n    decision {id}\n", moment(decision.at), what(decision, look), why(decision))
}

/// What was decided, and by what.
pub(super) fn what(decision: &Decision, look: &Look) -> String {
    let Decision { from, to, rule, .. } = decision;
    let moved = if from == to {
        format!("stays {}", look.stage_word(*to))
    } else {
        format!("{} -> {}", look.stage_word(*from), look.stage_word(*to))
    };
    let shadow = if decision.mode == Mode::Shadow { " (only said)" } else { "" };
    format!("{moved} by {rule}{shadow}")
}

/// On what it rests: figures, or a person's words.
pub(super) fn why(decision: &Decision) -> String {
    match (&decision.evidence, &decision.by) {
        (Some(evidence), _) => evidence.to_string(),
        (None, Some(by)) => format!("{by}: {}", decision.reason.as_deref().unwrap_or_default()),
        (None, None) => decision.reason.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples;
    use super::*;

    #[test]
    fn a_rules_decision_has_its_figures_and_a_persons_its_words() {
        let decision: Decision = samples::read(samples::decision("acme"));
        let expected = "\
2026-11-23T09:00:00Z acme: healthy -> quarantined by hard-bounce-burst
    hard bounce 31 of 402 in 1h = 7.71 % (at least 5.53 %, limit 5.00 %, others 0.90 %)
    decision 4be10000000000000000000000000000
";
        assert_eq!(two_lines(&decision, &samples::plain()), expected);
        let mut order = samples::order("acme");
        order["mode"] = json!("shadow");
        order["reason"] = json!("a \u{1b}[31mred\u{1b}[0m\nword");
        let expected = "\
2026-11-23T11:00:00Z acme: stays quarantined by command:hold (only said)
    ann: a ?[31mred?[0m word
    decision 4be10000000000000000000000000001
";
        assert_eq!(two_lines(&samples::read(order), &samples::plain()), expected);
    }
}
