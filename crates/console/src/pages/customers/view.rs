//! The customers as HTML.

use maud::{Markup, html};
use model::figures::{count, thousands};
use model::{Phase, Stage};

use super::{Customers, Row};
use crate::pages::{parts, words};

pub(super) fn customers(customers: &Customers) -> Markup {
    html! {
        h1 { "Customers" }
        (stages(customers))
        (form(customers))
        div data-live="customers" {
            @if customers.rows.is_empty() { (parts::nothing(nobody(customers))) }
            @else { (table(customers)) }
        }
        (paging(customers))
    }
}

const fn nobody(customers: &Customers) -> &'static str {
    match (customers.filter.search.is_empty(), customers.is_first) {
        (_, false) => "Nobody stands behind this place any more.",
        (false, _) => "Nobody of that name stands so.",
        (true, true) => "Nobody stands so.",
    }
}

/// How many stand where, each a link to them alone.
fn stages(customers: &Customers) -> Markup {
    let all: usize = customers.stages.values().sum();
    let count_of = |stage| customers.stages.get(&stage).copied().unwrap_or(0);
    let current = |stage: Option<Stage>| (customers.filter.stage == stage).then_some("true");
    html! {
        nav class="stages" aria-label="Stages" { ul {
            li { a href=(customers.filter.at(None).path()) aria-current=[current(None)] {
                "All " span class="figure" { (thousands(all)) }
            } }
            @for stage in Stage::ALL.into_iter().rev() {
                li { a href=(customers.filter.at(Some(stage)).path()) aria-current=[current(Some(stage))] {
                    (parts::stage(stage)) " " span class="figure" { (thousands(count_of(stage))) }
                } }
            }
        } }
        @if let Some(pool) = &customers.filter.pool { p class="soft" { "Counts are of those whose mail should leave through " bdi { (pool) } "." } }
    }
}

fn form(customers: &Customers) -> Markup {
    let filter = &customers.filter;
    html! {
        form class="act filter" method="get" action="/customers" role="search" {
            label class="field grow" { span { "Part of the name" } input type="search" name="search" value=(filter.search) maxlength="200" autocomplete="off" spellcheck="false"; }
            label class="field" { span { "Stage" } select name="stage" {
                option value="" { "any" }
                @for stage in Stage::ALL { option value=(stage.name()) selected[filter.stage == Some(stage)] { (stage.name()) } }
            } }
            label class="field" { span { "Phase" } select name="phase" {
                option value="" { "any" }
                @for phase in Phase::ALL { option value=(phase.name()) selected[filter.phase == Some(phase)] { (phase.name()) } }
            } }
            label class="field" { span { "Pool" } select name="pool" {
                option value="" { "any" }
                @for pool in &customers.pools { option value=(pool) selected[filter.pool.as_ref() == Some(pool)] { (pool) } }
                // Nobody is left in it, and it is still what is asked for.
                @if let Some(pool) = filter.pool.as_ref().filter(|pool| !customers.pools.contains(pool)) { option value=(pool) selected { (pool) } }
            } }
            button class="strong" type="submit" { "Show" }
            @if !filter.is_empty() { a class="button" href="/customers" { "Show all" } }
        }
    }
}

/// A table whose rows become cards where it is too wide; the roles say that they are rows still.
fn table(customers: &Customers) -> Markup {
    html! {
        div class="panel" { table class="figures stacked" role="table" {
            caption { "By stage, then by the harm that is done now, then by mails sent" }
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" scope="col" { "Customer" }
                th role="columnheader" scope="col" { "Stage" }
                th role="columnheader" scope="col" { "Why" }
                th role="columnheader" scope="col" { "Phase" }
                th role="columnheader" scope="col" { "Pool" }
                th role="columnheader" scope="col" class="number" { "Mails 24 h" }
                th role="columnheader" scope="col" class="number" { "Daily cap" }
                th role="columnheader" scope="col" class="number" { "× fleet" }
            } }
            tbody role="rowgroup" { @for row in &customers.rows { (line(row, customers)) } }
        } }
    }
}

fn line(row: &Row, customers: &Customers) -> Markup {
    let standing = &row.standing;
    let reason = standing.reasons.first();
    html! {
        tr role="row" {
            th role="rowheader" scope="row" { (parts::customer(&standing.customer)) }
            td role="cell" class="standing" {
                (parts::stage(standing.stage))
                @if standing.stage != Stage::Healthy { " " span class="soft" { (parts::ago(standing.since, customers.now)) } }
                (flags(row, customers))
            }
            td role="cell" class="wide" {
                @if let Some(reason) = reason { bdi { (reason.text) } } @else { span class="soft" { "–" } }
            }
            td role="cell" data-name="Phase" { (standing.phase.name()) }
            td role="cell" data-name="Pool" { @if let Some(pool) = &standing.pool { bdi { (pool) } } @else { "–" } }
            td role="cell" class="number" data-name="Mails 24 h" { (thousands(standing.sent_24h)) }
            td role="cell" class="number" data-name="Daily cap" { @if let Some(cap) = standing.daily_cap { (thousands(cap)) } @else { "–" } }
            td role="cell" class={ "number" @if row.times_the_fleet >= 2.0 { " high" } } data-name="× fleet" {
                @if row.times_the_fleet > 0.0 { (format!("{:.1}", row.times_the_fleet)) } @else { "–" }
            }
        }
    }
}

/// What else there is to know at a glance.
fn flags(row: &Row, customers: &Customers) -> Markup {
    let standing = &row.standing;
    html! {
        @if standing.held { " " span class="tag" { "held by a person" } }
        @if standing.exempt_until.is_some_and(|until| until > customers.now) { " " span class="tag" { "exempt" } }
        @if standing.awaits_person { " " span class="tag" { "needs a person" } }
        @if let Some(why) = row.held_back { " " span class="tag warn" { (words::held(why)) } }
    }
}

fn paging(customers: &Customers) -> Markup {
    html! {
        nav class="paging" aria-label="Pages of the list" {
            span class="soft" { (count(customers.rows.len(), "customer", "customers")) " on this page" }
            @if !customers.is_first { a class="button" href=(customers.filter.path()) { "Back to the riskiest" } }
            @if let Some(next) = &customers.next { a class="button" rel="next" href=(customers.filter.path_behind(next)) { "Next" } }
        }
    }
}
