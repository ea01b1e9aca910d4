//! One endpoint, and what it is told.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::Stage;

use crate::{Schedule, Secrets, Target};

/// A hook's name: letters, digits, `-`, `_` and `.`, as in keys and metrics. Its place in the log goes by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HookName(Arc<str>);

/// Why a text is no name of a hook.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name for a hook: 1 to 64 letters, digits, '-', '_' or '.' are")]
pub struct HookNameError(String);

impl HookName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// The name `text`.
    ///
    /// # Errors
    ///
    /// [`HookNameError`] where it is empty, too long, or has another character.
    pub fn new(text: &str) -> Result<Self, HookNameError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_name = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(is_plain);
        if is_name { Ok(Self(text.into())) } else { Err(HookNameError(text.to_owned())) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An endpoint; [`Hook::new`] has the documented defaults.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Its name.
    pub name: HookName,
    /// Where it is.
    pub target: Target,
    /// What its deliveries are signed with.
    pub secrets: Secrets,
    /// Of which decisions it is told: those that lead to one of these stages; all where `None`.
    pub stages: Option<BTreeSet<Stage>>,
    /// How long one try may take.
    pub timeout: Duration,
    /// When a delivery that failed is tried again.
    pub schedule: Schedule,
    /// How many deliveries may wait for a try; beyond them the log is not read further until one is done.
    pub most_waiting: usize,
}

impl Hook {
    /// A hook that is told of every decision, with tries of 15 s by the default schedule and 500 deliveries waiting at most.
    pub fn new(name: HookName, target: Target, secrets: Secrets) -> Self {
        Self {
            name,
            target,
            secrets,
            stages: None,
            timeout: Duration::from_secs(15),
            schedule: Schedule::default(),
            most_waiting: 500,
        }
    }

    pub(crate) fn wants(&self, stage: Stage) -> bool {
        self.stages.as_ref().is_none_or(|stages| stages.contains(&stage))
    }
}
