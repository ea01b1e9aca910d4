//! A decision as HTML.

use explain::{Explanation, Told};
use maud::{Markup, PreEscaped, html};
use model::figures::thousands;
use model::{Decision, Evidence};

use super::Page;
use crate::pages::{parts, words};
use crate::problem::Problem;

/// The page; `checks` marks where what the log says comes in.
pub(super) fn decision(page: &Page, checks: &str) -> Markup {
    let decision = &page.decision;
    html! {
        h1 { (parts::customer(&decision.customer)) " " (parts::step(decision)) }
        p class="lead" {
            @match &page.told { Some(told) => bdi { (told.headline) }, None => (parts::why(decision)) }
        }
        p class="soft" { "Decided " (parts::moment(decision.at, page.now)) }
        div class="columns wide-left" {
            div {
                @if let Some(told) = &page.told { (grounds(told, page)) }
                section aria-labelledby="checked" {
                    h2 id="checked" { "Checked against the log" }
                    p class="pending soft" { "The log is being read: the decision is derived again, and its events are counted once more." }
                    (PreEscaped(checks))
                }
            }
            div {
                @if let Some(evidence) = &decision.evidence { (figures(evidence)) (events(evidence)) }
                (record(decision))
                @if let Some(told) = &page.told { (for_the_customer(told)) }
                (further(decision))
            }
        }
    }
}

fn grounds(told: &Told, page: &Page) -> Markup {
    html! {
        section aria-labelledby="why" {
            h2 id="why" { "Why" }
            @if page.is_policy_another { p class="soft" { "Another policy is in force by now; what is said of the rule and of the way back is by that one." } }
            ul class="grounds" { @for ground in &told.grounds { li { bdi { (ground) } } } }
        }
        @if let Some(comparison) = &told.comparison {
            section aria-labelledby="others" { h2 id="others" { "The others" } p { bdi { (comparison) } } }
        }
        @if !told.set_aside.is_empty() {
            section aria-labelledby="aside" { h2 id="aside" { "Left out" } ul class="grounds" { @for aside in &told.set_aside { li { bdi { (aside) } } } } }
        }
        section aria-labelledby="back" { h2 id="back" { "What brings it back" } p { (parts::prose(&told.way_back)) } }
    }
}

fn figures(evidence: &Evidence) -> Markup {
    html! {
        section aria-labelledby="figures" {
            h2 id="figures" { "The figures" }
            dl class="list" {
                div { dt { "Signal" } dd { (evidence.signal.replace('_', " ")) " in " (evidence.window.name()) } }
                div { dt { "Seen" } dd { strong { (words::percent(evidence.rate.get())) } ", " (thousands(evidence.numerator)) " of " (thousands(evidence.denominator)) } }
                div { dt { "True rate at least" } dd { (words::percent(evidence.bound.get())) } }
                div { dt { "Limit" } dd { (words::percent(evidence.threshold.get())) } }
                div { dt { "The others" } dd { (words::percent(evidence.fleet_rate.get())) } }
                div { dt { "Mails sent" } dd { (words::moment(evidence.from)) " to before " (words::moment(evidence.until)) } }
            }
        }
    }
}

fn events(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.events.is_empty() {
            section aria-labelledby="events" {
                h2 id="events" { "Events behind it" }
                p class="soft" { "Ids at SendGrid of some of the bad events, newest first." }
                ul class="plain" { @for id in evidence.events.iter().rev() { li { code { (id) } } } }
            }
        }
    }
}

fn record(decision: &Decision) -> Markup {
    html! {
        section aria-labelledby="record" {
            h2 id="record" { "The record" }
            dl class="list" {
                div { dt { "Rule" } dd { bdi { (decision.rule) } } }
                @if let Some(by) = &decision.by { div { dt { "By" } dd { bdi { (by) } } } }
                div { dt { "Carried out" } dd { @match words::mode(decision.mode) { Some(said) => (said), None => "yes, as enforcement allows" } } }
                div { dt { "Decision" } dd { code { (decision.id) } } }
                div { dt { "Policy" } dd { code { (decision.policy) } } }
                div { dt { "On the log" } dd { "partition " (decision.offset.partition) ", record " (decision.offset.offset) } }
            }
        }
    }
}

fn for_the_customer(told: &Told) -> Markup {
    html! {
        section aria-labelledby="words" {
            h2 id="words" { "For the customer" }
            details class="act" {
                summary { "Words that can be sent" }
                div class="letter" dir="auto" { @for paragraph in told.for_the_customer.split("\n\n") { p { (paragraph) } } }
            }
        }
    }
}

fn further(decision: &Decision) -> Markup {
    html! {
        ul class="plain" {
            li { a href=(decision.customer.page_path()) { "All about " bdi { (decision.customer) } } }
            @if decision.evidence.is_some() { li { a href="/activity#undo" { "Take back what the rule did" } } }
        }
    }
}

/// What the log says.
pub(super) fn checks(explanation: &Explanation) -> Markup {
    let recount = explanation.recount.as_ref().map(ToString::to_string);
    let found = [Some(explanation.derived.to_string()), recount];
    html! {
        ul class="grounds found" { @for line in found.into_iter().flatten() { li { bdi { (words::sentence(&line)) } } } }
    }
}

/// Why the log was not read.
pub(super) fn unchecked(problem: &Problem) -> Markup {
    html! { p class="banner warn found" { strong { "Not checked. " } (words::sentence(problem.detail())) } }
}
