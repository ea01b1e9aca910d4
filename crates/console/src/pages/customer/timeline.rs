//! What was decided about a customer and what was done, in one list, the newest first.

use maud::{Markup, html};
use model::{DecisionId, Timestamp};
use serde::Deserialize;

use super::Customer;
use crate::index::{Acted, Decided};
use crate::pages::{parts, words};

/// A call to SendGrid, or why there was none, as far as it is shown.
#[derive(Debug, Deserialize)]
struct Action {
    at: Timestamp,
    outcome: String,
    request: Option<serde_json::Value>,
    reason: Option<String>,
    decision: Option<DecisionId>,
}

/// One thing that happened.
enum Entry<'a> {
    Decided(&'a Decided),
    Done(Action),
}

impl Entry<'_> {
    const fn at(&self) -> Timestamp {
        match self {
            Self::Decided(decided) => decided.decision.at,
            Self::Done(action) => action.at,
        }
    }
}

pub(super) fn timeline(customer: &Customer) -> Markup {
    let decided = customer.history.iter().map(|decided| Entry::Decided(decided));
    let done = customer.actions.iter().filter_map(|acted| action(acted)).map(Entry::Done);
    let mut entries: Vec<_> = decided.chain(done).collect();
    // Calls are made after the decision that they serve, often within the tick that dates it.
    entries.sort_by_key(|entry| (entry.at(), matches!(entry, Entry::Done(_))));
    html! {
        section aria-labelledby="timeline" {
            h2 id="timeline" { "Timeline" }
            @if entries.is_empty() { (parts::nothing("Nothing was ever decided or done about it.")) }
            ol class="decisions timeline" { @for entry in entries.iter().rev() { (row(entry, customer.now)) } }
        }
    }
}

fn action(acted: &Acted) -> Option<Action> {
    serde_json::from_value(acted.action.clone()).ok()
}

fn row(entry: &Entry<'_>, now: Timestamp) -> Markup {
    match entry {
        Entry::Decided(decided) => {
            let decision = &decided.decision;
            html! {
                li class="decision" {
                    a class="when" href=(parts::decision_path(decision)) { span class="unseen" { "Why: decision " } (parts::ago(decision.at, now)) }
                    span class="what" { (parts::step(decision)) }
                    span class="why" { (parts::why(decision)) }
                }
            }
        }
        Entry::Done(action) => html! {
            li class="decision" {
                span class="when" { (parts::ago(action.at, now)) }
                span class="what" { span class="tag" { "SendGrid" } " " (words::outcome(&action.outcome)) }
                span class="why" {
                    @if let Some(request) = &action.request { bdi { (words::call(request)) } ". " }
                    @if let Some(reason) = &action.reason { bdi { (words::sentence(reason)) } " " }
                    @if let Some(decision) = &action.decision { a href={ "/decisions/" (decision) } { "For this decision" } }
                }
            }
        },
    }
}
