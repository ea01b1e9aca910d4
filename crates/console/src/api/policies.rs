//! The policy: which one is in force, and putting another in force.

use axum::extract::State;
use axum::extract::rejection::StringRejection;
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use model::{PolicyOrigin, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Caller;
use crate::acts::{self, Applied, PolicyWanted};
use crate::admin::Admin;
use crate::api::extract::Asked;
use crate::api::words::words;
use crate::etag::if_match;
use crate::problem::Problem;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyAnswer {
    digest: String,
    /// Where it comes from; nothing of what follows while no record of the log has put a policy in force.
    origin: Option<PolicyOrigin>,
    by: Option<String>,
    reason: Option<String>,
    since: Option<Timestamp>,
    /// The policy file, as it was given.
    text: Option<String>,
}

/// The policy in force, and who put it there. Its entity tag is what `If-Match` names where another is put in its place.
#[utoipa::path(get, path = "/v1/policy", responses((status = 200, description = "The policy", body = PolicyAnswer), (status = 503, description = "Not just now: try again in a moment")))]
pub(crate) async fn show(State(admin): State<Admin>) -> Result<Response, Problem> {
    let view = admin.policies.view().await?;
    let tag = AppendHeaders([(header::ETAG, acts::policy_tag(&view))]);
    let (since, text, change) = match view.record {
        Some(record) => (Some(record.since), Some(record.text), Some(record.change)),
        None => (None, None, None),
    };
    let origin = change.as_ref().map(|change| change.origin);
    let (by, reason) = change.map(|change| (change.by, change.reason)).unzip();
    Ok((tag, Json(PolicyAnswer { digest: view.digest, origin, by, reason, since, text })).into_response())
}

/// What a policy does about one thing.
#[derive(Debug, Serialize, ToSchema)]
struct About {
    /// A rule, a limit or a part of the file.
    about: String,
    /// In plain words, a sentence each.
    sentences: Vec<String>,
}

/// A policy in plain words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InWords {
    digest: String,
    /// In the order of its file.
    paragraphs: Vec<About>,
}

/// The policy in force, in plain words: what each rule and limit does, and how many mails convict.
#[utoipa::path(get, path = "/v1/policy/words", responses((status = 200, description = "The words", body = InWords), (status = 422, description = "This version can't read the policy in force"), (status = 503, description = "Not just now: try again in a moment")))]
pub(crate) async fn in_words(State(admin): State<Admin>) -> Result<Json<InWords>, Problem> {
    let view = admin.policies.view().await?;
    let policy = crate::policies::read(&view, &admin.policy).map_err(|error| Problem::faulty(&error))?;
    let paragraphs = policy.in_words().into_iter();
    let paragraphs = paragraphs.map(|paragraph| About { about: paragraph.about, sentences: paragraph.sentences });
    Ok(Json(InWords { digest: policy.digest().to_owned(), paragraphs: paragraphs.collect() }))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Author {
    /// Who puts it in force, where that is another than who sends it; without a token it has to be said.
    #[param(min_length = 1, max_length = 200)]
    by: Option<String>,
    /// Why.
    #[param(min_length = 1, max_length = 500)]
    reason: String,
}

/// Appends the policy to every partition of the log; each is under it from there on.
#[utoipa::path(post, path = "/v1/policy", params(Author, ("If-Match" = Option<String>, Header, description = "The entity tag of the policy that it is to replace: another one is left in force")), request_body(content = String, content_type = "text/plain", example = json!(policy::DEFAULT)), responses((status = 200, description = "It is in force", body = Applied), (status = 412, description = "Another policy is in force"), (status = 422, description = "The policy is unsound, or needs a restart"), (status = 503, description = "The log takes no record just now")))]
pub(crate) async fn apply(
    State(admin): State<Admin>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Asked(Author { by, reason }): Asked<Author>,
    body: Result<String, StringRejection>,
) -> Result<Json<Applied>, Problem> {
    let text = body.map_err(|rejection| Problem::new(rejection.status(), "no policy", rejection.body_text()))?;
    let wanted = PolicyWanted { text, instead_of: if_match(&headers) };
    acts::put_in_force(&admin, &caller, wanted, words(&caller, by, reason)?).await.map(Json)
}
