//! Who is let in, and what they may do.
//!
//! Somebody is known by a token, by a browser's session that began with one, or by the word of a proxy that has proven itself.
//! Where nothing of that is configured only this machine is listened to, and everybody on it may do everything.

mod attempts;
mod caller;
mod headers;
mod login;
mod origin;
mod proxy;
mod sessions;
mod tokens;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use telemetry::{IntCounterVec, Label, Registry};

use self::attempts::Attempts;
pub use self::caller::{Caller, Credential};
pub(crate) use self::headers::secure;
pub(crate) use self::login::router;
use self::origin::{Site, host, is_loopback, site};
pub use self::proxy::Proxy;
use self::sessions::Sessions;
pub use self::tokens::{Token, TokenError, new_token};
use crate::problem::Problem;
pub use model::Role;

/// The longest form whose origin is proven by a field of its own, in bytes: a policy file in it, and what its encoding adds.
const LONGEST_FORM: usize = 1 << 20;

/// Who is let in. Cheap to clone: all clones are one.
#[derive(Clone, Debug)]
pub struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tokens: Vec<Token>,
    proxy: Option<Proxy>,
    sessions: Sessions,
    attempts: Attempts,
    refused: IntCounterVec,
}

/// What forms of the caller's pages have to carry in the field `csrf`: in the extensions of each request that was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Csrf(pub(crate) String);

/// Why nobody can be let in.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// No random bytes for the sessions' key.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The metrics can't be told.
    #[error("what is refused can't be counted")]
    Metrics(#[from] telemetry::Error),
}

/// Why a request is not let in.
const REASONS: [&str; 6] = ["nobody", "wrong_token", "no_role", "login", "other_site", "form"];

/// Counts those that are not let in.
pub(crate) fn refusals(registry: &Registry) -> telemetry::Result<IntCounterVec> {
    let reasons = Label::words("reason", REASONS);
    registry.counters("weir_console_refused_total", "Requests that were not let in, by the reason.", &[reasons])
}

impl Access {
    /// Lets in whoever shows one of `tokens`, and whomever `proxy` names. With neither, everybody on this machine.
    ///
    /// # Errors
    ///
    /// [`AccessError`].
    pub fn new(tokens: Vec<Token>, proxy: Option<Proxy>, registry: &Registry) -> Result<Self, AccessError> {
        let refused = refusals(registry)?;
        let (sessions, attempts) = (Sessions::new()?, Attempts::default());
        Ok(Self(Arc::new(Inner { tokens, proxy, sessions, attempts, refused })))
    }

    /// Whether everybody who reaches the listener may do everything: it is to be reached from this machine alone.
    pub fn is_open(&self) -> bool {
        self.0.tokens.is_empty() && self.0.proxy.is_none()
    }

    /// Whether anybody is known by a token: a session begins with one.
    pub(crate) fn takes_tokens(&self) -> bool {
        !self.0.tokens.is_empty()
    }

    fn token(&self, shown: &str) -> Option<&Token> {
        tokens::find(&self.0.tokens, shown)
    }

    fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// Whether the browser speaks TLS, to whoever is before Weir: by its own word, or else by that of a proxy that has proven
    /// itself. A browser without TLS would not keep a cookie that asks for it.
    fn is_secure(&self, Peer(peer): Peer, headers: &HeaderMap) -> bool {
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        if let Some((scheme, _)) = origin.and_then(|origin| origin.split_once("://")) {
            return scheme.eq_ignore_ascii_case("https");
        }
        let is_proxys = self.0.proxy.as_ref().is_some_and(|proxy| proxy.is_proven(peer, headers));
        is_proxys && headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
    }

    /// Counts somebody who was not let in; the answer to one who was not too often.
    fn failed(&self, Peer(peer): Peer, reason: &str) -> Option<Response> {
        self.0.refused.with_label_values(&[reason]).inc();
        let Some(wait) = self.0.attempts.failed(peer, Instant::now()) else {
            let peer = peer.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string());
            tracing::warn!(peer, reason, "not let in");
            return None;
        };
        let detail = format!("too many attempts from this address have failed: try again in {wait} s");
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many attempts", detail);
        Some(([(header::RETRY_AFTER, wait.to_string())], problem).into_response())
    }

    /// Who asks, and what their forms have to carry.
    fn caller(&self, peer: Peer, headers: &HeaderMap) -> Result<(Caller, Csrf), Refused> {
        if self.is_open() {
            let caller = Caller { name: "local".to_owned(), role: Role::Approver, credential: Credential::Open };
            return Ok(self.with_form(caller));
        }
        if let Some(shown) = headers.get(header::AUTHORIZATION) {
            let shown = shown.to_str().ok().and_then(|shown| shown.split_once(' '));
            let shown = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            // A wrong one is told, whatever else there is. A proxy may leave its own people's credentials of another scheme.
            if let Some((_, shown)) = shown {
                let token = self.token(shown).ok_or(Refused::WrongToken)?;
                let (name, role) = (token.name.clone(), token.role);
                return Ok(self.with_form(Caller { name, role, credential: Credential::Token }));
            }
        }
        if let Some((caller, form)) = self.0.sessions.caller(headers, &self.0.tokens) {
            return Ok((caller, Csrf(form)));
        }
        match self.0.proxy.as_ref().and_then(|proxy| proxy.caller(peer.0, headers)) {
            Some(Ok(caller)) => Ok(self.with_form(caller)),
            Some(Err(name)) => Err(Refused::NoRole(name)),
            None => Err(Refused::Nobody),
        }
    }

    fn with_form(&self, caller: Caller) -> (Caller, Csrf) {
        let form = self.0.sessions.form_of(&caller);
        (caller, Csrf(form))
    }
}

/// Why somebody is not let in.
#[derive(Debug)]
enum Refused {
    /// Nothing was shown, or a session that is over.
    Nobody,
    /// A token that is none.
    WrongToken,
    /// The proxy has signed somebody in who is in no group that may do anything.
    NoRole(String),
}

/// Where a request comes from, as far as the connection tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())))
    }
}

/// Where everybody on this machine may do everything, answers to this machine's own names alone: a name that another site has
/// pointed here would make that site's pages ours.
pub(crate) async fn named_as(State(access): State<Access>, request: Request, next: Next) -> Response {
    if access.is_open() && !host(request.headers(), request.uri()).is_some_and(is_loopback) {
        let detail = "this listener is for this machine alone: ask it as localhost, or set up [[admin.token]]";
        return Problem::new(StatusCode::MISDIRECTED_REQUEST, "not by this name", detail).into_response();
    }
    next.run(request).await
}

/// Lets a request in, or does not: with its [`Caller`] and [`Csrf`] in the extensions.
pub(crate) async fn admit(State(access): State<Access>, peer: Peer, request: Request, next: Next) -> Response {
    if is_for_everybody(request.uri().path()) {
        return next.run(request).await;
    }
    let (caller, csrf) = match access.caller(peer, request.headers()) {
        Ok(known) => known,
        Err(refused) => return refuse(&access, peer, refused, &request),
    };
    let mut request = match prove(&access, &caller, &csrf, request).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(csrf);
    next.run(request).await
}

/// What the page for signing in needs.
fn is_for_everybody(path: &str) -> bool {
    path == "/login" || path == "/logout" || path.starts_with("/assets/")
}

fn refuse(access: &Access, peer: Peer, refused: Refused, request: &Request) -> Response {
    let is_page =
        request.method() == Method::GET && !request.uri().path().starts_with("/v1/") && accepts_html(request.headers());
    let (status, reason, detail) = match refused {
        Refused::Nobody if is_page => {
            let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
            let next: String = url_encoded(asked);
            return Redirect::to(&format!("/login?next={next}")).into_response();
        }
        Refused::Nobody => {
            (StatusCode::UNAUTHORIZED, "nobody", "show a token: `Authorization: Bearer …`; see docs/api.md".to_owned())
        }
        Refused::WrongToken => {
            (StatusCode::UNAUTHORIZED, "wrong_token", "the token is none that Weir knows".to_owned())
        }
        Refused::NoRole(name) => {
            let detail = format!("{name} is in no group that [admin.proxy] gives a role");
            (StatusCode::FORBIDDEN, "no_role", detail)
        }
    };
    if let Some(slowed) = access.failed(peer, reason) {
        return slowed;
    }
    let problem = Problem::new(status, "not let in", detail);
    let scheme = (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"weir\""));
    if status == StatusCode::UNAUTHORIZED { ([scheme], problem).into_response() } else { problem.into_response() }
}

/// Whether a page is what the answer is to be.
pub(crate) fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// Refuses what another site may have made somebody's browser ask. A token is shown by programs alone: no browser adds it.
async fn prove(access: &Access, caller: &Caller, csrf: &Csrf, request: Request) -> Result<Request, Problem> {
    if request.method().is_safe() || caller.credential == Credential::Token {
        return Ok(request);
    }
    let is_proven = match site(request.headers(), request.uri()) {
        Site::Same => true,
        Site::Other => false,
        // A program on this machine. Browsers that sign in, here or at a proxy, always tell.
        Site::Untold => caller.credential == Credential::Open,
    };
    if !is_proven {
        access.0.refused.with_label_values(&["other_site"]).inc();
        return Err(other_site());
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LONGEST_FORM).await.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the form is too long", "a form has at most a mebibyte")
    })?;
    if !carries(&body, csrf) {
        access.0.refused.with_label_values(&["form"]).inc();
        let detail = "the form is not of this session: go back, load the page again and send it from there";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not this session's form", detail));
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Whether a form's field `csrf` is what it has to be.
fn carries(form: &[u8], Csrf(wanted): &Csrf) -> bool {
    let mut fields = form.split(|byte| *byte == b'&');
    let shown = fields.find_map(|field| field.strip_prefix(b"csrf="));
    // It is of letters, digits, `-` and `_`, which no encoding changes.
    shown.is_some_and(|shown| aws_lc_rs::constant_time::verify_slices_are_equal(shown, wanted.as_bytes()).is_ok())
}

fn other_site() -> Problem {
    let detail = "the request does not come from a page of this console: nothing was changed";
    Problem::new(StatusCode::FORBIDDEN, "from another site", detail)
}

/// As it may stand in a query.
fn url_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let byte = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(byte).collect()
}
