//! Every change that a person can make, and what waits for one, for the API and the pages alike.
//!
//! Nothing is changed here: what is wanted is checked, and a record with its author goes to the log.

mod accounts;
mod approvals;
mod commands;
mod enforcement;
mod policies;
mod replay;
pub(crate) mod undo;

pub(crate) use self::accounts::acknowledge;
pub(crate) use self::approvals::{AnswerWanted, Answered, Approval, Verdict, all_awaiting, answer, awaiting};
pub(crate) use self::commands::give;
pub(crate) use self::enforcement::{pause, resume};
pub(crate) use self::policies::{Applied, PolicyWanted, fixed, policy_tag, put_in_force};
pub(crate) use self::replay::{ReplayWanted, Replayed, SpanWanted, replay};
pub(crate) use self::undo::{UndoWanted, Undone, undo};

use crate::access::Caller;
use crate::problem::Problem;

/// The longest author, in characters.
const AUTHOR: usize = 200;
/// The longest reason, in characters.
const REASON: usize = 500;

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

    /// The author whom the log names, and the reason. What is longer than anybody reads is refused: it stands in each history that
    /// shows it. The caller's own name, which may stand beside the author's, is as long as it is.
    fn signed(self, caller: &Caller) -> Result<(String, String), Problem> {
        let Self { by, reason } = self;
        for (name, text, longest) in [("by", by.as_deref().unwrap_or_default(), AUTHOR), ("reason", &reason, REASON)] {
            if text.chars().nth(longest).is_some() {
                return Err(Problem::invalid(format!("`{name}` is longer than {longest} characters: say it in fewer")));
            }
        }
        Ok((caller.author(by.as_deref()), reason))
    }
}
