//! One customer: where it stands and why, its rates against the limits, its mail by provider, its history, and what was done.

use std::fmt::Write as _;

use model::{AccountStatusChange, CaseView, Counter, CustomerView, Decision, Standing, Timestamp, Window};
use policy::Policy;
use serde::Deserialize;
use serde_json::Value;

use super::{Look, decisions, limits, lines, moment, or_nothing, right};

/// What the API answers.
#[derive(Debug, Deserialize)]
pub(crate) struct CustomerAnswer {
    #[serde(flatten)]
    pub(crate) view: CustomerView,
    /// Oldest first.
    history: Vec<Decision>,
    /// Oldest first.
    actions: Vec<Action>,
    enforcement: Option<CaseView>,
    #[serde(default)]
    account_status: Option<AccountStatusChange>,
}

/// A call to SendGrid, or why there was none.
#[derive(Debug, Deserialize)]
struct Action {
    at: Timestamp,
    outcome: String,
    request: Option<Value>,
    reason: Option<String>,
}

/// Decisions and actions that are shown; the API and `--json` have more.
const SHOWN: usize = 10;

/// All that is known of it. The policy is that in force, where it is known.
pub(crate) fn page(answer: &CustomerAnswer, policy: Option<&Policy>, look: &Look) -> String {
    let view = &answer.view;
    let mut text = head(&view.standing, look);
    if let Some(change) = answer.account_status.as_ref().filter(|change| change.status.is_restricted()) {
        let did = look.alarming(&format!("SendGrid {} its subuser", change.status.verb()));
        text += &format!(
            "{did} at {} ({}): only SendGrid makes it active again\n",
            moment(change.at),
            change.status.name()
        );
    }
    if let Some(case) = &answer.enforcement {
        text += &enforcement(case, look);
    }
    section(&mut text, look, "Why it is there", &reasons(&view.standing));
    section(&mut text, look, "Rates against the limits", &limits::table(view, policy, look));
    section(&mut text, look, "Mail", &counts(view, look));
    section(&mut text, look, "By provider, 24 hours", &providers(view, look));
    section(&mut text, look, "History, latest first", &history(&answer.history, look));
    section(&mut text, look, "At SendGrid, latest first", &actions(&answer.actions));
    text
}

fn section(text: &mut String, look: &Look, heading: &str, what: &str) {
    if !what.is_empty() {
        // Writing to a string can't fail.
        let _unfailing = write!(text, "\n{}\n{what}", look.heading(heading));
    }
}

fn head(standing: &Standing, look: &Look) -> String {
    let Standing { customer, stage, since, .. } = standing;
    let pool = standing.pool.as_ref().map(|pool| format!(", through pool {pool}")).unwrap_or_default();
    let mut text = format!(
        "{}: {} since {} ({})\nphase {}, may send {}{pool}; {} mails in 24 h\n",
        look.heading(customer.as_str()),
        look.stage_word(*stage),
        moment(*since),
        look.age(*since),
        standing.phase,
        standing.sending,
        standing.sent_24h
    );
    if standing.held {
        let end = standing.held_until.map_or_else(|| "it is released".to_owned(), moment);
        text += &format!("held there by a person: no rule moves it until {end}\n");
    }
    if let Some(until) = standing.exempt_until.filter(|until| *until > look.now) {
        text += &format!("exempt until {}: no rule moves it up\n", moment(until));
    }
    if standing.awaits_person {
        text += "its offences are many: only a person brings it down\n";
    }
    text
}

fn enforcement(case: &CaseView, look: &Look) -> String {
    let in_force = case.in_force.as_ref().map_or_else(String::new, |force| {
        let through = force.pool.as_ref().map(|pool| format!(", pool {pool}")).unwrap_or_default();
        format!("let through: {} since {}{through}\n", look.stage_word(force.stage), moment(force.since))
    });
    let held = case.held.as_ref().map_or_else(String::new, |held| {
        let why = look.alarming(&format!("held back ({})", held.why.name()));
        format!("{why} since {}: {}\n", moment(held.since), held.reason)
    });
    in_force + &held
}

fn reasons(standing: &Standing) -> String {
    let line = |reason: &model::Reason| format!("{}: {}\n  decision {}\n", reason.rule, reason.text, reason.decision);
    standing.reasons.iter().map(line).collect()
}

/// A row a kind of event, a column a window.
fn counts(view: &CustomerView, look: &Look) -> String {
    let mut table = look.table(&["EVENTS", "1h", "24h", "7d", "30d"]);
    for counter in Counter::ALL {
        let counts = Window::ALL.map(|window| view.windows.get(&window).map_or(0, |counts| counts[counter]));
        if counts.iter().any(|count| *count > 0) {
            let name = counter.name().replace('_', " ");
            table.add_row(std::iter::once(name).chain(counts.map(|count| count.to_string())));
        }
    }
    right(&mut table, 1..=4);
    if table.is_empty() { "None in 30 days.\n".to_owned() } else { lines(&table) }
}

/// What is told of a provider, and of a pool.
pub(super) const COLUMNS: [Counter; 6] = [
    Counter::Processed,
    Counter::Delivered,
    Counter::HardBounce,
    Counter::Block,
    Counter::FirstDeferral,
    Counter::SpamReport,
];

fn providers(view: &CustomerView, look: &Look) -> String {
    let mut table = look.table(&["PROVIDER", "PROCESSED", "DELIVERED", "BOUNCED", "BLOCKED", "DEFERRED", "COMPLAINTS"]);
    for (provider, windows) in &view.providers {
        if let Some(counts) = windows.get(&Window::Day).filter(|counts| !counts.is_zero()) {
            let figures = COLUMNS.map(|counter| counts[counter].to_string());
            table.add_row(std::iter::once(provider.name().to_owned()).chain(figures));
        }
    }
    right(&mut table, 1..=6);
    if table.is_empty() { String::new() } else { lines(&table) }
}

fn history(history: &[Decision], look: &Look) -> String {
    let told = |decision: &Decision| {
        let (what, why) = (decisions::what(decision, look), decisions::why(decision));
        format!("{} {what}\n  {why}\n  decision {}\n", moment(decision.at), decision.id)
    };
    let older = history.len().saturating_sub(SHOWN);
    history.iter().rev().take(SHOWN).map(told).collect::<String>() + &more(older)
}

fn actions(actions: &[Action]) -> String {
    let older = actions.len().saturating_sub(SHOWN);
    actions.iter().rev().take(SHOWN).map(action).collect::<String>() + &more(older)
}

fn more(older: usize) -> String {
    if older == 0 { String::new() } else { format!("and {older} older ones: --json shows them\n") }
}

fn action(action: &Action) -> String {
    let call = action.request.as_ref().map(|request| format!(" {}", call(request))).unwrap_or_default();
    let reason = action.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} {}{call}{reason}\n", moment(action.at), action.outcome.replace('_', " "))
}

/// The call's name, and with what.
fn call(request: &Value) -> String {
    let bare = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            values.iter().map(|value| value.as_str().unwrap_or_default()).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    };
    let members = request.as_object().into_iter().flatten().filter(|(name, _)| *name != "call");
    let with: Vec<_> = members.map(|(name, value)| format!("{name}={}", bare(value))).collect();
    format!("{} {}", or_nothing(request["call"].as_str()), with.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples;
    use super::*;

    fn answer() -> Value {
        let mut answer = samples::standing("acme", "quarantined");
        let counts = json!({"processed": 402, "delivered": 371, "hard_bounce": 31});
        answer["windows"] = json!({"1h": {}, "24h": counts, "7d": counts, "30d": counts});
        answer["providers"] = json!({"gmail": {"24h": counts}, "yahoo": {"24h": {}}});
        answer["held"] = json!(true);
        let decision = samples::decision("acme")["id"].clone();
        answer["reasons"] = json!([{"decision": decision, "rule": "hard-bounce-burst", "text": "31 of 402 bounced"}]);
        answer["history"] = json!([samples::decision("acme"), samples::order("acme")]);
        answer["actions"] = json!([{
            "customer": "acme", "at": samples::plain().now, "stage": "quarantined", "decision": null, "outcome": "held_back",
            "why": "paused", "reason": "ann has paused", "request": {"call": "set_subuser_ips", "subuser": "acme", "ips": ["10.0.0.1", "10.0.0.2"]},
        }]);
        answer["enforcement"] = json!({
            "customer": "acme", "stage": "quarantined", "in_force": null,
            "held": {"why": "paused", "reason": "ann has paused", "decision": null, "since": samples::plain().now},
        });
        answer
    }

    #[test]
    fn the_whole_of_a_customer() {
        let text = page(&samples::read(answer()), None, &samples::plain());
        let expected = "\
acme: quarantined since 2026-11-23T09:00:00Z (3h)
phase active, may send everything, through pool home; 402 mails in 24 h
held there by a person: no rule moves it until it is released
held back (paused) since 2026-11-23T12:00:00Z: ann has paused

Why it is there
hard-bounce-burst: 31 of 402 bounced
  decision 4be10000000000000000000000000000

Rates against the limits
SIGNAL       WINDOW  BAD   OF    RATE  LIMIT  RULE
hard bounce  24h      31  402  7.71 %      -

Mail
EVENTS       1h  24h   7d  30d
processed     0  402  402  402
delivered     0  371  371  371
hard bounce   0   31   31   31

By provider, 24 hours
PROVIDER  PROCESSED  DELIVERED  BOUNCED  BLOCKED  DEFERRED  COMPLAINTS
gmail           402        371       31        0         0           0

History, latest first
2026-11-23T11:00:00Z stays quarantined by command:hold
  ann: looking into it
  decision 4be10000000000000000000000000001
2026-11-23T09:00:00Z healthy -> quarantined by hard-bounce-burst
  hard bounce 31 of 402 in 1h = 7.71 % (at least 5.53 %, limit 5.00 %, others 0.90 %)
  decision 4be10000000000000000000000000000

At SendGrid, latest first
2026-11-23T12:00:00Z held back set_subuser_ips ips=10.0.0.1,10.0.0.2 subuser=acme: ann has paused
";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_too_much_to_be_read_is_counted() {
        let mut answer = answer();
        answer["history"] = (0..SHOWN + 3).map(|_| samples::decision("acme")).collect();
        let text = page(&samples::read(answer), None, &samples::plain());
        assert!(text.contains("and 3 older ones"), "{text}");
    }
}
