//! What the enforcer must not forget of a customer: how it was, what was done, what is held back.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use log::{Append, Record, RecordKind, Route, Topic};
use model::{CustomerId, DecisionId, EnforcementKey, Held, InForce, Stage, Standing, Timestamp};
use serde::{Deserialize, Serialize};

use crate::placement::Placement;
use crate::plan::SubuserState;

/// How a customer was at SendGrid before Weir first moved it: where it goes back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Before {
    /// A subuser.
    Subuser(SubuserState),
    /// IPs of its own.
    Ips {
        /// Each with its pools.
        own: Vec<OwnIp>,
    },
}

/// An IP that is one customer's alone, and where it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnIp {
    /// The address.
    pub ip: String,
    /// The pools that it was in.
    pub pools: BTreeSet<String>,
}

/// A customer was let through to be moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Passed {
    pub(crate) at: Timestamp,
    /// The mail that was moved with it, where that counts against the hour's limits.
    pub(crate) counted: Option<u32>,
}

/// A person was asked about a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) decision: DecisionId,
    pub(crate) at: Timestamp,
}

/// What is remembered of one customer; a record on the topic `enforcement`, which operators read as a [`model::CaseView`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) customer: CustomerId,
    /// The stage that is to be made true.
    pub(crate) stage: Stage,
    pub(crate) held: Option<Held>,
    pub(crate) before: Option<Before>,
    /// Where it was placed when something was let through for it.
    #[serde(default)]
    pub(crate) placement: Option<Placement>,
    /// The last standing that was let through.
    pub(crate) in_force: Option<InForce>,
    /// When it was.
    pub(crate) passed: Option<Passed>,
    /// The last standing that was seen to be true at SendGrid.
    pub(crate) carried: Option<InForce>,
    /// The standing against which somebody's change is left.
    pub(crate) adopted: Option<InForce>,
    pub(crate) asked: Option<Asked>,
}

impl Case {
    pub(crate) const fn new(customer: CustomerId) -> Self {
        Self {
            customer,
            stage: Stage::Healthy,
            held: None,
            before: None,
            placement: None,
            in_force: None,
            passed: None,
            carried: None,
            adopted: None,
            asked: None,
        }
    }

    pub(crate) fn id(&self) -> CustomerId {
        self.customer.clone()
    }

    /// Whether this standing was let through before.
    pub(crate) fn has_passed(&self, standing: &Standing) -> bool {
        self.in_force.as_ref().is_some_and(|passed| passed.is(standing))
    }

    /// Whether this standing was seen to be true.
    pub(crate) fn is_carried(&self, standing: &Standing) -> bool {
        self.carried.as_ref().is_some_and(|carried| carried.is(standing))
    }

    /// Whether Weir has moved it.
    pub(crate) const fn is_moved(&self) -> bool {
        self.in_force.is_some()
    }

    /// A standing is let through.
    pub(crate) fn pass(&mut self, standing: &Standing, at: Timestamp, counted: Option<u32>) {
        self.in_force = Some(InForce::of(standing));
        // Should the customer come back to where it was seen to be, that has to be seen anew.
        self.carried = None;
        // A move that counts is remembered until it no longer does, whatever follows it.
        if counted.is_some() || self.passed.as_ref().is_none_or(|passed| passed.counted.is_none()) {
            self.passed = Some(Passed { at, counted });
        }
    }

    /// How strict what was let through last is in effect.
    pub(crate) fn severity(&self) -> Stage {
        self.in_force.as_ref().map_or(Stage::Healthy, InForce::severity)
    }

    /// The record that says it.
    pub(crate) fn append(&self, at: Timestamp) -> Result<Append, serde_json::Error> {
        Ok(record(&EnforcementKey::Case(self.customer.clone()), at, serde_json::to_vec(self)?.into()))
    }
}

/// The record that says that nothing more is to be remembered of a customer.
pub(crate) fn closed(customer: &CustomerId, at: Timestamp) -> Append {
    record(&EnforcementKey::Case(customer.clone()), at, Bytes::new())
}

/// A record on the topic `enforcement`.
pub(crate) fn record(key: &EnforcementKey, at: Timestamp, value: Bytes) -> Append {
    let key = Bytes::from(key.to_string());
    let record = Record { kind: RecordKind::Output, at, key, headers: Arc::new([]), value };
    Append { topic: Topic::Enforcement, route: Route::ByKey, record }
}
