//! The pools as HTML.

use maud::{Markup, html};
use model::figures::{count, list, thousands};
use model::{PoolName, Stage};
use policy::{Fraction, Ranked};

use super::{Bound, BoundOf, Figure, Pool, Pools};
use crate::pages::overview::banners;
use crate::pages::overview::mail::{self, Row};
use crate::pages::{parts, words};

/// Of a rate that is held against another, bad events needed for a mark.
const LEAST: u32 = 5;

pub(super) fn pools(pools: &Pools) -> Markup {
    html! {
        h1 { "IP pools" }
        @if pools.pools.is_empty() { (parts::nothing("Neither the policy nor any event has named a pool yet.")) }
        @if !pools.is_policy_known {
            div class="banner" { p { "No scorer of this process tells which policy is in force, so that limits and incidents can't be told here." } }
        }
        div data-live="pools" {
            @if pools.pools.len() > 1 { (all(pools)) }
            @for pool in &pools.pools { (one(pool, pools)) }
        }
    }
}

fn all(pools: &Pools) -> Markup {
    let row = |pool: &Pool| {
        let name = html! { a href={ "#" (anchor(&pool.name)) } { bdi { (pool.name) } } };
        (name, Row::pool(&pools.fleet, &pool.name))
    };
    let rows: Vec<_> = pools.pools.iter().map(row).collect();
    let caption = "Mail by IP pool; complaints are of all mail delivered from it";
    html! { section aria-label="All pools" { (mail::table(caption, "Pool", &rows, &Row::all(&pools.fleet))) } }
}

fn anchor(pool: &PoolName) -> String {
    format!("pool-{}", words::encoded(pool.as_str()))
}

fn one(pool: &Pool, pools: &Pools) -> Markup {
    html! {
        section class="pool" id={ "pool-" (pool.name) } aria-label={ "Pool " (pool.name) } {
            h2 { bdi { (pool.name) } " " span class="soft" { (volume(pool)) } }
            @if !pool.leads_here.is_empty() { p class="soft" { "Where customers send from who are " (stages(&pool.leads_here)) "." } }
            @for incident in &pool.incidents { (banners::incident(incident, &pools.fleet)) }
            (senders(pool))
            div class="columns" {
                div {
                    @if pool.mails[1] == 0 { (parts::nothing("No mail of the last 24 hours has named this pool.")) }
                    @else { (figures(pool)) (providers(pool)) }
                }
                div { (hurting(pool)) }
            }
        }
    }
}

fn volume(pool: &Pool) -> String {
    let [hour, day] = pool.mails;
    if day == 0 {
        "no mail in 24 h".to_owned()
    } else {
        format!("{} in 24 h, {} in the last hour", count(day, "mail", "mails"), thousands(hour))
    }
}

fn stages(stages: &[Stage]) -> String {
    list(&stages.iter().map(|stage| stage.name()).collect::<Vec<_>>())
}

/// How many send through it, each figure a link to them.
fn senders(pool: &Pool) -> Markup {
    let path = format!("/customers?pool={}", words::encoded(pool.name.as_str()));
    let all: usize = pool.customers.values().sum();
    html! {
        ul class="inline" aria-label="Customers by stage" {
            @if all == 0 { li class="soft" { "Nobody's mail should leave through it." } }
            @else {
                li { a href=(path) { strong { (count(all, "customer", "customers")) } } }
                @for (stage, customers) in &pool.customers {
                    li { a href={ (path) "&stage=" (stage.name()) } { (parts::stage(*stage)) " " span class="soft" { (thousands(customers)) } } }
                }
            }
        }
    }
}

fn figures(pool: &Pool) -> Markup {
    let table = html! {
        table class="figures" {
            caption { "Rates of its mail, beside all mail and the policy's limits" }
            thead { tr {
                th scope="col" { "Signal" }
                th scope="col" class="number" { "1 h" } th scope="col" class="number" { "24 h" }
                th scope="col" class="number" { "All mail 24 h" } th scope="col" { "Limit" }
            } }
            tbody { @for figure in &pool.figures { (signal(figure)) } }
        }
    };
    parts::scrolling("Rates", &table)
}

fn signal(figure: &Figure) -> Markup {
    let rate = |fraction: Fraction| {
        let title = format!("{} of {}", thousands(fraction.hits), thousands(fraction.mails));
        let is_above =
            figure.bound.as_ref().is_some_and(|bound| fraction.hits >= LEAST && fraction.rate() > bound.rate);
        html! { td class={ "number" @if is_above { " high" } } title=(title) {
            (words::rate(fraction)) @if is_above { span class="unseen" { ", above the limit" } }
        } }
    };
    html! {
        tr {
            th scope="row" { (words::signal(figure.signal)) }
            (rate(figure.hour)) (rate(figure.day))
            td class="number" { (words::rate(figure.all)) }
            td { @match &figure.bound { None => "–", Some(bound) => (limit(bound, figure.crossed_in)) } }
        }
    }
}

fn limit(bound: &Bound, crossed_in: Option<f64>) -> Markup {
    let of = match bound.of {
        BoundOf::Pool => "of each pool",
        BoundOf::Account => "of the account",
        BoundOf::Customer => "of a customer",
    };
    html! {
        (words::percent(bound.rate)) " " span class="soft" { (of) ", " a href="/policy#words" { bdi { (bound.name) } } }
        @match crossed_in {
            Some(hours) if hours > 0.0 => { " " strong { "crossed in " (format!("{hours:.1}")) " h" } },
            Some(_) => { " " strong { "crossed" } },
            None => {},
        }
    }
}

fn providers(pool: &Pool) -> Markup {
    let rate = |hits: u32, mails: u32| words::rate(Fraction { hits, mails });
    let table = html! {
        table class="figures" {
            caption { "The last hour by mailbox provider" }
            thead { tr {
                th scope="col" { "Provider" } th scope="col" class="number" { "Mails" }
                th scope="col" class="number" { "Hard bounces" } th scope="col" class="number" { "Blocks" } th scope="col" class="number" { "Deferred mails" }
            } }
            tbody { @for (provider, counts) in &pool.providers { tr {
                th scope="row" { (words::provider(*provider)) }
                (parts::number(counts.attempted))
                @for hits in [counts.hard_bounce, counts.block, counts.first_deferral] {
                    td class="number" title=(format!("{} of {}", thousands(hits), thousands(counts.attempted))) { (rate(hits, counts.attempted)) }
                }
            } } }
        }
    };
    html! {
        @if pool.providers.is_empty() { (parts::nothing("No mail of the last hour.")) }
        @else { (parts::scrolling("The last hour by mailbox provider", &table)) }
    }
}

/// Those that send through it with the most bad events.
fn hurting(pool: &Pool) -> Markup {
    let table = html! {
        table class="figures" {
            caption { "Who hurts it most: expected rates of the last 24 hours" }
            thead { tr {
                th scope="col" { "Customer" } th scope="col" { "Stage" }
                th scope="col" class="number" { "Hard bounces" } th scope="col" class="number" { "Complaints" } th scope="col" class="number" { "× fleet" }
            } }
            tbody { @for ranked in pool.hurting.iter().take(10) { (culprit(ranked)) } }
        }
    };
    html! {
        @if pool.hurting.is_empty() { (parts::nothing("None of those with the most bad events send through it.")) }
        @else { (parts::scrolling("Who hurts it most", &table)) }
    }
}

fn culprit(ranked: &Ranked) -> Markup {
    html! {
        tr {
            th scope="row" { (parts::customer(&ranked.customer)) }
            td { (parts::stage(ranked.stage)) }
            td class="number" { (words::percent(ranked.hard_bounce.get())) }
            td class="number" { (words::percent(ranked.spam_report.get())) }
            td class={ "number" @if ranked.times_the_fleet >= 5.0 { " high" } } { (format!("{:.1}", ranked.times_the_fleet)) }
        }
    }
}
