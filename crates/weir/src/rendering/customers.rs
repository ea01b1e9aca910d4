//! Customers as a list.

use model::Standing;
use serde::Deserialize;
use serde_json::Value;

use super::{Look, lines, or_nothing, right};

/// A page of them.
#[derive(Debug, Deserialize)]
pub(crate) struct CustomersPage {
    pub(crate) customers: Vec<Value>,
    /// What to ask for as `after`; nothing at the end.
    #[serde(default)]
    pub(crate) next: Option<Value>,
}

/// A line each, in the order in which they come.
pub(crate) fn table(standings: &[Standing], look: &Look) -> String {
    if standings.is_empty() {
        return "No customer is like that.\n".to_owned();
    }
    let mut table = look.table(&["CUSTOMER", "STAGE", "FOR", "POOL", "CAP", "SENT 24H", "", "RULE"]);
    for standing in standings {
        table.add_row([
            standing.customer.as_str().into(),
            look.stage(standing.stage),
            look.age(standing.since).into(),
            or_nothing(standing.pool.as_ref()).into(),
            or_nothing(standing.daily_cap).into(),
            standing.sent_24h.into(),
            marks(standing, look).into(),
            or_nothing(standing.reasons.first().map(|reason| &reason.rule)).into(),
        ]);
    }
    right(&mut table, [2, 4, 5]);
    lines(&table)
}

/// What else is to be known of it, in words.
pub(super) fn marks(standing: &Standing, look: &Look) -> String {
    let exempt = standing.exempt_until.is_some_and(|until| until > look.now);
    let phase = (standing.phase != model::Phase::Active).then_some(standing.phase.name());
    let marks = [
        phase,
        standing.held.then_some("held"),
        exempt.then_some("exempt"),
        standing.awaits_person.then_some("awaits a person"),
    ];
    marks.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples;
    use super::*;

    #[test]
    fn each_customer_is_a_line() {
        let mut bad = samples::standing("acme & söhne", "quarantined");
        bad["pool"] = json!("poor");
        bad["daily_cap"] = json!(500);
        bad["held"] = json!(true);
        let decision = "4be10000000000000000000000000000";
        bad["reasons"] = json!([{"decision": decision, "rule": "hard-bounce-burst", "text": "31 of 402"}]);
        let mut pilot = samples::standing("new\u{202e}one", "healthy");
        pilot["phase"] = json!("pilot");
        let standings: Vec<Standing> = [bad, pilot].into_iter().map(samples::read).collect();
        let expected = "\
CUSTOMER      STAGE        FOR  POOL  CAP  SENT 24H         RULE
acme & söhne  quarantined   3h  poor  500       402  held   hard-bounce-burst
new\u{fffd}one       healthy       3h  home    -       402  pilot  -
";
        assert_eq!(table(&standings, &samples::plain()), expected);
        assert_eq!(table(&[], &samples::plain()), "No customer is like that.\n");
    }

    #[test]
    fn a_narrow_terminal_is_not_overrun() {
        let standings: Vec<Standing> = vec![samples::read(samples::standing(&"long-".repeat(30), "watch"))];
        let look = Look { width: Some(80), ..samples::plain() };
        let text = table(&standings, &look);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}
