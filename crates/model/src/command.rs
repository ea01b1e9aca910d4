//! What a person tells Weir to do with a customer.

use serde::{Deserialize, Serialize};

use crate::{Phase, Role, Stage, Timestamp};

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
    /// What its author may do; `None` in records of versions that did not write it, which are followed as they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// What to do with a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Order {
    /// Leave the customer where it is until then, or until it is released: no rule moves it. Why it is there, and since when, stays
    /// as it was: a rule's decision that a person rejected or has yet to approve is not thereby approved.
    Hold {
        /// When rules move it again; `None`: when it is released.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// One stage down the ladder, as a rule would, with windows that begin now; ends a hold.
    Release {
        /// Back to healthy at once. Records of versions that knew no probation mean this.
        #[serde(default = "yes")]
        fully: bool,
    },
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
    /// A mailer asks about a customer that Weir does not know: it begins. Says nothing about a known one.
    Register {
        /// In which phase; `None`: as the policy has newcomers begin.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phase: Option<Phase>,
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
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn check(by: &str, reason: &str) -> Result<(), Self> {
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
    /// The names of all orders that a person gives about one customer.
    pub const NAMES: [&'static str; 6] = ["hold", "release", "set_stage", "exempt", "set_phase", "note"];

    /// The members that JSON has of an order beside its `type`; `None` where no order is called `name`.
    pub fn members(name: &str) -> Option<&'static [&'static str]> {
        match name {
            "hold" | "exempt" => Some(&["until"]),
            "release" => Some(&["fully"]),
            "set_stage" => Some(&["stage"]),
            "undo" => Some(&["stage", "since"]),
            "set_phase" | "register" => Some(&["phase"]),
            "note" => Some(&[]),
            _ => None,
        }
    }

    /// The name in JSON, and what stands in a decision's rule behind `command:`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold { .. } => "hold",
            Self::Release { .. } => "release",
            Self::SetStage { .. } => "set_stage",
            Self::Exempt { .. } => "exempt",
            Self::Undo { .. } => "undo",
            Self::SetPhase { .. } => "set_phase",
            Self::Register { .. } => "register",
            Self::Note => "note",
        }
    }
}

const fn yes() -> bool {
    true
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
    fn a_record_of_a_version_without_probation_releases_fully() {
        let command: Command = serde_json::from_str(r#"{"type":"release","reason":"false alarm","by":"ana"}"#).unwrap();
        assert_eq!((command.order, command.role), (Order::Release { fully: true }, None));
        let command: Command = serde_json::from_str(r#"{"type":"hold","reason":"wait","by":"ana"}"#).unwrap();
        assert_eq!(command.order, Order::Hold { until: None });
    }

    #[test]
    fn the_members_of_an_order_are_those_that_it_is_written_with() {
        let until = Timestamp::from_seconds(0);
        for order in [
            Order::Hold { until: Some(until) },
            Order::Release { fully: false },
            Order::SetStage { stage: Stage::Watch },
            Order::Exempt { until },
            Order::Undo { stage: Stage::Watch, since: until },
            Order::SetPhase { phase: Phase::Pilot },
            Order::Register { phase: Some(Phase::Pilot) },
            Order::Note,
        ] {
            let json = serde_json::to_value(order).unwrap();
            let mut written: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
            written.retain(|name| *name != "type");
            let mut members = Order::members(order.name()).unwrap().to_vec();
            written.sort_unstable();
            members.sort_unstable();
            assert_eq!(written, members, "{order:?}");
        }
        assert!(Order::NAMES.iter().all(|name| Order::members(name).is_some()));
    }

    #[test]
    fn an_anonymous_command_is_refused() {
        let command = Command { order: Order::Note, reason: "why not".into(), by: " ".into(), role: None };
        assert_eq!(command.checked(), Err(OrderError::NoAuthor));
    }
}
