//! Where a customer is now.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{CustomerId, DecisionId, Phase, Stage, Timestamp};

/// The name of an IP pool at SendGrid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
#[serde(transparent)]
pub struct PoolName(Arc<str>);

impl PoolName {
    /// The pool called `name`.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for PoolName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a customer is where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reason {
    /// The decision that brought it there.
    pub decision: DecisionId,
    /// The rule of that decision.
    pub rule: String,
    /// In a sentence.
    pub text: String,
}

/// Where a customer stands: what the enforcer makes true at SendGrid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Standing {
    /// Whom it concerns.
    pub customer: CustomerId,
    /// Where the customer is in its life on the platform.
    pub phase: Phase,
    /// How freely it may send.
    pub stage: Stage,
    /// Since when it is in that stage.
    pub since: Timestamp,
    /// Through which pool its mail should leave; `None` where the policy names none and none was ever seen.
    pub pool: Option<PoolName>,
    /// Mails that it may send a day; `None` without a limit.
    pub daily_cap: Option<u32>,
    /// Mails that SendGrid took from it in the 24 hours before this was said: how much is moved with it.
    #[serde(default)]
    pub sent_24h: u32,
    /// Whether a person holds it there: no rule moves it.
    pub held: bool,
    /// Until when a person has exempted it from going up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exempt_until: Option<Timestamp>,
    /// Whether its offences are so many that only a person brings it down.
    #[serde(default)]
    pub awaits_person: bool,
    /// Why it is there; empty for a customer that was never moved.
    pub reasons: Vec<Reason>,
}

impl Standing {
    /// How strict it is in effect: its stage, or as if throttled where a milder one has a daily cap, as a pilot has.
    pub fn severity(&self) -> Stage {
        Stage::severity(self.stage, self.daily_cap)
    }

    /// The decision that brought it there, where a rule made it; a person's order and a newcomer's standing have none.
    pub fn rule_decision(&self) -> Option<&DecisionId> {
        let reason = self.reasons.first().filter(|reason| !reason.rule.starts_with("command:"));
        reason.map(|reason| &reason.decision)
    }

    /// Whether it is where `decision` has moved its customer to. Directly behind a move it is said where the customer stands
    /// now; what a rule in shadow, or any rule about an exempt customer, would do is said alone and leaves the customer where
    /// it is.
    pub fn is_after(&self, decision: &crate::Decision) -> bool {
        self.customer == decision.customer && self.stage == decision.to
    }
}
