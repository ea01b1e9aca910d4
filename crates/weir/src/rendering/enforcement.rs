//! How enforcement is, what awaits a person, and what was taken back.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::{Broken, CaseView, EnforcerModes, HeldWhy, Stage, Switch, Timestamp};
use serde::Deserialize;

use super::{Look, moment};

/// How the enforcer is.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) modes: Option<EnforcerModes>,
    pub(crate) paused: bool,
    pub(crate) switch: Option<Switch>,
    pub(crate) breaker: Option<Broken>,
    missing_scopes: BTreeMap<String, Vec<String>>,
    pub(crate) held_back: BTreeMap<HeldWhy, usize>,
    in_force: usize,
    /// Who is held back; asked for apart.
    #[serde(default)]
    held: Vec<CaseView>,
}

impl Status {
    /// Why nothing is changed at SendGrid just now, in words.
    pub(crate) fn stopped_by(&self) -> Option<String> {
        let switch = self.switch.as_ref().filter(|switch| switch.paused);
        let pause = switch.map(|Switch { by, reason, .. }| {
            format!("{by} has paused enforcement ({reason}): SendGrid is not changed until it is resumed")
        });
        let broken = || {
            self.breaker
                .as_ref()
                .map(|broken| format!("SendGrid fails just now ({}): it is done once it answers", broken.reason))
        };
        pause.or_else(broken)
    }
}

/// The whole of it.
pub(crate) fn status(status: &Status, look: &Look) -> String {
    let mut text = match &status.modes {
        Some(modes) => format!("mode: {modes}\n"),
        None => "No enforcer has told how it is: does one run?\n".to_owned(),
    };
    if let Some(Switch { by, reason, at, .. }) = &status.switch {
        let state = if status.paused { look.alarming("PAUSED") } else { "resumed".to_owned() };
        text += &format!("{state} by {by} at {}: {reason}\n", moment(*at));
    }
    if let Some(broken) = &status.breaker {
        let fails = look.alarming("SendGrid fails");
        text += &format!("{fails} since {}: {}\n", moment(broken.since), broken.reason);
    }
    for (use_, scopes) in &status.missing_scopes {
        text += &format!("the API key lacks for {use_}: {}\n", scopes.join(", "));
    }
    text += &format!("{} customers are where Weir has put them\n", status.in_force);
    for (why, customers) in &status.held_back {
        text += &format!("held back for {}: {customers}\n", why.name());
    }
    let held = status.held.iter().filter_map(|case| Some((case, case.held.as_ref()?)));
    for (CaseView { customer, stage, .. }, held) in held {
        text += &format!("  {customer} ({stage}), since {}: {}\n", moment(held.since), held.reason);
    }
    text
}

/// What the API answers of what awaits a person.
#[derive(Debug, Deserialize)]
pub(crate) struct Approval {
    customer: String,
    stage: Stage,
    decision: String,
    finding: Option<String>,
    sent_24h: u32,
    expires: Option<Timestamp>,
}

/// Each with what it rests on, and how it is named in an answer.
pub(crate) fn approvals(approvals: &[Approval], look: &Look) -> String {
    if approvals.is_empty() {
        return "Nothing awaits approval.\n".to_owned();
    }
    let mut text = String::new();
    for Approval { customer, stage, decision, finding, sent_24h, expires } in approvals {
        let expires = expires.map(|expires| format!("; expires {}", moment(expires))).unwrap_or_default();
        let finding = finding.as_ref().map(|finding| format!("  {finding}\n")).unwrap_or_default();
        let to = look.stage_word(*stage);
        // Writing to a string can't fail.
        let _unfailing =
            write!(text, "{customer}: to {to}; {sent_24h} mails in 24 h{expires}\n{finding}  decision {decision}\n");
    }
    text
}

/// What was taken back, all steps together.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Undone {
    undone: Vec<Back>,
    held: Vec<String>,
    moved_on: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Back {
    customer: String,
    from: Stage,
    to: Stage,
}

/// Who goes back, and who is left alone and why.
pub(crate) fn undone(undone: &Undone, done: &str) -> String {
    let mut text = String::new();
    for Back { customer, from, to } in &undone.undone {
        text += &format!("{customer}: {from} -> {to}\n");
    }
    for customer in &undone.held {
        text += &format!("{customer}: a person holds it where it is; release it by hand\n");
    }
    for customer in &undone.moved_on {
        text += &format!(
            "{customer}: another rule has moved it further up since; take that one back, or release it by hand\n"
        );
    }
    text + &format!("{} customers {done}.\n", undone.undone.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples;
    use super::*;

    #[test]
    fn who_has_paused_is_told_and_who_is_held_back() {
        let now = samples::plain().now;
        let answer: Status = samples::read(json!({
            "modes": {"default": "approve", "by_stage": {}}, "paused": true,
            "switch": {"paused": true, "by": "ann", "reason": "a false alarm?", "at": now},
            "breaker": {"since": now, "reason": "503"}, "missing_scopes": {"subusers": ["subusers.update"]},
            "held_back": {"approval": 2, "paused": 1}, "in_force": 7,
            "held": [{"customer": "acme", "stage": "suspended", "held": {"why": "paused", "reason": "ann has paused", "decision": null, "since": now}}],
        }));
        let expected = "\
mode: approve
PAUSED by ann at 2026-11-23T12:00:00Z: a false alarm?
SendGrid fails since 2026-11-23T12:00:00Z: 503
the API key lacks for subusers: subusers.update
7 customers are where Weir has put them
held back for approval: 2
held back for paused: 1
  acme (suspended), since 2026-11-23T12:00:00Z: ann has paused
";
        assert_eq!(status(&answer, &samples::plain()), expected);
        assert!(answer.stopped_by().unwrap().starts_with("ann has paused enforcement (a false alarm?)"));
    }

    #[test]
    fn what_was_taken_back_is_told_with_who_was_left_alone() {
        let answer: Undone = samples::read(json!({
            "undone": [{"customer": "acme", "from": "quarantined", "to": "healthy"}], "held": ["b"], "moved_on": ["c"],
        }));
        let expected = "\
acme: quarantined -> healthy
b: a person holds it where it is; release it by hand
c: another rule has moved it further up since; take that one back, or release it by hand
1 customers went back.
";
        assert_eq!(undone(&answer, "went back"), expected);
    }
}
