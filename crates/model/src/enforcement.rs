//! What is said of enforcement: how it acts, what it holds back, and what persons say of that.
//!
//! These are records on the topic `enforcement`, of which the latest of each [`EnforcementKey`] counts. A person's word is
//! written by the operators' API and the rest by the enforcer, so that no key has two writers.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CustomerId, DecisionId, OrderError, Phase, PoolName, Sending, Stage, Standing, Timestamp};

/// How the enforcer acts on what was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EnforcerMode {
    /// Says what it would do.
    #[default]
    Shadow,
    /// Does it once a person has approved; what relaxes needs no approval.
    Approve,
    /// Does it.
    Enforce,
}

/// The mode for each stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnforcerModes {
    /// For every stage that is not named.
    pub default: EnforcerMode,
    /// For these.
    #[serde(default)]
    pub by_stage: BTreeMap<Stage, EnforcerMode>,
}

impl EnforcerModes {
    /// The same for every stage.
    pub const fn all(mode: EnforcerMode) -> Self {
        Self { default: mode, by_stage: BTreeMap::new() }
    }

    /// The mode for customers at `stage`.
    pub fn of(&self, stage: Stage) -> EnforcerMode {
        self.by_stage.get(&stage).copied().unwrap_or(self.default)
    }

    /// The mode for where a customer stands: that of the stage which restrains as much as what it may send.
    pub fn of_standing(&self, standing: &Standing) -> EnforcerMode {
        self.of(standing.severity())
    }

    /// Whether nothing is ever done.
    pub fn is_all_shadow(&self) -> bool {
        self.default == EnforcerMode::Shadow && self.by_stage.values().all(|mode| *mode == EnforcerMode::Shadow)
    }
}

impl fmt::Display for EnforcerMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shadow => "shadow",
            Self::Approve => "approve",
            Self::Enforce => "enforce",
        })
    }
}

impl fmt::Display for EnforcerModes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.default.fmt(f)?;
        self.by_stage.iter().try_for_each(|(stage, mode)| write!(f, ", {stage}: {mode}"))
    }
}

/// Why the enforcer does not do what was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HeldWhy {
    /// A person has to approve first.
    Approval,
    /// A person has rejected it.
    Rejected,
    /// Nobody answered in time.
    Expired,
    /// A person has paused enforcement.
    Paused,
    /// As many customers were moved within the hour as may be.
    CustomersPerHour,
    /// As much of the fleet's mail was moved within the hour as may be.
    VolumePerHour,
    /// SendGrid fails too often just now.
    Breaker,
    /// There is no API key.
    NoKey,
    /// SendGrid, or what is set up there, does not allow it.
    NotPossible,
    /// Somebody changed it by hand at SendGrid, and that is adopted.
    Adopted,
    /// A person restrained it, and the scorer's state knows nothing of that.
    Forgotten,
}

impl HeldWhy {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::Approval,
        Self::Rejected,
        Self::Expired,
        Self::Paused,
        Self::CustomersPerHour,
        Self::VolumePerHour,
        Self::Breaker,
        Self::NoKey,
        Self::NotPossible,
        Self::Adopted,
        Self::Forgotten,
    ];

    /// The name in JSON and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Paused => "paused",
            Self::CustomersPerHour => "customers_per_hour",
            Self::VolumePerHour => "volume_per_hour",
            Self::Breaker => "breaker",
            Self::NoKey => "no_key",
            Self::NotPossible => "not_possible",
            Self::Adopted => "adopted",
            Self::Forgotten => "forgotten",
        }
    }
}

/// Something that is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Held {
    /// Why.
    pub why: HeldWhy,
    /// The same in a sentence, with what to do.
    pub reason: String,
    /// The decision that is not carried out; `None` where the standing has none.
    pub decision: Option<DecisionId>,
    /// Since when.
    pub since: Timestamp,
    /// Until when a person may answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// What operators see of a customer with whom the enforcer has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaseView {
    /// Whom it concerns.
    pub customer: CustomerId,
    /// The stage that is to be made true.
    pub stage: Stage,
    /// What is held back, if anything is.
    #[serde(default)]
    pub held: Option<Held>,
    /// What was let through last; `None` where nothing was.
    #[serde(default)]
    pub in_force: Option<InForce>,
}

/// A standing that the enforcer has let through: mode, approvals and limits allow it. Mailers that ask are told this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InForce {
    /// The stage.
    pub stage: Stage,
    /// Since when the customer stands there.
    pub since: Timestamp,
    /// Mails that it may send a day; `None` without a limit.
    pub daily_cap: Option<u32>,
    /// Through which pool its mail should leave; `None` where none is known.
    pub pool: Option<PoolName>,
    /// What it may send; `None` in records of versions that did not say: [`InForce::sending`] derives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<Sending>,
    /// Whether it follows from a person's order, and not from a rule.
    #[serde(default)]
    pub ordered: bool,
}

impl InForce {
    /// What `standing` says.
    pub fn of(standing: &Standing) -> Self {
        Self {
            stage: standing.stage,
            since: standing.since,
            daily_cap: standing.daily_cap,
            pool: standing.pool.clone(),
            sending: Some(standing.sending),
            ordered: standing.rule_decision().is_none(),
        }
    }

    /// What it lets the customer send.
    pub fn sending(&self) -> Sending {
        self.sending.unwrap_or_else(|| Sending::of(Phase::Active, self.stage, self.daily_cap))
    }

    /// Whether it is this very standing.
    pub fn is(&self, standing: &Standing) -> bool {
        let of = (standing.stage, standing.since, standing.sending, &standing.pool);
        (self.stage, self.since, self.sending(), &self.pool) == of
    }

    /// How strict it is in effect, as [`Standing::severity`].
    pub fn severity(&self) -> Stage {
        self.stage.max(self.sending().severity())
    }

    /// Whether a person ordered it, as far as records tell: a ban always is a person's.
    pub fn is_by_person(&self) -> bool {
        self.ordered || self.stage == Stage::Banned
    }
}

/// A person's answer to what awaits approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// About whom.
    pub customer: CustomerId,
    /// About which decision: a later one is asked about anew.
    pub decision: DecisionId,
    /// Whether it is to be carried out.
    pub approved: bool,
    /// Who answered.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Answer {
    /// Refuses an answer without author or reason.
    ///
    /// # Errors
    ///
    /// [`OrderError`] names what is missing.
    pub fn checked(self) -> Result<Self, OrderError> {
        OrderError::check(&self.by, &self.reason)?;
        Ok(self)
    }
}

/// The switch that stops all enforcement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Switch {
    /// Whether nothing is done.
    pub paused: bool,
    /// Who set it so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Switch {
    /// Refuses one without author or reason.
    ///
    /// # Errors
    ///
    /// [`OrderError`] names what is missing.
    pub fn checked(self) -> Result<Self, OrderError> {
        OrderError::check(&self.by, &self.reason)?;
        Ok(self)
    }
}

/// How the enforcer in office is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnforcerStatus {
    /// How it acts.
    pub modes: EnforcerModes,
    /// Since when it makes no calls because too many failed, and the latest failure; `None` while calls succeed.
    #[serde(default)]
    pub breaker: Option<Broken>,
    /// What the API key lacks for what is configured: a use, and the scopes by SendGrid's names.
    #[serde(default)]
    pub missing_scopes: BTreeMap<String, Vec<String>>,
}

/// Why the circuit breaker is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Broken {
    /// Since when.
    pub since: Timestamp,
    /// The latest failure.
    pub reason: String,
}

/// What a record on the topic is about: its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EnforcementKey {
    /// [`Switch`], for all.
    Switch,
    /// [`EnforcerStatus`].
    Status,
    /// What the enforcer remembers of a customer, which reads as a [`CaseView`]; empty once it has nothing more to do with it.
    Case(CustomerId),
    /// [`Answer`] about a customer.
    Answer(CustomerId),
}

impl EnforcementKey {
    const SWITCH: &'static str = "switch";
    const STATUS: &'static str = "status";
    const CASE: &'static str = "case:";
    const ANSWER: &'static str = "answer:";

    /// Reads a key; `None` for one that is not of these.
    pub fn parse(text: &str) -> Option<Self> {
        let named = |prefix: &str| text.strip_prefix(prefix).and_then(|name| CustomerId::new(name).ok());
        match text {
            Self::SWITCH => Some(Self::Switch),
            Self::STATUS => Some(Self::Status),
            _ => named(Self::CASE).map(Self::Case).or_else(|| named(Self::ANSWER).map(Self::Answer)),
        }
    }
}

impl fmt::Display for EnforcementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str(Self::SWITCH),
            Self::Status => f.write_str(Self::STATUS),
            Self::Case(customer) => write!(f, "{}{}", Self::CASE, customer.as_str()),
            Self::Answer(customer) => write!(f, "{}{}", Self::ANSWER, customer.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_whatever_the_customer_is_called() {
        let customer = || CustomerId::new("answer: case:ann").unwrap();
        for key in [
            EnforcementKey::Switch,
            EnforcementKey::Status,
            EnforcementKey::Case(customer()),
            EnforcementKey::Answer(customer()),
        ] {
            assert_eq!(EnforcementKey::parse(&key.to_string()), Some(key));
        }
        assert_eq!(EnforcementKey::parse("grant:a:b"), None);
    }

    #[test]
    fn a_stage_that_is_not_named_has_the_mode_of_all() {
        let modes = EnforcerModes {
            default: EnforcerMode::Enforce,
            by_stage: [(Stage::Suspended, EnforcerMode::Approve)].into(),
        };
        assert_eq!(modes.of(Stage::Suspended), EnforcerMode::Approve);
        assert_eq!(modes.of(Stage::Quarantined), EnforcerMode::Enforce);
        assert_eq!(modes.to_string(), "enforce, suspended: approve");
        assert!(!modes.is_all_shadow() && EnforcerModes::default().is_all_shadow());
    }

    #[test]
    fn reasons_have_one_name() {
        for why in HeldWhy::ALL {
            assert_eq!(serde_json::to_value(why).unwrap(), why.name());
        }
    }
}
