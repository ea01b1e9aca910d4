//! A customer's rates, held against the limits of the policy in force.

use model::{CustomerView, Rate, Window};
use policy::{Fraction, Policy, Signal};

use super::{Look, NOTHING, lines, right};

/// A rate, and the limit that a rule holds it against.
struct Line<'a> {
    signal: Signal,
    window: Window,
    seen: Fraction,
    rule: Option<&'a policy::Rule>,
}

impl Line<'_> {
    fn limit(&self) -> String {
        self.rule.and_then(|rule| Rate::new(rule.enter)).map_or_else(|| NOTHING.to_owned(), |rate| rate.to_string())
    }

    /// What the rule is, and whether the rate is above its limit. That alone convicts nobody: a few mails prove nothing.
    fn told(&self, look: &Look) -> String {
        let Some(rule) = self.rule else { return String::new() };
        let rule_says = format!("{} ({})", rule.name, rule.stage);
        if self.seen.rate() > rule.enter { look.alarming(&format!("above: {rule_says}")) } else { rule_says }
    }
}

/// A line for each rate that a rule looks at, or for each that is not zero where the policy is not known.
pub(super) fn table(view: &CustomerView, policy: Option<&Policy>, look: &Look) -> String {
    let shown: Vec<_> = match policy {
        Some(policy) => policy
            .rules_for(view.standing.phase)
            .iter()
            .map(|rule| line(view, rule.signal, rule.window, Some(rule)))
            .filter(|line| line.seen.mails > 0)
            .collect(),
        None => Signal::ALL
            .into_iter()
            .flat_map(|signal| Window::ALL.map(|window| line(view, signal, window, None)))
            .filter(|line| line.seen.hits > 0)
            .collect(),
    };
    if shown.is_empty() {
        return "No mail that a rule looks at.\n".to_owned();
    }
    let mut table = look.table(&["SIGNAL", "WINDOW", "BAD", "OF", "RATE", "LIMIT", "RULE"]);
    for line in &shown {
        table.add_row([
            line.signal.name().replace('_', " "),
            line.window.name().to_owned(),
            line.seen.hits.to_string(),
            line.seen.mails.to_string(),
            Rate::of(line.seen.hits, line.seen.mails).to_string(),
            line.limit(),
            line.told(look),
        ]);
    }
    right(&mut table, 2..=5);
    lines(&table)
}

fn line<'a>(view: &CustomerView, signal: Signal, window: Window, rule: Option<&'a policy::Rule>) -> Line<'a> {
    let parts = view
        .providers
        .iter()
        .filter_map(|(provider, windows)| windows.get(&window).map(|counts| signal.fraction(*provider, counts)));
    Line { signal, window, seen: parts.fold(Fraction::default(), Fraction::plus), rule }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples;
    use super::*;

    fn view() -> CustomerView {
        let mut view = samples::standing("acme", "healthy");
        let counts = json!({"processed": 402, "delivered": 371, "hard_bounce": 31, "spam_report": 5});
        view["windows"] = json!({"1h": counts, "24h": counts});
        view["providers"] = json!({"gmail": {"1h": counts, "24h": counts}});
        samples::read(view)
    }

    #[test]
    fn each_rule_has_its_rate_and_its_limit() {
        let (_, standard) = policy::PROFILES.into_iter().find(|(name, _)| *name == "standard").unwrap();
        let policy = Policy::parse(standard).unwrap();
        let text = table(&view(), Some(&policy), &samples::plain());
        let bounces = policy.rules().iter().filter(|rule| rule.signal == Signal::HardBounce);
        for rule in bounces.filter(|rule| matches!(rule.window, Window::Hour | Window::Day)) {
            let line = text.lines().find(|line| line.contains(&rule.name)).unwrap();
            let rate = line.contains("31") && line.contains("402") && line.contains("7.71 %");
            assert!(rate && line.contains(&Rate::new(rule.enter).unwrap().to_string()), "{line}");
            assert_eq!(line.contains("above: "), rule.enter < 31.0 / 402.0, "{line}");
        }
        assert!(!text.contains("spam report"), "gmail reports no complaints:\n{text}");
    }

    #[test]
    fn without_a_policy_what_is_not_zero_is_shown() {
        let text = table(&view(), None, &samples::plain());
        let line = text.lines().nth(1).unwrap();
        let cells: Vec<_> = line.split_whitespace().collect();
        assert_eq!(cells, ["hard", "bounce", "1h", "31", "402", "7.71", "%", "-"]);
        assert!(!text.contains("deferral"), "{text}");
    }
}
