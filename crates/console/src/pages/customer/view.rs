//! A customer as HTML.

use explain::Told;
use maud::{Markup, html};
use model::CustomerView;
use model::figures::count;

use super::{Customer, acts, charts, rates, timeline};
use crate::Unavailable;
use crate::pages::visit::Visit;
use crate::pages::{parts, words};

/// Ids of events that are shown.
const EVENTS: usize = 10;

pub(super) fn customer(customer: &Customer, visit: &Visit) -> Markup {
    html! {
        (head(customer))
        div class="columns wide-left" {
            div data-live="standing" {
                (reasons(customer))
                (at_sendgrid(customer))
            }
            div {
                (acts::waiting(customer, visit))
                (acts::acts(customer, visit))
            }
        }
        @match &customer.view {
            Ok(view) => { div data-live="rates" { (charts::charts(view, customer)) } }
            Err(unavailable) => { (untold(unavailable)) }
        }
        div class="columns" {
            div {
                (timeline::timeline(customer))
                (events(customer))
            }
            @if let Ok(view) = &customer.view { div data-live="mail" { (mail(view, customer)) } }
        }
    }
}

fn head(customer: &Customer) -> Markup {
    let standing = &customer.standing;
    html! {
        h1 { bdi { (standing.customer) } }
        div data-live="head" {
            p class="lead" {
                (parts::stage(standing.stage)) " since " (parts::moment(standing.since, customer.now)) ": "
                (words::meaning(standing.stage)) "."
            }
            dl class="facts" {
                div { dt { "Phase" } dd { (standing.phase.name()) } }
                div { dt { "Pool" } dd { @if let Some(pool) = &standing.pool { bdi { (pool) } } @else { "none known" } } }
                div { dt { "May send" } dd { (standing.sending) } }
                div { dt { "Sent in 24 h" } dd { (count(standing.sent_24h, "mail", "mails")) } }
                div { dt { "At SendGrid" } dd { (carried_out(customer)) } }
            }
            @if let Some(change) = customer.account_status.as_ref().filter(|change| change.status.is_restricted()) {
                p class="banner alarm" { strong { "SendGrid " (change.status.verb()) " its subuser. " } "It said so " (parts::moment(change.at, customer.now)) " (" code { (change.status.name()) } "). Only SendGrid makes it active again." }
            }
            @if standing.held {
                p class="banner warn" {
                    strong { "Held by a person. " }
                    @if let Some(until) = standing.held_until { "No rule moves it until " (parts::moment(until, customer.now)) "." }
                    @else { "No rule moves it until it is released." }
                }
            }
            @if let Some(until) = standing.exempt_until.filter(|until| *until > customer.now) {
                p class="banner warn" { strong { "Exempt. " } "No rule moves it up until " (parts::moment(until, customer.now)) "; what rules would do is still told." }
            }
            @if standing.awaits_person { p class="banner warn" { strong { "Needs a person. " } "Its offences are so many that no time brings it down." } }
        }
    }
}

/// Whether SendGrid is as was decided, in a few words.
fn carried_out(customer: &Customer) -> Markup {
    let case = customer.enforcement.as_ref();
    html! {
        @match case.map(|case| (&case.held, &case.in_force)) {
            Some((Some(held), _)) => { strong class="alarming" { "held back" } ": " (words::held(held.why)) },
            Some((None, Some(force))) if force.stage == customer.standing.stage => "as decided",
            Some((None, Some(force))) => { "still " (force.stage.name()) },
            Some((None, None)) | None => "nothing to do",
        }
    }
}

/// Why it is where it is: in sentences, where the decision is at hand.
fn reasons(customer: &Customer) -> Markup {
    let reasons = &customer.standing.reasons;
    html! {
        section aria-labelledby="why" {
            h2 id="why" { "Why it is there" }
            @if reasons.is_empty() { (parts::nothing("No decision keeps it there.")) }
            @for reason in reasons {
                @match customer.told(&reason.decision) {
                    Some(told) => { (sentences(&told)) },
                    None => p { span class="rule" { bdi { (reason.rule) } } ": " bdi { (reason.text) } },
                }
                p { a href={ "/decisions/" (reason.decision) } { "The whole decision, checked against the log" } }
            }
        }
    }
}

fn sentences(told: &Told) -> Markup {
    html! {
        p { strong { bdi { (told.headline) } } }
        ul class="grounds" {
            @for ground in &told.grounds { li { bdi { (ground) } } }
            @if let Some(comparison) = &told.comparison { li { bdi { (comparison) } } }
            @for aside in &told.set_aside { li { "Left out: " bdi { (aside) } } }
        }
        h3 { "What brings it back" }
        p { (parts::prose(&told.way_back)) }
    }
}

fn at_sendgrid(customer: &Customer) -> Markup {
    let Some(case) = &customer.enforcement else { return html! {} };
    html! {
        section aria-labelledby="sendgrid" {
            h2 id="sendgrid" { "At SendGrid" }
            @match &case.in_force {
                Some(force) => p {
                    "Let through: " (parts::stage(force.stage)) " since " (parts::ago(force.since, customer.now))
                    @if let Some(pool) = &force.pool { ", pool " bdi { (pool) } }
                    @if let Some(cap) = force.daily_cap { ", at most " (count(cap, "mail", "mails")) " a day" }
                    "."
                },
                None => p { "Nothing was ever let through: it is as it was." },
            }
            @if let Some(held) = &case.held {
                p { strong { "Held back" } " since " (parts::ago(held.since, customer.now)) ": " bdi { (held.reason) } }
            }
        }
    }
}

/// Why nobody tells its rates and counts.
fn untold(unavailable: &Unavailable) -> Markup {
    html! {
        section aria-labelledby="rates" {
            h2 id="rates" { "Rates" }
            p class="banner warn" { "They can't be told just now: " (unavailable) "." }
        }
    }
}

/// Its rates against the policy's bounds, and its counts.
fn mail(view: &CustomerView, customer: &Customer) -> Markup {
    html! {
        section aria-labelledby="limits" {
            h2 id="limits" { "Rates against the limits" }
            @match &customer.policy {
                Some(policy) => { (rates::against_limits(view, policy)) }
                None => { (parts::nothing("Nobody can say just now which policy is in force.")) }
            }
        }
        section aria-labelledby="providers" { h2 id="providers" { "Mailbox providers" } (rates::by_provider(view)) }
        section aria-labelledby="counts" { h2 id="counts" { "Events" } (rates::counts(view)) }
    }
}

/// The events behind the latest decision of a rule.
fn events(customer: &Customer) -> Markup {
    let latest = customer.history.iter().rev().find_map(|decided| decided.decision.evidence.as_ref());
    let events = latest.map(|evidence| evidence.events.as_slice()).unwrap_or_default();
    if events.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="events" {
            h2 id="events" { "Events behind it" }
            p class="soft" { "Ids at SendGrid of some of the bad events of its latest decision, newest first." }
            ul class="plain" { @for id in events.iter().rev().take(EVENTS) { li { code { (id) } } } }
        }
    }
}
