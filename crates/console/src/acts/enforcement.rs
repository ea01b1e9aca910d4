//! All enforcement is stopped and goes on; and persons' words on it are written down.

use std::sync::Arc;

use log::{Append, Record, RecordKind, Route, Topic};
use model::{Act, Deed, EnforcementKey, Switch};
use serde::Serialize;

use super::Words;
use crate::access::{Caller, Role};
use crate::admin::Admin;
use crate::problem::Problem;

/// Stops all enforcement: nothing is changed at SendGrid until it is resumed.
pub(crate) async fn pause(admin: &Admin, caller: &Caller, words: Words) -> Result<(), Problem> {
    set(admin, caller, words, true).await
}

/// Lets enforcement go on.
pub(crate) async fn resume(admin: &Admin, caller: &Caller, words: Words) -> Result<(), Problem> {
    set(admin, caller, words, false).await
}

async fn set(admin: &Admin, caller: &Caller, words: Words, paused: bool) -> Result<(), Problem> {
    caller.may(Role::Operator)?;
    let (by, reason) = words.signed(caller)?;
    let switch = Switch { paused, by, reason, at: (admin.clock)() };
    let switch = switch.checked().map_err(|error| Problem::invalid(error.to_string()))?;
    let deed = if paused { Deed::Pause } else { Deed::Resume };
    let act = Act { at: switch.at, by: switch.by.clone(), reason: switch.reason.clone(), deed };
    say(admin, (&EnforcementKey::Switch, &switch), &act).await
}

/// Appends a person's word to the topic `enforcement`, where whoever it concerns reads it within moments, and what was done
/// with it, to be read back.
pub(super) async fn say<T: Serialize>(
    admin: &Admin,
    (key, word): (&EnforcementKey, &T),
    act: &Act,
) -> Result<(), Problem> {
    let value = serde_json::to_vec(word).map_err(|error| Problem::invalid(error.to_string()))?;
    let record = Record {
        kind: RecordKind::Command,
        at: (admin.clock)(),
        key: key.to_string().into(),
        headers: Arc::new([]),
        value: value.into(),
    };
    let append = Append { topic: Topic::Enforcement, route: Route::ByKey, record };
    admin.log.producer().append(vec![append, told(act)?]).await.map_err(|error| Problem::unavailable(error.to_string()))
}

/// The record that tells of an act.
pub(super) fn told(act: &Act) -> Result<Append, Problem> {
    decode::act(act).map_err(|error| Problem::invalid(error.to_string()))
}
