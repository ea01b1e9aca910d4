//! The page that asks who one is.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::shell;
use crate::access::Access;

/// What whoever is sent here is sent with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// Where to go then.
    next: String,
    /// Whether the token that was shown was none.
    failed: bool,
}

/// Answers `GET /login`.
pub(super) async fn show(State(access): State<Access>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    if access.is_open() {
        // Nobody is asked.
        return Redirect::to("/").into_response();
    }
    let asked = asked.map_or_else(|_| Asked::default(), |Query(asked)| asked);
    let body = if access.takes_tokens() { form(&asked) } else { elsewhere() };
    shell::bare("Sign in", &body).into_response()
}

fn form(asked: &Asked) -> Markup {
    html! {
        h1 { "Sign in" }
        @if asked.failed { p class="banner alarm" role="alert" { strong { "That is no token that Weir knows. " } "Was all of it copied, from " code { "weir_" } " on?" } }
        form class="sign-in" method="post" action="/login" {
            input type="hidden" name="next" value=(asked.next);
            label class="field" { span { "Your token" } input type="password" name="token" required autofocus autocomplete="current-password" spellcheck="false" aria-describedby="token-hint"; }
            button class="strong" type="submit" { "Sign in" }
            p class="soft" id="token-hint" { "A token begins with " code { "weir_" } ". " code { "weir token new" } " makes one; whoever runs Weir puts its digest into the configuration, under " code { "[[admin.token]]" } "." }
        }
    }
}

/// Where a proxy alone tells who somebody is.
fn elsewhere() -> Markup {
    html! {
        h1 { "Sign in" }
        p { "People are signed in by the proxy before this console, and not here: come in by its address." }
    }
}
