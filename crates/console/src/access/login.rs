//! A browser's session begins with a token, and ends.

use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Form, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::post;
use serde::Deserialize;

use super::origin::{Site, site};
use super::sessions::{clear_cookie, set_cookie};
use super::{Access, Peer, other_site, url_encoded};
use crate::admin::Admin;
use crate::problem::Problem;

/// The longest form that is read, in bytes.
const LONGEST: usize = 8 << 10;

/// Where sessions begin and end. The form itself is a page.
pub(crate) fn router() -> Router<Admin> {
    Router::new().route("/login", post(login)).route("/logout", post(logout)).layer(DefaultBodyLimit::max(LONGEST))
}

/// What the form of `/login` says.
#[derive(Deserialize)]
struct Login {
    token: String,
    /// Where to go then: a path of ours.
    #[serde(default)]
    next: String,
}

async fn login(
    State(access): State<Access>,
    peer: Peer,
    (uri, headers): (Uri, HeaderMap),
    form: Result<Form<Login>, FormRejection>,
) -> Result<Response, Problem> {
    if site(&headers, &uri) == Site::Other {
        return Err(other_site());
    }
    // What stood in the form is not said again: it may be a token.
    let Form(Login { token, next }) = form.map_err(|_| Problem::invalid("the form is to have a field `token`"))?;
    let next = if is_ours(&next) { next.as_str() } else { "/" };
    let Some(token) = access.token(&token) else {
        if let Some(refused) = access.failed(peer, "login") {
            return Ok(refused);
        }
        return Ok(Redirect::to(&format!("/login?failed=true&next={}", url_encoded(next))).into_response());
    };
    let session = access.sessions().begin(token).map_err(|error| Problem::unavailable(error.to_string()))?;
    let cookie = set_cookie(&session, access.is_secure(peer, &headers));
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(next)).into_response())
}

async fn logout(State(access): State<Access>, (uri, headers): (Uri, HeaderMap)) -> Result<Response, Problem> {
    if site(&headers, &uri) == Site::Other {
        return Err(other_site());
    }
    access.sessions().end(&headers);
    Ok((AppendHeaders([(header::SET_COOKIE, clear_cookie())]), Redirect::to("/login")).into_response())
}

/// Whether a place to go to is a path here, and not on another host.
fn is_ours(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t'])
}
