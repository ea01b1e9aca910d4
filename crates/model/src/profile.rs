//! Everything about a customer that is not a count.

use serde::{Deserialize, Serialize};

use crate::{CustomerId, Offset, Phase, Reason, Stage, Timestamp};

/// What persons ordered and rules decided about a customer: a record on the compacted topic `profiles`, keyed by customer.
///
/// Counts follow from the events that the log still has. This does not: it holds after retention has deleted the commands and
/// events that brought it about, so a scorer whose state is lost reads it before it reads events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Whom it concerns.
    pub customer: CustomerId,
    /// When Weir first heard of the customer.
    pub known_since: Timestamp,
    /// Where the customer is in its life on the platform.
    pub phase: Phase,
    /// How far it has come as a pilot.
    pub pilot: PilotStep,
    /// How freely it may send.
    pub stage: Stage,
    /// Since when it is in that stage.
    pub since: Timestamp,
    /// When a person last ordered its stage; `None` where nobody ever did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered: Option<Timestamp>,
    /// A person's order that no rule moves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
    /// Until when a person has exempted it from going up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exempt_until: Option<Timestamp>,
    /// When rules moved it to throttled or worse, oldest first.
    pub offences: Vec<Timestamp>,
    /// Where its windows begin anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Released>,
    /// Why it is in its stage.
    pub reasons: Vec<Reason>,
    /// What persons wrote about it, oldest first; the latest of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<CustomerNote>,
}

/// How far a pilot customer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PilotStep {
    /// Which of the policy's daily caps it has, from 0.
    pub step: usize,
    /// Since when.
    pub since: Timestamp,
}

/// A person's order that no rule moves a customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// When it was given.
    pub since: Timestamp,
    /// When it ends; `None` where only a person ends it.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Whether it was announced that it ends soon.
    #[serde(default)]
    pub is_announced: bool,
}

/// The record at which a customer's windows begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The fold's time.
    pub at: Timestamp,
    /// The record: events up to it lie before the windows.
    pub offset: Offset,
}

/// A person's words about a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerNote {
    /// When they were written.
    pub at: Timestamp,
    /// Who wrote them.
    pub by: String,
    /// The words.
    pub text: String,
}
