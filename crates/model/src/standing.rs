//! Where a customer is now.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{CustomerId, DecisionId, Phase, Sending, Stage, Timestamp};

/// The name of an IP pool at SendGrid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
#[serde(transparent)]
pub struct PoolName(Arc<str>);

impl PoolName {
    /// The longest pool name that SendGrid accepts, in characters (`POST /v3/ips/pools`).
    pub const MAX_CHARS: usize = 64;

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
#[serde(from = "StandingRecord")]
pub struct Standing {
    /// Whom it concerns.
    pub customer: CustomerId,
    /// Where the customer is in its life on the platform.
    pub phase: Phase,
    /// How freely its conduct lets it send.
    pub stage: Stage,
    /// What it may send, by phase, stage and cap together: gate and enforcer obey this.
    pub sending: Sending,
    /// Since when it is in that stage.
    pub since: Timestamp,
    /// Through which pool its mail should leave; `None` where the policy names none and none was ever seen.
    pub pool: Option<PoolName>,
    /// Mails that it may send a day; `None` without a limit.
    pub daily_cap: Option<u32>,
    /// Mails that SendGrid took from it in the 24 hours before this was said: how much is moved with it.
    pub sent_24h: u32,
    /// Whether a person holds it there: no rule moves it.
    pub held: bool,
    /// Until when; `None` where only a person ends it, or nobody holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// Until when a person has exempted it from going up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exempt_until: Option<Timestamp>,
    /// Whether its offences are so many that only a person brings it down.
    pub awaits_person: bool,
    /// When the scorer's state first knew the customer: what happened to it before may be forgotten.
    pub known_since: Timestamp,
    /// When a person last ordered its stage; `None` where nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered: Option<Timestamp>,
    /// Why it is there; empty for a customer that was never moved.
    pub reasons: Vec<Reason>,
}

/// A standing as records hold it: members that earlier versions did not write are derived.
#[derive(Deserialize)]
struct StandingRecord {
    customer: CustomerId,
    phase: Phase,
    stage: Stage,
    sending: Option<Sending>,
    since: Timestamp,
    pool: Option<PoolName>,
    daily_cap: Option<u32>,
    #[serde(default)]
    sent_24h: u32,
    held: bool,
    held_until: Option<Timestamp>,
    exempt_until: Option<Timestamp>,
    #[serde(default)]
    awaits_person: bool,
    #[serde(default)]
    known_since: Timestamp,
    ordered: Option<Timestamp>,
    reasons: Vec<Reason>,
}

impl From<StandingRecord> for Standing {
    fn from(record: StandingRecord) -> Self {
        let StandingRecord { customer, phase, stage, since, pool, daily_cap, sent_24h, held, held_until, .. } = record;
        Self {
            customer,
            phase,
            stage,
            sending: record.sending.unwrap_or_else(|| Sending::of(phase, stage, daily_cap)),
            since,
            pool,
            daily_cap,
            sent_24h,
            held,
            held_until,
            exempt_until: record.exempt_until,
            awaits_person: record.awaits_person,
            known_since: record.known_since,
            ordered: record.ordered,
            reasons: record.reasons,
        }
    }
}

impl Standing {
    /// Where an active customer stands of whom nothing else is said: at `stage` since `since`, with this daily cap.
    pub const fn at(customer: CustomerId, stage: Stage, daily_cap: Option<u32>, since: Timestamp) -> Self {
        Self {
            customer,
            phase: Phase::Active,
            stage,
            sending: Sending::of(Phase::Active, stage, daily_cap),
            since,
            pool: None,
            daily_cap,
            sent_24h: 0,
            held: false,
            held_until: None,
            exempt_until: None,
            awaits_person: false,
            known_since: Timestamp::from_seconds(0),
            ordered: None,
            reasons: Vec::new(),
        }
    }

    /// How strict it is in effect: its stage, or the stage that restrains as much as what it may send.
    pub fn severity(&self) -> Stage {
        self.stage.max(self.sending.severity())
    }

    /// The decision that brought it there, where a rule made it; a person's order, a phase that does not send and a newcomer's
    /// standing have none.
    pub fn rule_decision(&self) -> Option<&DecisionId> {
        if !self.phase.sends() {
            return None;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_of_an_earlier_version_may_send_what_its_phase_and_stage_allow() {
        for (phase, stage, cap, expected) in [
            ("active", "healthy", "null", Sending::Free),
            ("pilot", "healthy", "200", Sending::Capped(200)),
            ("offboarded", "healthy", "null", Sending::None),
            ("active", "suspended", "null", Sending::None),
        ] {
            let json = format!(
                r#"{{"customer":"acme","phase":"{phase}","stage":"{stage}","since":"2026-11-23T10:00:00Z","pool":null,"daily_cap":{cap},"held":false,"reasons":[]}}"#
            );
            let standing: Standing = serde_json::from_str(&json).unwrap();
            assert_eq!(standing.sending, expected, "{json}");
            let written = serde_json::to_string(&standing).unwrap();
            assert_eq!(serde_json::from_str::<Standing>(&written).unwrap(), standing);
        }
    }
}
