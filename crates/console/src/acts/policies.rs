//! A policy is put in force.

use axum::http::{HeaderValue, StatusCode};
use log::{Append, Record, Topic};
use model::{Act, Deed, PolicyChange, PolicyOrigin, PolicyView, Stage, Timestamp};
use policy::Policy;
use serde::Serialize;
use utoipa::ToSchema;

use super::Words;
use super::enforcement::told;
use crate::access::{Caller, Role};
use crate::admin::Admin;
use crate::etag::names;
use crate::policies::{LONGEST_POLICY, Latest};
use crate::problem::Problem;

/// A policy that is in force from here on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Applied {
    /// The digest that decisions under it carry.
    pub(crate) digest: String,
    /// How many rules it has.
    pub(crate) rules: usize,
    /// The digest of the one before; nothing where no scorer of this process could tell.
    pub(crate) previous: Option<String>,
}

/// A policy that is to be put in force.
#[derive(Clone, Debug)]
pub(crate) struct PolicyWanted {
    /// The policy file.
    pub(crate) text: String,
    /// The entity tags of which the policy in force has to have one; whichever is in force is replaced where none are named.
    pub(crate) instead_of: Option<HeaderValue>,
}

/// The entity tag of the policy in force: another one for each record that puts one in force.
pub(crate) fn policy_tag(view: &PolicyView) -> String {
    let since = view.record.as_ref().map(|record| record.since);
    tag_of(&view.digest, since)
}

fn tag_of(digest: &str, since: Option<Timestamp>) -> String {
    format!("\"{digest}-{}\"", since.map_or(0, Timestamp::millis))
}

/// Whether whoever scores has not read the latest policy yet.
fn is_unread(latest: &Latest, view: &PolicyView) -> bool {
    match &latest.before {
        // Another one than before it is it, or one behind it on the log: times don't tell, since another process's clock may lag.
        Some(before) => *before == policy_tag(view),
        None => {
            let since = view.record.as_ref().map(|record| record.since);
            latest.digest != view.digest && since.is_none_or(|since| latest.since >= since)
        }
    }
}

/// The digest and the entity tag of the policy in force. One that was put there a moment ago may not be known to the scorer yet.
fn in_force(view: &PolicyView, latest: Option<&Latest>) -> (String, String) {
    match latest {
        Some(latest) => (latest.digest.clone(), tag_of(&latest.digest, Some(latest.since))),
        None => (view.digest.clone(), policy_tag(view)),
    }
}

/// Appends the policy to every partition of the log; each is under it from there on.
pub(crate) async fn put_in_force(
    admin: &Admin,
    caller: &Caller,
    PolicyWanted { text, instead_of }: PolicyWanted,
    words: Words,
) -> Result<Applied, Problem> {
    caller.may(Role::Approver)?;
    let (by, reason) = words.signed(caller)?;
    let change = PolicyChange { origin: PolicyOrigin::Api, by, reason, file: None };
    let change = change.checked().map_err(|error| Problem::invalid(error.to_string()))?;
    if text.len() > LONGEST_POLICY {
        return Err(Problem::too_long());
    }
    let policy = Policy::parse(&text).map_err(|error| Problem::faulty(&error))?;
    if let Some(fixed) = fixed(&admin.policy, &policy) {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not without a restart", fixed));
    }
    // Two at once could stand in one order in this partition and in another in that.
    let mut latest = admin.policies.turn().await;
    let view = admin.policies.view().await;
    if view.as_ref().is_ok_and(|view| latest.as_ref().is_some_and(|latest| !is_unread(latest, view))) {
        *latest = None;
    }
    let before = view.as_ref().ok().map(policy_tag);
    let known = view.as_ref().map(|view| in_force(view, latest.as_ref()));
    if let Some(tags) = instead_of {
        let (_, tag) = known.as_ref().map_err(|unavailable| Problem::from(**unavailable))?;
        if !HeaderValue::try_from(tag).is_ok_and(|tag| names(&tags, &tag)) {
            let detail = format!("the policy in force is another one by now, {tag}: look at it, and decide anew");
            return Err(Problem::new(StatusCode::PRECONDITION_FAILED, "another policy is in force", detail));
        }
    }
    let since = (admin.clock)();
    let previous = known.ok().map(|(digest, _)| digest);
    let digest = policy.digest().to_owned();
    let deed = Deed::Policy { digest: digest.clone(), previous: previous.clone(), origin: change.origin };
    let act = Act { at: since, by: change.by.clone(), reason: change.reason.clone(), deed };
    let replaced = view.ok().and_then(|view| replaced(view, since));
    let record = decode::policy_record(since, &change, text);
    append(admin, &record, replaced.into_iter().chain([told(&act)?])).await?;
    *latest = Some(Latest { digest: digest.clone(), since, before });
    Ok(Applied { digest, rules: policy.rules().len(), previous })
}

/// What keeps the text of the policy that another one replaces, where a record of the log has it.
fn replaced(view: PolicyView, at: Timestamp) -> Option<Append> {
    Some(decode::replaced_policy(at, &view.digest, view.record?.text))
}

/// Appends the policy to each partition, and `others` with it.
async fn append(admin: &Admin, policy: &Record, others: impl IntoIterator<Item = Append>) -> Result<(), Problem> {
    let mut appends = admin.log.partitions().to_each(Topic::Events, policy);
    appends.extend(others);
    admin.log.producer().append(appends).await.map_err(|error| {
        Problem::unavailable(format!("{error}; some partitions may be under the policy already: send it again"))
    })
}

/// What `policy` would change that the other parts of Weir were started with: it can't be put in force.
pub(crate) fn fixed(started_with: &Policy, policy: &Policy) -> Option<String> {
    let differs = |stage| started_with.pool(stage) != policy.pool(stage);
    let what = if started_with.mode() != policy.mode() {
        "mode"
    } else if Stage::ALL.into_iter().any(differs) {
        "[pools]"
    } else {
        return None;
    };
    Some(format!(
        "{what} is another than that which Weir was started with, and the enforcer keeps to that: \
         leave {what} as it is, or change the policy file of the configuration and restart"
    ))
}
