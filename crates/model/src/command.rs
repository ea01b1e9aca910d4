//! What a person tells Weir to do with a customer.

use serde::{Deserialize, Serialize};

use crate::{Phase, Stage, Timestamp};

/// A person's order, with who gave it and why. A record on `weir.events` like any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// What to do.
    #[serde(flatten)]
    pub order: Order,
    /// Why, in the author's words.
    pub reason: String,
    /// Who gave it.
    pub by: String,
}

/// What to do with a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Order {
    /// Leave the customer where it is until released: no rule moves it. Why it is there, and since when, stays as it was: a rule's
    /// decision that a person rejected or has yet to approve is not thereby approved.
    Hold,
    /// Back to healthy, with windows that begin now; ends a hold.
    Release,
    /// Put the customer there and hold it.
    SetStage {
        /// The stage.
        stage: Stage,
    },
    /// No rule moves the customer up until then; what rules would do is still said, in shadow.
    Exempt {
        /// When the rules speak again.
        until: Timestamp,
    },
    /// Take back what a rule did: back to the stage where the customer stood before, with windows that begin now. Its offences
    /// since then are forgotten. A customer that is held when the order is followed is left as it is; one that is no stricter
    /// than that stage by then stays where it is, and only its offences are forgotten.
    Undo {
        /// The stage before.
        stage: Stage,
        /// Since when the rule's decisions are taken back.
        since: Timestamp,
    },
    /// Put the customer into another phase of its life.
    SetPhase {
        /// The phase.
        phase: Phase,
    },
    /// Nothing: a person's words in the customer's history, and no more.
    Note,
}

/// Why a command can't be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// No author.
    #[error("`by` is empty: say who gives the command")]
    NoAuthor,
    /// No reason.
    #[error("`reason` is empty: say why, so that whoever reads the history understands")]
    NoReason,
}

impl Command {
    /// Refuses a command without author or reason.
    ///
    /// # Errors
    ///
    /// [`OrderError`] names what is missing.
    pub fn checked(self) -> Result<Self, OrderError> {
        OrderError::check(&self.by, &self.reason)?;
        Ok(self)
    }
}

impl OrderError {
    /// What is missing of author and reason, if anything is.
    pub(crate) fn check(by: &str, reason: &str) -> Result<(), Self> {
        if by.trim().is_empty() {
            return Err(Self::NoAuthor);
        }
        if reason.trim().is_empty() {
            return Err(Self::NoReason);
        }
        Ok(())
    }
}

impl Order {
    /// The name in JSON, and what stands in a decision's rule behind `command:`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Release => "release",
            Self::SetStage { .. } => "set_stage",
            Self::Exempt { .. } => "exempt",
            Self::Undo { .. } => "undo",
            Self::SetPhase { .. } => "set_phase",
            Self::Note => "note",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_as_the_api_shows_it() {
        let text = r#"{"type":"set_stage","stage":"banned","reason":"phishing","by":"ana"}"#;
        let command: Command = serde_json::from_str(text).unwrap();
        assert_eq!(command.order, Order::SetStage { stage: Stage::Banned });
        assert_eq!(serde_json::to_string(&command).unwrap(), text);
    }

    #[test]
    fn an_anonymous_command_is_refused() {
        let command = Command { order: Order::Hold, reason: "why not".into(), by: " ".into() };
        assert_eq!(command.checked(), Err(OrderError::NoAuthor));
    }
}
