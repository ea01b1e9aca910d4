//! The overview as HTML.

use maud::{Markup, html};
use model::figures::{count, thousands};
use model::{Millis, Mode, Provider, Stage, Window};

use super::mail::{self, Row};
use super::{Overview, banners, completeness};
use crate::access::Role;
use crate::acts::Approval;
use crate::pages::forms::{self, AnsweredOn, Form};
use crate::pages::visit::Visit;
use crate::pages::{parts, words};

pub(super) fn overview(overview: &Overview, visit: &Visit) -> Markup {
    html! {
        h1 class="unseen" { "Overview" }
        div data-live="banners" { (banners::banners(overview, visit)) }
        div data-live="signs" { (signs(overview)) }
        div data-live="stages" { (stages(overview)) }
        div class="columns wide-left" {
            (decisions(overview))
            div class="stack" {
                (waiting(overview, visit))
                (held(overview))
                (switch(overview, visit))
            }
        }
        div data-live="pools" { (pools(overview)) }
        div data-live="providers" { (providers(overview)) }
        div class="columns" {
            div data-live="worst" { (worst(overview)) }
            (completeness::reports(overview))
        }
    }
}

/// The four questions, answered in a line each.
fn signs(overview: &Overview) -> Markup {
    let (events, events_look) = completeness::losing(overview);
    let (pools, pools_look) = hurt(overview);
    let (did, said) = lately(overview);
    let (acting, acting_look) = banners::acting(overview);
    html! {
        dl class="signs" {
            div class=(events_look) { dt { "Are we losing events?" } dd { (events) } }
            div class=(pools_look) { dt { "Who hurts our pools?" } dd { (pools) } }
            div { dt { "What did Weir just do?" } dd { a href="#decisions" { (did) } " " span class="soft" { (said) } } }
            div class=(acting_look) { dt { "Does it act?" } dd { (acting) " " span class="soft" { (banners::held_back(overview)) } } }
        }
    }
}

fn hurt(overview: &Overview) -> (Markup, &'static str) {
    let worst = overview.worst.iter().find(|ranked| ranked.stage < Stage::Quarantined && ranked.times_the_fleet >= 2.0);
    match worst {
        None => (html! { "Nobody stands out " span class="soft" { "among those who send freely" } }, "good"),
        Some(ranked) => {
            let told = html! {
                (parts::customer(&ranked.customer)) " "
                span class="soft" {
                    @if let Some(pool) = &ranked.pool { "in " bdi { (pool) } ", " }
                    "about " (format!("{:.0}", ranked.times_the_fleet)) " times the fleet's rate"
                }
            };
            (told, if ranked.times_the_fleet >= 5.0 { "warn" } else { "" })
        }
    }
}

/// Whom it moved; what the mode shadow only says is told apart, since it moves nobody.
fn lately(overview: &Overview) -> (String, String) {
    let hour_ago = overview.now - Millis::hours(1);
    let decisions = overview.decisions.iter().map(|decided| &decided.decision);
    let lately: Vec<_> = decisions.filter(|decision| decision.at >= hour_ago).collect();
    let done = || lately.iter().filter(|decision| decision.mode == Mode::Enforce);
    let up = done().filter(|decision| decision.to > decision.from).count();
    let down = done().filter(|decision| decision.to < decision.from).count();
    let said = lately.len() - done().count();
    let more = if lately.len() == super::DECISIONS { "at least " } else { "" };
    let said = if said == 0 { String::new() } else { format!("{said} only said, ") };
    (format!("{more}{up} up, {down} down"), format!("{said}in the last hour"))
}

/// How many customers stand where: a bar of their shares, and a link to each list.
fn stages(overview: &Overview) -> Markup {
    let count_of = |stage| overview.stages.get(&stage).copied().unwrap_or(0);
    let all: usize = overview.stages.values().sum();
    html! {
        section aria-labelledby="stages" {
            h2 id="stages" { "Customers by stage " span class="soft" { (thousands(all)) } }
            (bar(&Stage::ALL.map(|stage| (stage, count_of(stage)))))
            ul class="tiles" {
                @for stage in Stage::ALL {
                    li { a class={ "tile " (stage.name()) } href={ "/customers?stage=" (stage.name()) } {
                        span class="figure" { (thousands(count_of(stage))) } " " (parts::stage(stage))
                        span class="soft hint" { (words::meaning(stage)) }
                    } }
                }
            }
        }
    }
}

/// Shares of a whole, drawn. Those who stand out are never thinner than can be seen.
fn bar(parts: &[(Stage, usize)]) -> Markup {
    const WIDTH: f64 = 1_000.0;
    const LEAST: f64 = 4.0;
    #[expect(clippy::cast_precision_loss, reason = "a picture is coarser")]
    let number = |count: usize| count as f64;
    let seen: Vec<_> = parts.iter().filter(|(_, count)| *count > 0).collect();
    let all: f64 = seen.iter().map(|(_, count)| number(*count)).sum();
    let widths: Vec<_> = seen.iter().map(|(_, count)| (number(*count) / all * WIDTH).max(LEAST)).collect();
    let scale = WIDTH / widths.iter().sum::<f64>().max(1.0);
    let starts = widths.iter().scan(0.0, |at, width| {
        let start = *at;
        *at += width * scale;
        Some(start)
    });
    html! {
        svg class="shares" viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            @for (((stage, _), start), width) in seen.iter().zip(starts).zip(&widths) {
                rect class={ "fill " (stage.name()) } x=(format!("{start:.1}")) y="0" width=(format!("{:.1}", (width * scale - 1.5).max(1.0))) height="14" {}
            }
        }
    }
}

fn decisions(overview: &Overview) -> Markup {
    html! {
        section aria-labelledby="decisions" {
            h2 id="decisions" { "Decisions" span class="live" data-state="" {} }
            p class="unseen" role="status" aria-live="polite" id="news" {}
            @if overview.decisions.is_empty() { (parts::nothing("Weir has decided nothing yet.")) }
            ol class="decisions" id="feed" data-feed=(feed(overview)) {
                @for decision in &overview.decisions { (parts::decision_row(&decision.decision, overview.now)) }
            }
            p { a href="/activity" { "What people did, and taking back what a rule did" } }
        }
    }
}

/// Where the decisions come from that are made after those of the page.
fn feed(overview: &Overview) -> String {
    let seen = overview.seen.as_ref().map(|seen| format!("?after={}", words::encoded(&seen.to_string())));
    format!("/decisions/feed{}", seen.unwrap_or_default())
}

fn waiting(overview: &Overview, visit: &Visit) -> Markup {
    html! {
        section aria-labelledby="waiting" {
            h2 id="waiting" { "Waiting for approval " span class="soft" { (overview.waiting.len()) } }
            @if overview.waiting.is_empty() { (parts::nothing("Nothing waits for a person.")) }
            ul class="cards" { @for one in overview.waiting.iter().take(20) { (card(one, overview, visit)) } }
            @if overview.waiting.len() > 20 { p class="soft" { "The 20 that wait longest; answer these, and the others follow." } }
        }
    }
}

fn card(one: &Approval, overview: &Overview, visit: &Visit) -> Markup {
    html! {
        li class="card" {
            p { (parts::customer(&one.customer)) " " span class="arrow" aria-hidden="true" { "→" } span class="unseen" { "to" } " " (parts::stage(one.stage)) }
            @if let Some(finding) = &one.finding { p { (finding) } }
            p class="soft" {
                (count(one.sent_24h, "mail", "mails")) " in 24 h; waits since " (parts::ago(one.since, overview.now))
                @if let Some(expires) = one.expires { ", expires " (parts::ago(expires, overview.now)) }
                " · " a href={ "/decisions/" (one.decision) } { "Why" }
            }
            @if visit.may(Role::Approver) { (forms::answer(visit, &one.customer, &one.decision, AnsweredOn::Overview)) }
        }
    }
}

fn held(overview: &Overview) -> Markup {
    html! {
        section aria-labelledby="held" data-live="held" {
            h2 id="held" { "Held back" }
            @if overview.held.is_empty() { (parts::nothing("All that was decided is carried out.")) }
            ul class="plain" { @for (why, held) in &overview.held {
                li { details {
                    summary { strong { (thousands(held.customers)) } " " (words::held(*why)) }
                    ul { @for case in &held.some {
                        li { (parts::customer(&case.customer)) " to " (parts::stage(case.stage))
                            @if let Some(held) = &case.held { " " span class="soft" { (held.reason) } }
                        }
                    } }
                    @if held.some.len() < held.customers { p class="soft" { "and " (thousands(held.customers - held.some.len())) " more" } }
                } }
            } }
        }
    }
}

fn switch(overview: &Overview, visit: &Visit) -> Markup {
    let is_paused = overview.switch.as_ref().is_some_and(|switch| switch.paused);
    html! {
        @if visit.may(Role::Operator) && !is_paused {
            section aria-labelledby="stop" {
                h2 id="stop" { "Stop it" }
                details class="act" {
                    summary { "Pause all enforcement" }
                    p class="soft" { "Decisions go on; nothing is changed at SendGrid until somebody resumes it. What a rule did is taken back under " a href="/activity#undo" { "Activity" } "." }
                    (forms::form(visit, &Form { act: "/enforcement/pause", button: "Pause enforcement", looks: "strong danger", why: "Why" }, &html! {}))
                }
            }
        }
    }
}

fn providers(overview: &Overview) -> Markup {
    let rows = Provider::ALL.map(|provider| (provider, Row::provider(&overview.fleet, provider)));
    let mut rows: Vec<_> = rows.into_iter().filter(|(_, row)| !row.is_empty()).collect();
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.day()));
    let rows: Vec<_> = rows.into_iter().map(|(provider, row)| (html! { (words::provider(provider)) }, row)).collect();
    html! {
        section aria-labelledby="providers" {
            h2 id="providers" { "Mailbox providers" }
            @if rows.is_empty() { (parts::nothing("No mail in the last 24 hours.")) }
            @else { (mail::table("Mail by mailbox provider", "Provider", &rows, &Row::all(&overview.fleet))) }
        }
    }
}

fn pools(overview: &Overview) -> Markup {
    let names = overview.fleet.windows.get(&Window::Day).into_iter().flat_map(|day| day.pools.keys());
    let link =
        |pool: &model::PoolName| html! { a href={ "/pools#pool-" (words::encoded(pool.as_str())) } { bdi { (pool) } } };
    let mut rows: Vec<_> = names.map(|pool| (link(pool), Row::pool(&overview.fleet, pool))).collect();
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.day()));
    html! {
        section aria-labelledby="pools" {
            h2 id="pools" { "IP pools" }
            @if rows.is_empty() { (parts::nothing("No event has named a pool in the last 24 hours.")) }
            @else { (mail::table("Mail by IP pool; complaints are of all mail delivered from it", "Pool", &rows, &Row::all(&overview.fleet))) }
        }
    }
}

fn worst(overview: &Overview) -> Markup {
    let table = html! {
        table class="figures" {
            caption { "Expected rates of the last 24 hours: few mails are taken to be like the fleet's" }
            thead { tr {
                th scope="col" { "Customer" } th scope="col" { "Stage" } th scope="col" { "Pool" }
                th scope="col" class="number" { "Hard bounces" } th scope="col" class="number" { "Complaints" } th scope="col" class="number" { "× fleet" }
            } }
            tbody { @for ranked in overview.worst.iter().take(super::WORST) { tr {
                th scope="row" { (parts::customer(&ranked.customer)) }
                td { (parts::stage(ranked.stage)) }
                td { @if let Some(pool) = &ranked.pool { bdi { (pool) } } @else { "–" } }
                td class="number" { (words::percent(ranked.hard_bounce.get())) }
                td class="number" { (words::percent(ranked.spam_report.get())) }
                td class="number" { (format!("{:.1}", ranked.times_the_fleet)) }
            } } }
        }
    };
    html! {
        section aria-labelledby="worst" {
            h2 id="worst" { "Worst customers" }
            @if overview.worst.is_empty() { (parts::nothing("Nobody's mail stands out.")) }
            @else { (parts::scrolling("Worst customers", &table)) }
        }
    }
}
