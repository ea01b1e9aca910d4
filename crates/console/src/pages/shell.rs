//! What is around every page: the head, where one can go, who one is.

use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

use super::assets::{ICON, SCRIPT, STYLE};
use super::forms;
use super::visit::Visit;
use crate::access::Credential;

/// The pages that the navigation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Overview,
    Customers,
    Pools,
    Policy,
    Activity,
    /// Somewhere else.
    Elsewhere,
}

const PLACES: [(Place, &str, &str); 5] = [
    (Place::Overview, "/", "Overview"),
    (Place::Customers, "/customers", "Customers"),
    (Place::Pools, "/pools", "Pools"),
    (Place::Policy, "/policy", "Policy"),
    (Place::Activity, "/activity", "Activity"),
];

/// A whole page.
pub(crate) fn page(visit: &Visit, place: Place, title: &str, body: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body {
                a class="skip" href="#main" { "Skip to the content" }
                header class="top" {
                    a class="brand" href="/" aria-label="Weir, overview" { (glyph()) "weir" }
                    nav aria-label="Pages" { ul {
                        @for (there, path, name) in PLACES {
                            li { a href=(path) aria-current=[(there == place).then_some("page")] { (name) } }
                        }
                    } }
                    (who(visit))
                }
                main id="main" tabindex="-1" {
                    // The script says here since when it could not keep the figures up.
                    p class="banner warn" role="status" id="stale" hidden {}
                    @if let Some(done) = visit.done { p class="done" role="status" { (done.words()) } }
                    @if visit.is_starting {
                        div class="banner warn" role="status" { p {
                            strong { "Weir is starting. " } "The log is still being read: figures and lists are not whole yet. Load the page again in a moment."
                        } }
                    }
                    (body)
                }
                footer class="foot" {
                    p { "All times are UTC. Rates are of mails attempted, complaints of mails delivered to providers that report them." }
                    p { a href="/v1/docs" { "API" } " · " a href="/metrics" { "Metrics" } }
                }
            }
        }
    };
    Html(page.into_string())
}

/// A page without the rest of the console around it: for who is not let in yet, and for errors.
pub(crate) fn bare(title: &str, body: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body class="bare" {
                header class="top" { a class="brand" href="/" aria-label="Weir, overview" { (glyph()) "weir" } }
                main id="main" { (body) }
            }
        }
    };
    Html(page.into_string())
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="same-origin";
            title { (title) " · Weir" }
            link rel="icon" type="image/svg+xml" href=(ICON.path);
            link rel="stylesheet" href=(STYLE.path);
            script src=(SCRIPT.path) defer {}
        }
    }
}

fn who(visit: &Visit) -> Markup {
    html! {
        div class="who" {
            span { bdi { (visit.caller.name) } " " span class="soft" { (visit.role()) } }
            @if visit.caller.credential == Credential::Session {
                form method="post" action="/logout" {
                    (forms::csrf(visit))
                    button class="quiet" type="submit" { "Log out" }
                }
            }
        }
    }
}

/// Water that goes over a weir.
fn glyph() -> Markup {
    html! {
        svg class="glyph" viewBox="0 0 32 32" aria-hidden="true" focusable="false" {
            path d="M3 9c5 0 5 4 10 4s5-4 10-4 4 3 6 3M3 17c5 0 5 4 10 4s5-4 10-4 4 3 6 3" {}
            path class="sill" d="M3 27h26" {}
        }
    }
}
