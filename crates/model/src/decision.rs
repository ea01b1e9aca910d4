//! A verdict that changed a customer's stage, with everything needed to check it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CustomerId, Offset, Phase, Position, Provider, Rate, Sending, Stage, Timestamp, Window};

/// A decision's name: the same for every derivation of the same decision from the same log by the same policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^[0-9a-f]{32}$"))]
#[serde(transparent)]
pub struct DecisionId(String);

impl DecisionId {
    /// The id with the given 128 bits.
    pub fn from_bits(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// Reads an id: 32 hexadecimal digits in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 32 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// The id as text: 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a decision is meant to be carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Only said.
    #[default]
    Shadow,
    /// Carried out.
    Enforce,
}

/// What brought a decision about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A person's order.
    Order,
    /// A person's order that was not followed: the reason says why.
    Refused,
    /// A rule or a limit of the policy.
    Rule,
    /// A good day as a pilot.
    PilotPassed,
    /// A person's order that no rule moves the customer ends soon.
    PinEnds,
    /// It has ended.
    PinEnded,
}

/// A value before a decision and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change<T> {
    /// The value before.
    pub from: T,
    /// The value after.
    pub to: T,
}

impl<T: PartialEq> Change<T> {
    /// The change from `from` to `to`; `None` where they are the same.
    pub fn between(from: T, to: T) -> Option<Self> {
        (from != to).then_some(Self { from, to })
    }
}

/// One change of a customer's stage, phase, pilot step or permission to send, or a person's word that it stays (`from` is then
/// `to`, and no change is told).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// Its name.
    pub id: DecisionId,
    /// Whom it concerns.
    pub customer: CustomerId,
    /// When: the time of the last tick before it.
    pub at: Timestamp,
    /// The stage before.
    pub from: Stage,
    /// The stage after.
    pub to: Stage,
    /// What brought it about; `None` in decisions of versions that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The customer's phase, where that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Change<Phase>>,
    /// Its step as a pilot, counted from 0, where that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pilot_step: Option<Change<usize>>,
    /// What it may send, where that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<Change<Sending>>,
    /// Whether it is meant to be carried out.
    pub mode: Mode,
    /// The policy's rule, or `command:` and the order.
    pub rule: String,
    /// Whose fault it is, where a rule decided; incidents' mail was set aside before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blame: Option<Blame>,
    /// What it rests on; `None` for a person's command.
    pub evidence: Option<Evidence>,
    /// The author's words, for a person's command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who gave the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The policy file's digest.
    pub policy: String,
    /// The record that brought it about.
    pub offset: Position,
}

/// The figures that a decision rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// The signal's name.
    pub signal: String,
    /// Over which window.
    pub window: Window,
    /// By which kind of test.
    pub test: Test,
    /// The mails in question: those sent from here (to the bucket) ...
    pub from: Timestamp,
    /// ... to before here.
    pub until: Timestamp,
    /// Counted are events after this record, at which its windows began anew; `None` where they never did.
    pub counted_after: Option<Offset>,
    /// The last record that is counted: that of the decision, or an earlier one where the fleet's figures had to be waited
    /// for, so that both sides of the comparison saw the same minutes.
    pub counted_to: Offset,
    /// How many bad ones among them.
    pub numerator: u32,
    /// Of how many.
    pub denominator: u32,
    /// The share seen.
    pub rate: Rate,
    /// What the true rate is at least, at the rule's confidence.
    pub bound: Rate,
    /// What the rule holds it against.
    pub threshold: Rate,
    /// How much speaks against the customer: minus the natural logarithm of the chance (bound), the logarithm of the
    /// likelihood ratio less that of the number of alternatives (sequential), or the bad events above what the limit allows for
    /// its mails (budget). 0 where it comes down.
    pub weight: f64,
    /// The weight at which the rule moves somebody: minus the logarithm of its share of the false-alarm budget (bound,
    /// sequential); or the bad events of all customers together above what the limit allows (budget).
    pub needed: f64,
    /// The same signal's rate over all other customers, same window; with this one, where it is a limit of all together (budget).
    pub fleet_rate: Rate,
    /// Mail among it that was left out, neither charged nor forgiven, because of an incident.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAside>,
    /// Ids of the latest bad events, newest last; a sample.
    pub events: Vec<String>,
}

/// How a rule judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// The exact binomial tail of a window's rate: for the slow rot.
    Bound,
    /// The likelihood ratio of the latest stretch of mail, whichever stretch speaks most: for the sudden fire.
    Sequential,
    /// The customer's part in what the account, a pool or a provider may do altogether.
    Budget,
}

/// Mail that was left out because of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetAside {
    /// At whose mailboxes.
    pub provider: Provider,
    /// Sent from here ...
    pub from: Timestamp,
    /// ... to before here.
    pub until: Timestamp,
    /// How many mails.
    pub mails: u32,
    /// Whose fault it was.
    pub blame: Blame,
}

/// Whose fault it is that mail goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The others' mail to this provider goes wrong too, whatever pool it leaves from.
    Provider,
    /// The others' mail from this pool goes wrong too, and other pools' does not.
    Pool,
    /// The others' mail does not.
    Customer,
    /// Nobody's alone: the account altogether would cross a limit.
    Account,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signal = self.signal.replace('_', " ");
        let whose = if self.test == Test::Budget { "all together" } else { "others" };
        write!(
            f,
            "{signal} {} of {} in {} = {} (at least {}, limit {}, {whose} {})",
            self.numerator,
            self.denominator,
            self.window.name(),
            self.rate,
            self.bound,
            self.threshold,
            self.fleet_rate
        )
    }
}
