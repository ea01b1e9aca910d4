//! How enforcement is, and stopping it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Bound;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Broken, CaseView, CustomerId, EnforcerModes, HeldWhy, Switch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Caller;
use crate::acts;
use crate::admin::Admin;
use crate::api::extract::{Asked, Said};
use crate::api::words::{Accepted, Author, words};
use crate::problem::Problem;

/// Customers on one page at most.
const PAGE: usize = 100;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnforcerAnswer {
    /// How it acts; null while no enforcer has told.
    modes: Option<EnforcerModes>,
    /// Whether a person has stopped it ...
    paused: bool,
    /// ... and who set the switch last, and why; null where nobody ever did.
    switch: Option<Switch>,
    /// Why it makes no calls just now; null while SendGrid answers.
    breaker: Option<Broken>,
    /// What the API key lacks for what is configured: a use, and the scopes by SendGrid's names.
    missing_scopes: BTreeMap<String, Vec<String>>,
    /// How many customers are held back, by the reason.
    held_back: BTreeMap<HeldWhy, usize>,
    /// How many customers are where Weir has let them be put.
    in_force: usize,
}

/// How enforcement is.
#[utoipa::path(get, path = "/v1/enforcer", responses((status = 200, description = "How it is", body = EnforcerAnswer)))]
pub(crate) async fn show(State(admin): State<Admin>) -> Json<EnforcerAnswer> {
    Json(admin.index.enforcement(|enforcement| {
        let status = enforcement.status.clone().unwrap_or_default();
        let mut held_back = BTreeMap::new();
        for held in enforcement.cases.values().filter_map(|case| case.held.as_ref()) {
            *held_back.entry(held.why).or_default() += 1;
        }
        EnforcerAnswer {
            modes: enforcement.status.as_ref().map(|status| status.modes.clone()),
            paused: enforcement.switch.as_ref().is_some_and(|switch| switch.paused),
            switch: enforcement.switch.clone(),
            breaker: status.breaker,
            missing_scopes: status.missing_scopes,
            held_back,
            in_force: enforcement.cases.values().filter(|case| case.in_force.is_some()).count(),
        }
    }))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HeldQuery {
    /// For this reason only.
    #[param(inline)]
    why: Option<HeldWhy>,
    /// The `next` of an earlier page.
    after: Option<String>,
    /// Customers on the page; 100 unless said, and at most.
    #[param(value_type = Option<usize>, minimum = 1)]
    limit: Option<NonZeroUsize>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldList {
    held_back: Vec<CaseView>,
    /// What to ask for as `after` to go on; nothing where this is the end.
    next: Option<String>,
}

/// Who is held back, with the reason, by name.
#[utoipa::path(get, path = "/v1/enforcer/held", params(HeldQuery), responses((status = 200, description = "A page", body = HeldList)))]
pub(crate) async fn held(
    State(admin): State<Admin>,
    Asked(query): Asked<HeldQuery>,
) -> Result<Json<HeldList>, Problem> {
    let is_wanted =
        |case: &&CaseView| case.held.as_ref().is_some_and(|held| query.why.is_none_or(|why| held.why == why));
    let limit = query.limit.map_or(PAGE, NonZeroUsize::get).min(PAGE);
    let after = query.after.map(|after| read(&after).ok_or_else(Problem::no_cursor)).transpose()?;
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    Ok(Json(admin.index.enforcement(|enforcement| {
        let cases = enforcement.cases.range((from, Bound::Unbounded)).map(|(_, case)| case);
        let mut rest = cases.filter(is_wanted);
        let held_back: Vec<_> = rest.by_ref().take(limit).cloned().collect();
        let last = held_back.last().filter(|_| rest.next().is_some());
        let next = last.map(|case| URL_SAFE_NO_PAD.encode(case.customer.as_str()));
        HeldList { held_back, next }
    })))
}

/// The customer behind whom a page goes on.
fn read(cursor: &str) -> Option<CustomerId> {
    let name = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    CustomerId::new(&name).ok()
}

/// Stops all enforcement: nothing is changed at SendGrid until it is resumed.
#[utoipa::path(post, path = "/v1/enforcer/pause", request_body = Author, responses((status = 202, description = "It is on the log", body = Accepted), (status = 503, description = "The log takes no record just now")))]
pub(crate) async fn pause(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    Said(Author { by, reason }): Said<Author>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    acts::pause(&admin, &caller, words(&caller, by, reason)?).await?;
    Ok(Accepted::answer())
}

/// Lets enforcement go on.
#[utoipa::path(post, path = "/v1/enforcer/resume", request_body = Author, responses((status = 202, description = "It is on the log", body = Accepted), (status = 503, description = "The log takes no record just now")))]
pub(crate) async fn resume(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    Said(Author { by, reason }): Said<Author>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    acts::resume(&admin, &caller, words(&caller, by, reason)?).await?;
    Ok(Accepted::answer())
}
