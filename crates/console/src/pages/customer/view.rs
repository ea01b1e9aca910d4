//! A customer as HTML.

use maud::{Markup, html};
use model::figures::{count, thousands};

use super::{Customer, acts, charts, rates, timeline};
use crate::pages::visit::Visit;
use crate::pages::{parts, words};

/// Ids of events that are shown.
const EVENTS: usize = 10;

pub(super) fn customer(customer: &Customer, visit: &Visit) -> Markup {
    html! {
        (head(customer))
        div class="columns wide-left" {
            div {
                (reasons(customer))
                (at_sendgrid(customer))
                (mail(customer))
            }
            div {
                (acts::waiting(customer, visit))
                (acts::acts(customer, visit))
                (events(customer))
                (timeline::timeline(customer))
            }
        }
    }
}

fn head(customer: &Customer) -> Markup {
    let standing = &customer.standing;
    html! {
        h1 { bdi { (standing.customer) } }
        dl class="facts" {
            div { dt { "Stage" } dd { (parts::stage(standing.stage)) " " span class="soft" { (words::meaning(standing.stage)) ", since " (parts::ago(standing.since, customer.now)) } } }
            div { dt { "Pool" } dd { @if let Some(pool) = &standing.pool { bdi { (pool) } } @else { "as the platform chooses" } } }
            div { dt { "Daily cap" } dd { @if let Some(cap) = standing.daily_cap { (count(cap, "mail", "mails")) } @else { "none" } } }
            div { dt { "Sent in 24 h" } dd { (thousands(standing.sent_24h)) } }
            div { dt { "Phase" } dd { (standing.phase.name()) } }
        }
        @if standing.held { p class="banner warn" { "A person holds it there: no rule moves it until it is released." } }
        @if let Some(until) = standing.exempt_until.filter(|until| *until > customer.now) {
            p class="banner warn" { "Exempt: no rule moves it up; this ends " (parts::ago(until, customer.now)) "." }
        }
        @if standing.awaits_person { p class="banner warn" { "Its offences are many: only a person brings it down." } }
    }
}

fn reasons(customer: &Customer) -> Markup {
    html! {
        section aria-labelledby="why" {
            h2 id="why" { "Why it is there" }
            @if customer.standing.reasons.is_empty() { (parts::nothing("Nothing was ever held against it.")) }
            ul class="plain" { @for reason in &customer.standing.reasons {
                li { span class="rule" { bdi { (reason.rule) } } ": " bdi { (reason.text) } " " a href={ "/decisions/" (reason.decision) } { "The whole of it" } }
            } }
        }
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

/// Its rates and counts, or why nobody tells them.
fn mail(customer: &Customer) -> Markup {
    let view = match &customer.view {
        Ok(view) => view,
        Err(unavailable) => {
            return html! {
                section aria-labelledby="rates" {
                    h2 id="rates" { "Rates" }
                    p class="banner warn" { "They can't be told just now: " (unavailable) "." }
                }
            };
        }
    };
    html! {
        (charts::charts(view, customer))
        section aria-labelledby="limits" {
            h2 id="limits" { "Rates against the limits" }
            @match &customer.policy {
                Some(policy) => { (rates::against_limits(view, policy)) }
                None => { (parts::nothing("Nobody can say just now which policy is in force.")) }
            }
        }
        section aria-labelledby="providers" { h2 id="providers" { "By mailbox provider" } (rates::by_provider(view)) }
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
