//! A message for whoever would rather send it itself: a record on `weir.drafts`.

use std::sync::Arc;

use bytes::Bytes;
use log::{Append, Record, RecordKind, Route, Topic};
use model::{CustomerId, DecisionId, Stage, Timestamp};
use serde::Serialize;

use crate::Error;
use crate::book::Waiting;
use crate::force::Force;
use crate::letter::Audience;
use crate::templates::Message;

/// Something that would be told. `docs/schemas/draft.schema.json` describes each member.
#[derive(Serialize)]
struct Draft<'m> {
    customer: &'m CustomerId,
    at: Timestamp,
    decision: &'m DecisionId,
    from: Stage,
    to: Stage,
    audience: Audience,
    state: &'static str,
    earlier_moves: u32,
    #[serde(flatten)]
    message: &'m Message,
}

/// The record of `message` about what waits.
pub(crate) fn append(
    waiting: &Waiting,
    message: &Message,
    (audience, force): (Audience, &Force),
    at: Timestamp,
) -> Result<Append, Error> {
    let decision = &waiting.decision;
    let draft = Draft {
        customer: &decision.customer,
        at,
        decision: &decision.id,
        from: decision.from,
        to: decision.to,
        audience,
        state: force.name(),
        earlier_moves: waiting.earlier,
        message,
    };
    let once_more = if waiting.comes_into_force { "-in-force" } else { "" };
    let header = |name: &str, value: String| (Box::from(name), Bytes::from(value));
    let record = Record {
        kind: RecordKind::Output,
        at,
        key: Bytes::copy_from_slice(decision.customer.as_str().as_bytes()),
        headers: Arc::new([
            header("ce_specversion", "1.0".to_owned()),
            // The same message is made again where a crash forgets that it was.
            header("ce_id", format!("{}-{}{once_more}", decision.id, audience.name())),
            header("ce_source", "/weir/outreach".to_owned()),
            header("ce_type", "weir.draft".to_owned()),
            header("ce_time", at.to_string()),
            header("content-type", "application/json".to_owned()),
        ]),
        value: serde_json::to_vec(&draft)?.into(),
    };
    Ok(Append { topic: Topic::Drafts, route: Route::ByKey, record })
}
