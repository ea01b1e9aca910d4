//! Every change that a person can make, for the API and the pages alike.
//!
//! Nothing is changed here: what is wanted is checked, and a record with its author goes to the log.

mod approvals;
mod commands;
mod enforcement;
mod policies;
pub(crate) mod undo;

pub(crate) use self::approvals::{AnswerWanted, Answered, Verdict, answer, awaiting};
pub(crate) use self::commands::give;
pub(crate) use self::enforcement::{pause, resume};
pub(crate) use self::policies::{Applied, PolicyWanted, fixed, policy_tag, put_in_force};
pub(crate) use self::undo::{UndoWanted, Undone, undo};

use crate::access::Caller;

/// Why, and in whose name.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    /// Whom the caller names as author; the caller where it names nobody.
    pub(crate) by: Option<String>,
    /// Why, in the author's words.
    pub(crate) reason: String,
}

impl Words {
    /// The caller's own words.
    pub(crate) fn own(reason: impl Into<String>) -> Self {
        Self { by: None, reason: reason.into() }
    }

    /// The author whom the log names, and the reason.
    fn signed(self, caller: &Caller) -> (String, String) {
        (caller.author(self.by.as_deref()), self.reason)
    }
}
