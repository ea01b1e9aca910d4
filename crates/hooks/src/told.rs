//! What a hook is told.

use bytes::Bytes;
use log::{Record, Topic};
use model::{CustomerId, DecisionId, Stage, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

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
    },
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
    pub(crate) const TOPICS: [Topic; 1] = [Topic::Decisions];

    /// What `record` tells; `None` where it is nothing for hooks.
    pub(crate) fn read(topic: Topic, record: &Record) -> Result<Option<Self>, Unreadable> {
        match topic {
            Topic::Decisions => {
                let head: DecisionHead = serde_json::from_slice(&record.value)?;
                // It ends in a header.
                DecisionId::parse(head.id.as_str()).ok_or(Unreadable::Id)?;
                Ok(Some(Self::Decision { head, json: record.value.clone() }))
            }
            _ => Ok(None),
        }
    }

    /// Whether `hook` is to be told.
    pub(crate) fn is_for(&self, hook: &Hook) -> bool {
        match self {
            Self::Decision { head, .. } => hook.wants(head.to),
        }
    }

    /// The delivery's id, the same for every try and after every restart.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Decision { head, .. } => format!("decision_{}", head.id),
        }
    }

    /// Whom it is about: what is about one customer is delivered in its order.
    pub(crate) const fn customer(&self) -> &CustomerId {
        match self {
            Self::Decision { head, .. } => &head.customer,
        }
    }

    /// When it happened.
    pub(crate) const fn at(&self) -> Timestamp {
        match self {
            Self::Decision { head, .. } => head.at,
        }
    }

    /// What is posted.
    pub(crate) fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        let (r#type, json) = match self {
            Self::Decision { json, .. } => ("decision.made", json),
        };
        let data: &RawValue = serde_json::from_slice(json)?;
        serde_json::to_vec(&Body { r#type, timestamp: self.at(), data })
    }
}
