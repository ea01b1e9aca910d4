//! What was done at SendGrid, or held back: a record on `weir.actions`.

use std::sync::Arc;

use bytes::Bytes;
use log::{Append, Record, RecordKind, Route, Topic};
use model::{CustomerId, DecisionId, HeldWhy, Stage, Standing, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Before;
use crate::plan::Call;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// SendGrid did it.
    Done,
    /// It would have been done, but the mode is shadow.
    Shadowed,
    /// SendGrid did not do it; it is tried again.
    Failed,
    /// It was not asked for, for a reason.
    HeldBack,
    /// Nothing to ask for: the mailer asks Weir.
    Route,
    /// Only noted: how it was before the first change.
    Observed,
    /// Somebody changed it at SendGrid, or its mail leaves elsewhere.
    Drifted,
}

impl Outcome {
    /// Every outcome.
    pub(crate) const ALL: [Self; 7] =
        [Self::Done, Self::Shadowed, Self::Failed, Self::HeldBack, Self::Route, Self::Observed, Self::Drifted];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Shadowed => "shadowed",
            Self::Failed => "failed",
            Self::HeldBack => "held_back",
            Self::Route => "route",
            Self::Observed => "observed",
            Self::Drifted => "drifted",
        }
    }
}

/// One call, or the reason for none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Whom it concerns.
    pub customer: CustomerId,
    /// When.
    pub at: Timestamp,
    /// The stage that it serves.
    pub stage: Stage,
    /// The decision behind that stage.
    pub decision: Option<DecisionId>,
    /// What was asked.
    pub request: Option<Call>,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it failed or was held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What holds it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<HeldWhy>,
    /// How the customer was before Weir first changed anything about it: where it goes back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
}

impl Action {
    pub(crate) fn new(standing: &Standing, at: Timestamp, outcome: Outcome) -> Self {
        Self {
            customer: standing.customer.clone(),
            at,
            stage: standing.stage,
            decision: standing.reasons.first().map(|reason| reason.decision.clone()),
            request: None,
            outcome,
            reason: None,
            why: None,
            before: None,
        }
    }

    pub(crate) fn append(&self) -> Result<Append, serde_json::Error> {
        let value = Bytes::from(serde_json::to_vec(self)?);
        // The same customer, moment and content is the same action.
        let id = format!("{}-{}-{:08x}", self.customer, self.at.millis(), value.iter().fold(0_u32, fold_byte));
        let record = Record {
            kind: RecordKind::Output,
            at: self.at,
            key: Bytes::copy_from_slice(self.customer.as_str().as_bytes()),
            headers: Arc::new([
                (Box::from("ce_specversion"), Bytes::from_static(b"1.0")),
                (Box::from("ce_id"), Bytes::from(id)),
                (Box::from("ce_source"), Bytes::from_static(b"/weir/enforcer")),
                (Box::from("ce_type"), Bytes::from_static(b"weir.action")),
                (Box::from("ce_time"), Bytes::from(self.at.to_string())),
                (Box::from("content-type"), Bytes::from_static(b"application/json")),
            ]),
            value,
        };
        Ok(Append { topic: Topic::Actions, route: Route::ByKey, record })
    }
}

/// One step of FNV-1a: enough to tell two actions of one moment apart.
fn fold_byte(hash: u32, byte: &u8) -> u32 {
    (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
}
