//! Rejects as HTML.

use maud::{Markup, html};
use model::Millis;
use model::figures::{count, thousands};

use super::{Rejects, Wanted};
use crate::access::Role;
use crate::acts::{ReplayWanted, Replayed};
use crate::api::rejects::WholeReject;
use crate::pages::forms::{self, Form, Signature};
use crate::pages::visit::Visit;
use crate::pages::{parts, words};
use crate::rejects::Reject;

/// The most characters of a reject that its page shows; the API has all.
const SHOWN: usize = 100_000;

pub(super) fn rejects(rejects: &Rejects, visit: &Visit) -> Markup {
    html! {
        h1 { "Rejects" }
        p class="soft" { "Signed input from SendGrid that Weir could not read. It is kept as it came, and not counted. Once Weir can read it, replay it: what was replayed before counts once." }
        div class="columns wide-left" {
            section aria-label="Rejected records" {
                (sources(rejects))
                @if rejects.page.rejects.is_empty() { (parts::nothing("Nothing was rejected.")) }
                @else { (parts::scrolling("Rejected records", &table(rejects, visit))) }
                @if let Some(next) = &rejects.page.next {
                    nav class="pages" aria-label="Older" { a class="button" rel="next" href=(older(&rejects.wanted, &next.to_string())) { "Older" } }
                }
            }
            (replay_all(rejects, visit))
        }
    }
}

fn older(wanted: &Wanted, after: &str) -> String {
    format!("/rejects?source={}&after={}", words::encoded(&wanted.source), words::encoded(after))
}

fn sources(rejects: &Rejects) -> Markup {
    html! {
        form class="act search" method="get" action="/rejects" {
            label class="field" { span { "Source" } select name="source" {
                option value="" { "all" }
                @for name in &rejects.sources { option value=(name) selected[*name == rejects.wanted.source] { (name) } }
            } }
            button type="submit" { "Show" }
        }
    }
}

fn table(rejects: &Rejects, visit: &Visit) -> Markup {
    let name = |reject: &Reject| {
        html! { @if visit.may(Role::Operator) { a href={ "/rejects/" (reject.id) } { (reject.id) } } @else { (reject.id) } }
    };
    html! {
        table {
            caption { "Rejected records, the newest first" }
            thead { tr {
                th scope="col" { "Record" } th scope="col" { "Came" } th scope="col" { "Source" } th scope="col" { "Why" }
                th scope="col" class="number" { "Bytes" } th scope="col" { "Begins with" }
            } }
            tbody { @for reject in &rejects.page.rejects { tr {
                th scope="row" { (name(reject)) }
                td { (parts::ago(reject.at, rejects.now)) }
                td { bdi { (reject.source) } }
                td { bdi { (reject.reason) } }
                (parts::number(reject.bytes))
                td { code { bdi { (reject.excerpt) } } }
            } } }
        }
    }
}

fn replay_all(rejects: &Rejects, visit: &Visit) -> Markup {
    let since = (rejects.now - Millis::days(1)).to_string();
    let since = since.get(..16).unwrap_or_default();
    html! {
        section aria-labelledby="replay" {
            h2 id="replay" { "Replay a source" }
            p class="soft" { "Reads again everything that was rejected at a source since a time, and counts what is readable by now. Events older than 72 hours are stored, and in no rate." }
            @if !visit.may(Role::Operator) { p class="soft" { "You need the operator role to replay rejects." } }
            @else if rejects.sources.is_empty() { p class="soft" { "No source is configured." } }
            @else {
                (forms::form(visit, &Form { act: "/rejects/replay", button: "Replay rejects", looks: "strong", why: "Why" }, &html! {
                    label class="field" { span { "Source" } select name="source" {
                        @for name in &rejects.sources { option value=(name) selected[*name == rejects.wanted.source] { (name) } }
                    } }
                    label class="field" { span { "Since (UTC)" } input type="datetime-local" name="since" value=(since) required; }
                }))
            }
        }
    }
}

pub(super) fn reject(whole: &WholeReject, visit: &Visit) -> Markup {
    let Reject { id, at, source, reason, bytes, .. } = &whole.reject;
    let shown: String = whole.text.chars().take(SHOWN).collect();
    html! {
        h1 { "Reject " (id) }
        dl class="facts" {
            div { dt { "Came" } dd { (parts::moment(*at, visit.now)) } }
            div { dt { "Source" } dd { a href={ "/rejects?source=" (words::encoded(source)) } { bdi { (source) } } } }
            div { dt { "Why it was rejected" } dd { bdi { (reason) } } }
            div { dt { "Bytes" } dd { (thousands(bytes)) } }
        }
        (forms::form(visit, &Form { act: &format!("/rejects/{id}/replay"), button: "Replay reject", looks: "strong", why: "Why" }, &html! {}))
        section aria-labelledby="whole" {
            h2 id="whole" { "As it came" }
            (parts::scrolling("As it came", &html! { pre { bdi { (shown) } } }))
            @if shown.len() < whole.text.len() { p class="soft" { "The first " (thousands(SHOWN)) " characters; " code { "GET /v1/rejects/" (id) } " has all." } }
        }
        p { a href="/rejects" { "All rejects" } }
    }
}

pub(super) fn replayed(done: &Replayed, wanted: &ReplayWanted, signature: &Signature, visit: &Visit) -> Markup {
    html! {
        h1 { "Replayed" }
        p {
            strong { (count(done.events, "event was", "events were")) " found" }
            " in " (count(done.rejects, "rejected record", "rejected records")) " and went to the log. What was replayed before counts once."
            @if done.too_old > 0 { " " (count(done.too_old, "event is", "events are")) " older than 72 hours and in no rate." }
        }
        @if done.unreadable > 0 {
            p { (count(done.unreadable, "record still can't", "records still can't")) " be read, or not all of it:" }
            ul { @for still in &done.still {
                li { a href={ "/rejects/" (still.id) } { (still.id) } ": " bdi { (still.reason) } }
            } }
        }
        @if let (Some(next), ReplayWanted::Span(span)) = (&done.next, wanted) {
            p { strong { "There are more." } }
            form class="act" method="post" action="/rejects/replay" {
                (forms::csrf(visit))
                input type="hidden" name="source" value=(span.source);
                input type="hidden" name="since" value=(span.since);
                input type="hidden" name="after" value=(next);
                (forms::sign(visit, "Why", signature))
                button class="strong" type="submit" { "Go on" }
            }
        }
        p { a href="/rejects" { "All rejects" } " · " a href="/activity" { "Activity" } }
    }
}
