//! The activity as HTML.

use maud::{Markup, html};
use model::figures::{count, thousands};
use model::{Act, Deed, Millis, PolicyOrigin, Timestamp};

use super::{Activity, Wanted};
use crate::access::Role;
use crate::pages::visit::Visit;
use crate::pages::{parts, policy, words};

pub(super) fn activity(activity: &Activity, visit: &Visit) -> Markup {
    html! {
        h1 { "Activity" }
        div class="columns wide-left" {
            section aria-label="What was done" {
                (people(activity))
                @if activity.page.items.is_empty() {
                    (parts::nothing(if activity.wanted.is_narrow() { "Nothing more was done." } else { "Nobody has done anything yet." }))
                }
                ol class="decisions" data-live="acts" { @for act in &activity.page.items { (row(act, activity)) } }
                @if let Some(next) = &activity.page.next {
                    nav class="pages" aria-label="Older" { a class="button" rel="next" href=(activity.wanted.path(&next.cursor())) { "Older" } }
                }
            }
            (take_back(activity, visit))
        }
    }
}

fn people(activity: &Activity) -> Markup {
    html! {
        form class="act search" method="get" action="/activity" {
            label class="field" { span { "By" } select name="by" {
                option value="" { "everybody" }
                @for name in &activity.people { option value=(name) selected[*name == activity.wanted.by] { (name) } }
            } }
            button type="submit" { "Show" }
            @if activity.wanted.is_narrow() { a class="button" href="/activity" { "The newest of all" } }
        }
    }
}

fn row(act: &Act, activity: &Activity) -> Markup {
    html! {
        li class="decision" {
            span class="when" { (parts::ago(act.at, activity.now)) }
            span class="what" { span { a class="person" href={ "/activity?by=" (words::encoded(&act.by)) } { bdi { (act.by) } } " " (deed(&act.deed, activity)) } }
            @if !act.reason.is_empty() { span class="why" { q { bdi { (act.reason) } } } }
        }
    }
}

fn deed(deed: &Deed, activity: &Activity) -> Markup {
    html! {
        @match deed {
            Deed::Pause => "paused all enforcement",
            Deed::Resume => "resumed enforcement",
            Deed::Approve { customer, decision, stage } => {
                a href={ "/decisions/" (decision) } { "approved" } ": " (parts::customer(customer)) " to " (parts::stage(*stage))
            }
            Deed::Reject { customer, decision, stage } => {
                a href={ "/decisions/" (decision) } { "rejected" } ": " (parts::customer(customer)) " to " (parts::stage(*stage))
            }
            Deed::Policy { digest, previous, origin } => {
                @if *origin == PolicyOrigin::File { "began with the policy file " } @else { "put a policy in force: " }
                code title=(digest) { (words::digest(digest)) }
                @if let Some(previous) = previous {
                    " instead of "
                    @let known = activity.replaced.contains(previous);
                    @if known { a href=(policy::back(previous)) { code title=(previous) { (words::digest(previous)) } } }
                    @else { code title=(previous) { (words::digest(previous)) } }
                }
            }
            Deed::Undo { rule, since, customers } => {
                "took back what " span class="rule" { bdi { (rule) } } " did since " (words::moment(*since)) ": "
                (count(customers, "customer", "customers"))
            }
            Deed::AccountStatus { customer, status } => {
                strong { (status.verb()) } " " (parts::account(customer)) " " span class="soft" { "(" (status.name()) ")" }
            }
            Deed::Acknowledge { customer, status, changed_at } => {
                "acknowledged that SendGrid " (status.verb()) " " (parts::account(customer)) " on " (words::moment(*changed_at))
            }
            Deed::Replay { source, rejects, events } => {
                "replayed " a href={ "/rejects?source=" (words::encoded(source)) } { (count(rejects, "rejected record", "rejected records")) }
                " of the source " bdi { (source) } ": " (count(events, "event", "events")) " now readable"
            }
            Deed::Command { order, customer, decision, from, to } => {
                a href={ "/decisions/" (decision) } { (ordered(order)) } " " (parts::customer(customer))
                @if from != to { ": " (parts::stage(*from)) " to " (parts::stage(*to)) }
                @else if order == "hold" { " at " (parts::stage(*to)) }
            }
        }
    }
}

/// What somebody did who gave this order.
fn ordered(order: &str) -> &str {
    match order {
        "hold" => "held",
        "release" => "released",
        "set_stage" => "put",
        "exempt" => "exempted",
        "set_phase" => "changed the phase of",
        "note" => "wrote a note on",
        other => other,
    }
}

/// What rules did of late, each with what takes it back.
fn take_back(activity: &Activity, visit: &Visit) -> Markup {
    html! {
        section aria-labelledby="undo" {
            h2 id="undo" { "Take back what a rule did" }
            p class="soft" {
                "Everybody whom the rule moved since a time goes back to where it stood before. First you see whom that would move. "
                "A person's doing, and other rules', stay as they are."
            }
            (rules(activity, visit))
            @if visit.may(Role::Operator) { (form("", activity.now - Millis::hours(1))) }
            @else { p class="soft" { "It needs the role operator." } }
        }
    }
}

fn rules(activity: &Activity, visit: &Visit) -> Markup {
    let link = |rule: &str, hours: i64| {
        let since = (activity.now - Millis::hours(hours)).to_string();
        format!("/activity/undo?rule={}&since={}", words::encoded(rule), words::encoded(&since))
    };
    let table = html! {
        table class="figures" {
            caption { "Rules that moved customers up in the last 24 hours" }
            thead { tr {
                th scope="col" { "Rule" } th scope="col" class="number" { "1 h" } th scope="col" class="number" { "24 h" } th scope="col" { "Latest" }
            } }
            tbody { @for (rule, moves) in &activity.rules { tr {
                th scope="row" { bdi { (rule) } }
                @for (hours, count) in [(1, moves.hour), (24, moves.day)] {
                    td class="number" { @if count == 0 || !visit.may(Role::Operator) { (thousands(count)) } @else {
                        a href=(link(rule, hours)) { (thousands(count)) span class="unseen" { " decisions of the last " (hours) " h: take back" } }
                    } }
                }
                td { (parts::ago(moves.latest, activity.now)) }
            } } }
        }
    };
    html! {
        @if activity.rules.is_empty() { (parts::nothing("No rule has moved anybody up in the last 24 hours.")) }
        @else { (parts::scrolling("Rules that moved customers", &table)) }
    }
}

/// Asks whom it would move.
pub(super) fn form(rule: &str, since: Timestamp) -> Markup {
    let since = since.to_string();
    html! {
        form class="act undo" method="get" action="/activity/undo" {
            label class="field grow" { span { "Rule" } input name="rule" value=(rule) required maxlength="200" autocomplete="off"; }
            label class="field" { span { "Since, in UTC" } input type="datetime-local" name="since" value=(since.get(..16).unwrap_or_default()) required; }
            button type="submit" { "Show whom it would move" }
        }
    }
}

impl Wanted {
    fn is_narrow(&self) -> bool {
        !self.by.is_empty() || !self.after.is_empty()
    }

    /// The page behind `cursor` of the same person's acts.
    fn path(&self, cursor: &str) -> String {
        format!("/activity?by={}&after={}", words::encoded(&self.by), words::encoded(cursor))
    }
}
