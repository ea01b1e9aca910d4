//! What has to be known before all else: an incident, a pause, a SendGrid that fails, a key that lacks scopes.

use maud::{Markup, html};
use model::figures::{count, list, thousands};
use model::{AccountStatusChange, Bucket, Cell, CellCounts, EnforcerModes, Fleet, Grain, HeldWhy, Millis, Rate};
use policy::{OpenIncident, Trouble};

use super::Overview;
use crate::access::Role;
use crate::pages::forms::{self, Form};
use crate::pages::visit::Visit;
use crate::pages::{parts, words};

/// A fleet this old says that the scorers stand still.
const STALE: Millis = Millis::minutes(10);

pub(super) fn banners(overview: &Overview, visit: &Visit) -> Markup {
    let incidents = overview.incidents.iter().map(|incident| self::incident(incident, &overview.fleet));
    let told: Vec<Markup> = overview
        .accounts
        .iter()
        .map(|change| account(change, overview, visit))
        .chain(incidents)
        .chain(stands_still(overview))
        .chain(paused(overview, visit))
        .chain(broken(overview))
        .chain(scopes(overview))
        .chain(no_key(overview))
        .chain(policy(overview))
        .collect();
    html! {
        @if !told.is_empty() {
            section class="banners" aria-labelledby="attention" {
                h2 id="attention" class="unseen" { "What needs attention" }
                @for banner in &told { (banner) }
            }
        }
    }
}

/// What SendGrid did to the account or to a subuser.
fn account(change: &AccountStatusChange, overview: &Overview, visit: &Visit) -> Markup {
    html! {
        div class="banner alarm" {
            p {
                strong { "SendGrid " (change.status.verb()) " " (parts::account(&change.customer)) ". " }
                "It said so (" code { (change.status.name()) } ") " (parts::moment(change.at, overview.now)) ". Mail is refused until it is active again: "
                "find whose mail it is about, and answer SendGrid's compliance team."
            }
            @if visit.may(Role::Operator) {
                @let whom = html! { input type="hidden" name="customer" value=(change.customer); };
                (forms::form(visit, &Form { act: "/account-status/acknowledge", button: "Acknowledge", looks: "", why: "Who works on it, and how" }, &whom))
            }
        }
    }
}

/// An incident that is open, with its figures of the last hour.
pub(crate) fn incident(incident: &OpenIncident, fleet: &Fleet) -> Markup {
    let what = match incident.trouble {
        Trouble::HardBounce => "refused for good",
        Trouble::Block => "blocked",
        Trouble::Deferral => "deferred",
    };
    let [hits, mails] = last_hour(incident, fleet);
    html! {
        div class="banner incident" {
            p {
                strong {
                    "Incident at " (words::provider(incident.provider))
                    @if let Some(pool) = &incident.pool { " for pool " bdi { (pool) } }
                    ". "
                }
                "Of the last hour's " (count(mails, "mail", "mails")) " there, "
                (thousands(hits)) " were " (what) " (" (words::percent(Rate::of(hits, mails).get())) ")."
            }
            p class="soft" { "No customer is charged for its mail there while it lasts." }
        }
    }
}

/// Mails that it befell, and mails, of the last hour.
fn last_hour(incident: &OpenIncident, fleet: &Fleet) -> [u32; 2] {
    let Some(now) = fleet.as_of else { return [0, 0] };
    let grain = Grain::FiveMinutes;
    let cells = incident.pool.as_ref().map_or(Some(&fleet.cells), |pool| fleet.pool(pool));
    let newest = Bucket::of(grain, now);
    let buckets = (0..grain.reach()).map(|back| Cell { grain, bucket: newest.back(back), provider: incident.provider });
    let counts = buckets.filter_map(|cell| cells.map(|cells| cells.at(cell)));
    let sum = counts.fold(CellCounts::default(), CellCounts::plus);
    let hits = match incident.trouble {
        Trouble::HardBounce => sum.hard_bounce,
        Trouble::Block => sum.block,
        Trouble::Deferral => sum.first_deferral,
    };
    [hits, sum.attempted]
}

fn stands_still(overview: &Overview) -> Option<Markup> {
    let Some(as_of) = overview.fleet.as_of else {
        return Some(html! {
            div class="banner warn" { p { strong { "No figures yet. " } "No scorer has told its share of the fleet's counts: does one run, and does mail come in?" } }
        });
    };
    (overview.now.since(as_of) > STALE).then(|| {
        html! {
            div class="banner alarm" { p {
                strong { "The figures stand still. " }
                "The latest are of " (parts::moment(as_of, overview.now)) ": a scorer lags or does not run, and what customers do now is not judged."
            } }
        }
    })
}

fn paused(overview: &Overview, visit: &Visit) -> Option<Markup> {
    let switch = overview.switch.as_ref().filter(|switch| switch.paused)?;
    Some(html! {
        div class="banner warn" {
            p {
                strong { "Enforcement is paused. " }
                "By " bdi { (switch.by) } " since " (parts::moment(switch.at, overview.now)) ": " q { bdi { (switch.reason) } }
                " Decisions are still made; nothing is changed at SendGrid."
            }
            @if visit.may(Role::Operator) {
                (forms::form(visit, &Form { act: "/enforcement/resume", button: "Resume enforcement", looks: "", why: "Why it may go on" }, &html! {}))
            }
        }
    })
}

fn broken(overview: &Overview) -> Option<Markup> {
    let broken = overview.status.as_ref()?.breaker.as_ref()?;
    Some(html! {
        div class="banner alarm" { p {
            strong { "SendGrid does not answer as it should. " }
            "No calls are made since " (parts::moment(broken.since, overview.now)) ": " (broken.reason)
            " What was decided is carried out once it answers."
        } }
    })
}

fn scopes(overview: &Overview) -> Option<Markup> {
    let missing = &overview.status.as_ref()?.missing_scopes;
    (!missing.is_empty()).then(|| {
        html! {
            div class="banner warn" {
                p { strong { "The API key lacks scopes " } "for what is configured. Give them to it at SendGrid, under Settings, API Keys." }
                ul { @for (use_, scopes) in missing { li { (use_) ": " code { (list(scopes)) } } } }
            }
        }
    })
}

fn no_key(overview: &Overview) -> Option<Markup> {
    let held = overview.held.get(&HeldWhy::NoKey)?;
    Some(html! {
        div class="banner warn" { p {
            strong { "There is no API key. " }
            (count(held.customers, "customer waits", "customers wait")) " for it to be moved at SendGrid."
        } }
    })
}

fn policy(overview: &Overview) -> Option<Markup> {
    (!overview.is_policy_known).then(|| {
        html! {
            div class="banner" { p {
                "No scorer of this process tells which policy is in force, so that incidents can't be told here. Ask a process with the roles scorer and console."
            } }
        }
    })
}

/// How enforcement acts, in a few words.
pub(super) fn acting(overview: &Overview) -> (String, &'static str) {
    let Some(status) = &overview.status else {
        return ("No enforcer has told how it is".to_owned(), "warn");
    };
    if overview.switch.as_ref().is_some_and(|switch| switch.paused) {
        return ("Paused".to_owned(), "warn");
    }
    if status.breaker.is_some() {
        return ("SendGrid fails".to_owned(), "alarm");
    }
    (modes(&status.modes), "good")
}

fn modes(modes: &EnforcerModes) -> String {
    if modes.is_all_shadow() { "Shadow: only said".to_owned() } else { modes.to_string() }
}

/// How many are held back, and for what above all.
pub(super) fn held_back(overview: &Overview) -> String {
    let all: usize = overview.held.values().map(|held| held.customers).sum();
    match overview.held.iter().max_by_key(|(_, held)| held.customers) {
        None => "Nothing is held back".to_owned(),
        Some((why, _)) => format!("{} held back, most: {}", thousands(all), words::held(*why)),
    }
}
