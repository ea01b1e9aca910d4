//! The policy: what is in force, in words; and another one, which is checked, tried and put in force.

mod changes;
mod faults;
mod trial;
mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Form, Query, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use model::{PolicyView, without_addresses};
use policy::{Fault as Wrong, Policy};
use serde::Deserialize;
use tokio::time::Instant;

use self::changes::Change;
pub(super) use self::view::back;
use super::faults::Fault;
use super::forms::{self, Signature};
use super::shell::{self, Place};
use super::visit::{Done, Visit};
use crate::access::Role;
use crate::acts::{self, PolicyWanted};
use crate::admin::Admin;
use crate::api::backtest::{self, Tried};
use crate::policies::{self, LONGEST_POLICY};
use crate::problem::Problem;

/// How long a policy that was put in force is waited for, until a scorer says that it judges by it.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(50);

/// The policy in force.
#[derive(Debug)]
struct InForce {
    view: PolicyView,
    policy: Arc<Policy>,
    /// What tells it from any other that was or will be in force.
    tag: String,
    /// The digest of the one before, where that can be put back.
    before: Option<String>,
}

/// A policy that is not in force, as a form sends it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Draft {
    text: String,
    /// The tag of the policy in force when it was begun.
    #[serde(default)]
    instead_of: String,
    /// The digest of the text whose changes were shown last.
    #[serde(default)]
    seen: String,
    #[serde(flatten)]
    signature: Signature,
}

/// What came of a draft.
#[derive(Debug)]
enum Outcome {
    /// It can't be read as a policy.
    Faulty(Vec<Wrong>),
    /// It can.
    Sound {
        /// What it changes, in words.
        changes: Vec<Change>,
        /// Why it can't be put in force all the same.
        fixed: Option<String>,
        then: Then,
    },
}

/// What was done with a draft that can be read.
#[derive(Debug)]
enum Then {
    /// It was only read.
    Checked,
    Tried(Result<Box<Tried>, Problem>),
    /// It was to be put in force, and nobody has seen yet what it changes.
    Unseen,
    /// It was not put in force.
    Refused(Problem),
}

/// What the page tells of a draft.
#[derive(Debug)]
struct Worked {
    in_force: InForce,
    draft: Draft,
    /// Whether another policy came in force since the draft was begun.
    is_overtaken: bool,
    outcome: Outcome,
}

/// The policy that is to be put back.
#[derive(Debug, Deserialize)]
pub(super) struct Back {
    /// The digest of one that was replaced.
    #[serde(default)]
    back: String,
}

/// Answers `/policy`: the one in force, or one that was replaced, checked.
pub(super) async fn show(
    State(admin): State<Admin>,
    visit: Visit,
    Query(Back { back }): Query<Back>,
) -> Result<Response, Fault> {
    let in_force = InForce::ask(&admin).await.map_err(Fault::of(&visit))?;
    if !back.is_empty() {
        let text = admin.index.replaced_policy(&back).ok_or_else(|| Fault::of(&visit)(unknown(&back)))?;
        let draft = Draft { text: text.to_string(), instead_of: in_force.tag, ..Draft::default() };
        return work(&admin, &visit, draft, async |draft, in_force| checked(&admin, draft, in_force, Then::Checked))
            .await;
    }
    let body = view::policy(&in_force, &visit);
    Ok(shell::page(&visit, Place::Policy, "Policy", &body).into_response())
}

fn unknown(digest: &str) -> Problem {
    let detail =
        format!("the text of policy {digest} is not known here: only the last ones that were replaced are kept");
    Problem::new(StatusCode::NOT_FOUND, "no such policy", without_addresses(&detail))
}

/// Answers `POST /policy/check`.
pub(super) async fn check(
    State(admin): State<Admin>,
    visit: Visit,
    Form(draft): Form<Draft>,
) -> Result<Response, Fault> {
    work(&admin, &visit, draft, async |draft, in_force| checked(&admin, draft, in_force, Then::Checked)).await
}

/// Answers `POST /policy/try`.
pub(super) async fn try_out(
    State(admin): State<Admin>,
    visit: Visit,
    Form(draft): Form<Draft>,
) -> Result<Response, Fault> {
    visit.caller.may(Role::Operator).map_err(Fault::of(&visit))?;
    let tried = async |draft: &Draft, in_force: &InForce| {
        let mut outcome = checked(&admin, draft, in_force, Then::Checked);
        if let Outcome::Sound { then, .. } = &mut outcome {
            *then = Then::Tried(backtest::tried(&admin, &draft.text).await.map(Box::new));
        }
        outcome
    };
    work(&admin, &visit, draft, tried).await
}

/// Answers `POST /policy/activate`.
pub(super) async fn activate(
    State(admin): State<Admin>,
    visit: Visit,
    Form(draft): Form<Draft>,
) -> Result<Response, Fault> {
    let draft = draft.tidied();
    // The field can be written in after a check: what was shown then says nothing of what would be put in force now.
    if Policy::parse(&draft.text).is_ok_and(|policy| policy.digest() != draft.seen) {
        let unseen = async |draft: &Draft, in_force: &InForce| checked(&admin, draft, in_force, Then::Unseen);
        return work(&admin, &visit, draft, unseen).await;
    }
    let words = draft.signature.clone().words(&visit);
    let wanted = PolicyWanted { text: draft.text.clone(), instead_of: Some(draft.tag()) };
    match acts::put_in_force(&admin, &visit.caller, wanted, words).await {
        Ok(applied) => {
            taken_up(&admin, &applied.digest).await;
            Ok(forms::back("/policy", Done::Policy))
        }
        Err(problem) => {
            let refused =
                async |draft: &Draft, in_force: &InForce| checked(&admin, draft, in_force, Then::Refused(problem));
            work(&admin, &visit, draft, refused).await
        }
    }
}

/// Shows what came of a draft, with its text, so that nothing that was written is lost.
async fn work(
    admin: &Admin,
    visit: &Visit,
    draft: Draft,
    come_of: impl AsyncFnOnce(&Draft, &InForce) -> Outcome,
) -> Result<Response, Fault> {
    let fault = Fault::of(visit);
    let mut draft = draft.tidied();
    if draft.text.len() > LONGEST_POLICY {
        return Err(fault(Problem::too_long()));
    }
    let in_force = InForce::ask(admin).await.map_err(&fault)?;
    let outcome = come_of(&draft, &in_force).await;
    // Whoever has been told decides anew, about the one that is in force now.
    let is_overtaken = draft.instead_of != in_force.tag;
    draft.instead_of.clone_from(&in_force.tag);
    draft.seen = Policy::parse(&draft.text).map_or_else(|_| String::new(), |policy| policy.digest().to_owned());
    let status = outcome.status();
    let body = view::worked(&Worked { in_force, draft, is_overtaken, outcome }, visit);
    Ok((status, shell::page(visit, Place::Policy, "Policy", &body)).into_response())
}

fn checked(admin: &Admin, draft: &Draft, in_force: &InForce, then: Then) -> Outcome {
    match Policy::parse(&draft.text) {
        Ok(policy) => Outcome::Sound {
            changes: changes::between(&in_force.policy.in_words(), &policy.in_words()),
            fixed: acts::fixed(&admin.policy, &policy),
            then,
        },
        Err(error) => Outcome::Faulty(error.faults.into_iter().map(without_anybody).collect()),
    }
}

/// What stood in the text is not said again where it may be a recipient's address.
fn without_anybody(wrong: Wrong) -> Wrong {
    Wrong { message: without_addresses(&wrong.message), ..wrong }
}

/// Waits a moment until a scorer judges by the policy, so that the page that follows shows it.
async fn taken_up(admin: &Admin, digest: &str) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline && admin.policies.view().await.is_ok_and(|view| view.digest != digest) {
        tokio::time::sleep(LOOK).await;
    }
}

impl InForce {
    async fn ask(admin: &Admin) -> Result<Self, Problem> {
        let view = admin.policies.view().await?;
        let policy = policies::read(&view, &admin.policy).map_err(|error| Problem::faulty(&error))?;
        let before = admin.index.policy_before(&view.digest);
        let before = before.filter(|digest| admin.index.replaced_policy(digest).is_some());
        Ok(Self { before, tag: acts::policy_tag(&view), policy, view })
    }

    /// The text of its file; nothing where no record of the log has it.
    fn text(&self) -> &str {
        self.view.record.as_ref().map_or("", |record| &record.text)
    }
}

impl Draft {
    /// With the line breaks that were meant: forms have others.
    fn tidied(self) -> Self {
        Self { text: self.text.replace("\r\n", "\n"), ..self }
    }

    /// As `If-Match` has it. What is no tag names none.
    fn tag(&self) -> HeaderValue {
        HeaderValue::from_str(&self.instead_of).unwrap_or(HeaderValue::from_static("\"\""))
    }
}

impl Outcome {
    fn status(&self) -> StatusCode {
        match self {
            Self::Faulty(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Sound { then: Then::Tried(Err(problem)) | Then::Refused(problem), .. } => problem.status(),
            Self::Sound { then: Then::Unseen, .. } => StatusCode::CONFLICT,
            Self::Sound { then: Then::Checked | Then::Tried(Ok(_)), .. } => StatusCode::OK,
        }
    }
}
