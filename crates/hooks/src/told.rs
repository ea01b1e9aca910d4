//! What a hook is told.

use bytes::Bytes;
use log::{Record, Topic};
use model::{CustomerId, DecisionId, HeldWhy, Stage, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use telemetry::{TRACEPARENT, TraceParent};

use crate::Hook;

/// Something that hooks may be told of. To tell of more: a variant, its topic, and how it is read from a record.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// A customer's stage changed.
    Decision {
        /// What is read of it here.
        head: DecisionHead,
        /// The whole of it, as it stands on the topic.
        json: Bytes,
        /// The trace that brought it about, where it is sampled.
        trace: Option<TraceParent>,
    },
    /// A decision awaits a person's approval, or does not any more without having got it.
    Approval {
        /// What is read of it here.
        head: ApprovalHead,
        /// The whole action, as it stands on the topic.
        json: Bytes,
    },
    /// A message about a decision is ready for whoever would rather send it itself.
    Draft {
        /// What is read of it here.
        head: DraftHead,
        /// The whole of it, as it stands on the topic.
        json: Bytes,
    },
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DraftHead {
    customer: CustomerId,
    at: Timestamp,
    decision: DecisionId,
    to: Stage,
    audience: Audience,
}

/// For whom a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Audience {
    Success,
    Customer,
}

impl Audience {
    const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Customer => "customer",
        }
    }
}

/// What became of asking a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    Asked,
    Rejected,
    Expired,
}

#[derive(Clone, Debug)]
pub(crate) struct ApprovalHead {
    customer: CustomerId,
    at: Timestamp,
    stage: Stage,
    decision: DecisionId,
    asking: Asking,
}

/// An action, as far as it tells of approvals.
#[derive(Deserialize)]
struct ActionHead {
    customer: CustomerId,
    at: Timestamp,
    stage: Stage,
    decision: Option<DecisionId>,
    #[serde(default)]
    why: Option<HeldWhy>,
}

impl Asking {
    const fn of(why: HeldWhy) -> Option<Self> {
        match why {
            HeldWhy::Approval => Some(Self::Asked),
            HeldWhy::Rejected => Some(Self::Rejected),
            HeldWhy::Expired => Some(Self::Expired),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DecisionHead {
    id: DecisionId,
    customer: CustomerId,
    at: Timestamp,
    to: Stage,
}

/// Why a record that should tell something is left out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it is not the JSON that it should be")]
    Json(#[from] serde_json::Error),
    #[error("its id is not 32 hexadecimal digits")]
    Id,
}

#[derive(Serialize)]
struct Body<'t> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: &'t RawValue,
}

impl Told {
    /// Where there is something to tell.
    pub(crate) const TOPICS: [Topic; 3] = [Topic::Decisions, Topic::Actions, Topic::Drafts];

    /// What `record` tells; `None` where it is nothing for hooks.
    pub(crate) fn read(topic: Topic, record: &Record) -> Result<Option<Self>, Unreadable> {
        match topic {
            Topic::Decisions => {
                let head: DecisionHead = serde_json::from_slice(&record.value)?;
                // It ends in a header.
                DecisionId::parse(head.id.as_str()).ok_or(Unreadable::Id)?;
                let trace = TraceParent::read(record.header(TRACEPARENT).map(AsRef::as_ref));
                Ok(Some(Self::Decision { head, json: record.value.clone(), trace }))
            }
            Topic::Actions => Self::approval(record),
            Topic::Drafts => {
                let head: DraftHead = serde_json::from_slice(&record.value)?;
                DecisionId::parse(head.decision.as_str()).ok_or(Unreadable::Id)?;
                Ok(Some(Self::Draft { head, json: record.value.clone() }))
            }
            _ => Ok(None),
        }
    }

    fn approval(record: &Record) -> Result<Option<Self>, Unreadable> {
        let ActionHead { customer, at, stage, decision, why } = serde_json::from_slice(&record.value)?;
        let Some((asking, decision)) = why.and_then(Asking::of).zip(decision) else { return Ok(None) };
        let decision = DecisionId::parse(decision.as_str()).ok_or(Unreadable::Id)?;
        let head = ApprovalHead { customer, at, stage, decision, asking };
        Ok(Some(Self::Approval { head, json: record.value.clone() }))
    }

    /// Whether `hook` is to be told.
    pub(crate) fn is_for(&self, hook: &Hook) -> bool {
        match self {
            Self::Decision { head, .. } => hook.wants(head.to),
            Self::Approval { head, .. } => hook.wants(head.stage),
            Self::Draft { head, .. } => hook.wants(head.to),
        }
    }

    /// The delivery's id, the same for every try and after every restart.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Decision { head, .. } => format!("decision_{}", head.id),
            Self::Approval { head, .. } => format!("approval_{}_{}", head.asking.name(), head.decision),
            Self::Draft { head, .. } => format!("outreach_{}_{}", head.audience.name(), head.decision),
        }
    }

    /// Whom it is about: what is about one customer is delivered in its order.
    pub(crate) const fn customer(&self) -> &CustomerId {
        match self {
            Self::Decision { head, .. } => &head.customer,
            Self::Approval { head, .. } => &head.customer,
            Self::Draft { head, .. } => &head.customer,
        }
    }

    /// When it happened.
    pub(crate) const fn at(&self) -> Timestamp {
        match self {
            Self::Decision { head, .. } => head.at,
            Self::Approval { head, .. } => head.at,
            Self::Draft { head, .. } => head.at,
        }
    }

    /// The trace that brought it about.
    pub(crate) const fn trace(&self) -> Option<&TraceParent> {
        match self {
            Self::Decision { trace, .. } => trace.as_ref(),
            Self::Approval { .. } | Self::Draft { .. } => None,
        }
    }

    /// What is posted.
    pub(crate) fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        let (r#type, json) = match self {
            Self::Decision { json, .. } => ("decision.made", json),
            Self::Approval { head, json } => match head.asking {
                Asking::Asked => ("approval.asked", json),
                Asking::Rejected => ("approval.rejected", json),
                Asking::Expired => ("approval.expired", json),
            },
            Self::Draft { json, .. } => ("outreach.drafted", json),
        };
        let data: &RawValue = serde_json::from_slice(json)?;
        serde_json::to_vec(&Body { r#type, timestamp: self.at(), data })
    }
}
