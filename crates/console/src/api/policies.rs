//! The policy: which one is in force, and putting another in force.

use std::pin::Pin;
use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::StringRejection;
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use model::{PolicyOrigin, PolicyView, Timestamp};
use policy::Policy;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};
use utoipa::ToSchema;

use crate::Unavailable;
use crate::access::Caller;
use crate::acts::{self, Applied, PolicyWanted};
use crate::admin::Admin;
use crate::api::etag::if_match;
use crate::api::extract::Asked;
use crate::api::words::words;
use crate::problem::Problem;

/// The longest policy file that is taken, in bytes: far more than one has, far less than a record of Kafka may have.
pub(crate) const LONGEST: usize = 256 << 10;

/// The future answer about the policy in force.
pub type PolicyViewed = Pin<Box<dyn Future<Output = Result<PolicyView, Unavailable>> + Send>>;

/// The policy that this process has put in force last: whoever scores may not have read it yet.
#[derive(Clone, Debug)]
pub(crate) struct Latest {
    pub(crate) digest: String,
    pub(crate) since: Timestamp,
    /// The tag of the policy that was in force before by the word of whoever scores; `None` where nobody could tell.
    pub(crate) before: Option<String>,
}

/// Asks whoever scores for the policy in force, and lets one at a time put another in force. Cheap to clone: all clones are
/// one.
#[derive(Clone)]
pub struct Policies {
    ask: Arc<dyn Fn() -> PolicyViewed + Send + Sync>,
    turn: Arc<Mutex<Option<Latest>>>,
}

impl Policies {
    /// Asks by `ask`.
    pub fn new(ask: Arc<dyn Fn() -> PolicyViewed + Send + Sync>) -> Self {
        Self { ask, turn: Arc::default() }
    }

    /// The policy in force: that of the newest record, or the one that Weir was `started_with` while there is none. `None` where
    /// nobody can tell.
    pub(crate) async fn in_force(&self, started_with: &Arc<Policy>) -> Option<Arc<Policy>> {
        match self.view().await.ok()?.record {
            Some(record) => Policy::parse(&record.text).ok().map(Arc::new),
            None => Some(Arc::clone(started_with)),
        }
    }

    /// What is known of the policy in force.
    pub(crate) async fn view(&self) -> Result<PolicyView, Unavailable> {
        (self.ask)().await
    }

    /// Whoever puts a policy in force waits for this, and leaves there which one it was.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, Option<Latest>> {
        self.turn.lock().await
    }
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policies").finish_non_exhaustive()
    }
}

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
    let policy = match admin.policies.view().await?.record {
        Some(record) => Arc::new(Policy::parse(&record.text).map_err(|error| Problem::faulty(&error))?),
        None => Arc::clone(&admin.policy),
    };
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
