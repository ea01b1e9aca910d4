//! What a rule did is taken back: first it is shown whom that would move, then it is done.

use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use model::figures::{count, thousands};
use model::{CustomerId, Timestamp};
use serde::Deserialize;

use super::view;
use crate::acts::undo::Back;
use crate::acts::{self, UndoWanted, Undone, Words};
use crate::admin::Admin;
use crate::pages::faults::Fault;
use crate::pages::forms::{self, Signature};
use crate::pages::shell::{self, Place};
use crate::pages::visit::{Done, Visit};
use crate::pages::{parts, words};
use crate::problem::Problem;

/// Customers that are moved at once: as many as a step may have.
const STEP: usize = 1_000;
/// Customers that are named.
const NAMED: usize = 50;

/// What is to be taken back.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::pages) struct Wish {
    rule: String,
    since: String,
}

/// The same, and why.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::pages) struct Signed {
    rule: String,
    since: String,
    #[serde(flatten)]
    signature: Signature,
}

/// Answers `/activity/undo`: whom it would move.
pub(in crate::pages) async fn ask(
    State(admin): State<Admin>,
    visit: Visit,
    Query(Wish { rule, since }): Query<Wish>,
) -> Result<Response, Fault> {
    let fault = Fault::of(&visit);
    let since = moment(&since).map_err(&fault)?;
    let wanted = UndoWanted { rule: rule.clone(), since, limit: None, dry_run: true };
    let found = acts::undo(&admin, &visit.caller, wanted, Words::own("to look")).await.map_err(&fault)?;
    let body = asked(&visit, (&rule, since), &found);
    Ok(shell::page(&visit, Place::Activity, "Take back what a rule did", &body).into_response())
}

/// Answers `POST /activity/undo`: a step of it.
pub(in crate::pages) async fn take_back(
    State(admin): State<Admin>,
    visit: Visit,
    Form(Signed { rule, since, signature }): Form<Signed>,
) -> Result<Response, Fault> {
    let fault = Fault::of(&visit);
    let since = moment(&since).map_err(&fault)?;
    let wanted = UndoWanted { rule: rule.clone(), since, limit: Some(STEP), dry_run: false };
    let words = signature.clone().words(&visit);
    let done = acts::undo(&admin, &visit.caller, wanted, words).await.map_err(&fault)?;
    let is_over = done.left == 0 && done.pending.is_empty();
    let stays_nobody = done.held.is_empty() && done.moved_on.is_empty();
    if is_over && stays_nobody && !done.undone.is_empty() {
        return Ok(forms::back("/activity", Done::Undone));
    }
    let title = if is_over && done.undone.is_empty() { "Nobody was moved" } else { "Taken back in part" };
    let body = half_done(&visit, (&rule, since, &signature), (title, &done));
    Ok(shell::page(&visit, Place::Activity, title, &body).into_response())
}

/// A moment in UTC, as forms send it, or as the API has it.
pub(in crate::pages) fn moment(text: &str) -> Result<Timestamp, Problem> {
    let seconds = if text.len() == "2026-11-23T10:00".len() { ":00" } else { "" };
    let zone = if text.ends_with('Z') { "" } else { "Z" };
    let moment = format!("{text}{seconds}{zone}").parse();
    moment.map_err(|_| Problem::invalid("since when is to be a moment in UTC, as 2026-11-23T10:00"))
}

fn asked(visit: &Visit, (rule, since): (&str, Timestamp), found: &Undone) -> Markup {
    let moved = found.undone.len();
    html! {
        h1 { "Take back what " bdi { (rule) } " did since " (words::moment(since)) }
        (view::form(rule, since))
        section aria-label="Whom it would move" {
            @if moved == 0 { (parts::nothing("It would move nobody: whom the rule moved since then stands no stricter than before, or not because of it.")) }
            @else {
                p { strong { "It would move " (count(moved, "customer", "customers")) "." } " Their windows begin anew, and their offences since then are forgotten." }
                (backs(&found.undone))
                (go(visit, (rule, since, &Signature::default()), &format!("Take back for {}", count(moved, "customer", "customers"))))
            }
            (left_alone(found))
        }
        p { a href="/activity" { "Leave everything as it is" } }
    }
}

/// What came of a step, where that is not simply all that was asked for.
fn half_done(
    visit: &Visit,
    (rule, since, signature): (&str, Timestamp, &Signature),
    (title, done): (&str, &Undone),
) -> Markup {
    let is_over = done.left == 0 && done.pending.is_empty();
    html! {
        h1 { (title) }
        p {
            (count(done.undone.len(), "customer is", "customers are")) " back where they stood before " bdi { (rule) } " moved them. "
            @if is_over && done.undone.is_empty() { "Whoever else it moved since then stands no stricter than before, or not because of it. " }
            @if !done.pending.is_empty() { (count(done.pending.len(), "customer was", "customers were")) " told to go back and is not seen to be yet: the scorer follows within moments. " }
            @if done.left > 0 { strong { (count(done.left, "customer is", "customers are")) " left." } }
        }
        @if !is_over { (go(visit, (rule, since, signature), "Go on")) }
        (left_alone(done))
        p { a href="/activity" { "To the activity" } }
    }
}

/// The form that does it.
fn go(visit: &Visit, (rule, since, signature): (&str, Timestamp, &Signature), button: &str) -> Markup {
    html! {
        form class="act" method="post" action="/activity/undo" {
            (forms::csrf(visit))
            input type="hidden" name="rule" value=(rule);
            input type="hidden" name="since" value=(since);
            (forms::sign(visit, "Why", signature))
            button class="strong danger" type="submit" { (button) }
        }
    }
}

fn backs(backs: &[Back]) -> Markup {
    let table = html! {
        table {
            caption { "Whom it would move" }
            thead { tr { th scope="col" { "Customer" } th scope="col" { "Stands at" } th scope="col" { "Goes back to" } } }
            tbody { @for back in backs.iter().take(NAMED) { tr {
                th scope="row" { (parts::customer(&back.customer)) }
                td { (parts::stage(back.from)) }
                td { (parts::stage(back.to)) }
            } } }
        }
    };
    html! {
        (parts::scrolling("Whom it would move", &table))
        @if backs.len() > NAMED { p class="soft" { "and " (thousands(backs.len() - NAMED)) " more" } }
    }
}

/// Those whom the rule moved and who stay where they are.
fn left_alone(found: &Undone) -> Markup {
    let named = |customers: &[CustomerId]| {
        html! {
            @for (index, customer) in customers.iter().take(NAMED).enumerate() { @if index > 0 { ", " } (parts::customer(customer)) }
            @if customers.len() > NAMED { " and " (thousands(customers.len() - NAMED)) " more" }
        }
    };
    html! {
        @if !found.held.is_empty() { p { strong { (count(found.held.len(), "customer stays", "customers stay")) ": " } "a person holds " (named(&found.held)) ", and only a person moves them." } }
        @if !found.moved_on.is_empty() { p { strong { (count(found.moved_on.len(), "customer stays", "customers stay")) ": " } "another rule has since moved " (named(&found.moved_on)) " further. Take back that one, or release them." } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_a_form_sends_it_and_as_the_api_has_it() {
        let expected = Timestamp::from_seconds(1_790_000_040);
        assert_eq!(expected.to_string(), "2026-09-21T14:14:00Z");
        for text in ["2026-09-21T14:14", "2026-09-21T14:14:00", "2026-09-21T14:14:00Z", "2026-09-21T14:14:00.000Z"] {
            assert_eq!(moment(text).unwrap(), expected, "{text}");
        }
        for text in ["", "yesterday", "2026-09-21", "2026-99-21T14:14"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
