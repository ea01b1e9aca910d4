//! What the fold said, as records for those outside.

use std::sync::Arc;

use bytes::Bytes;
use log::{Output, Record, RecordKind, Sequence, Topic};
use model::{Decision, Offset, PartitionId, Timestamp};
use scoring::Said;

/// The record for something said by `partition` at `now`, numbered `sequence`, because of the input at `said_at`.
///
/// JSON with CloudEvents headers (Kafka binding, binary mode).
pub(crate) fn output(
    partition: PartitionId,
    (sequence, said_at): (Sequence, Offset),
    now: Timestamp,
    said: &Said,
) -> Result<Output, serde_json::Error> {
    let (topic, kind, key, value) = match said {
        Said::Decision(decision) => (Topic::Decisions, "decision", key_of(decision), serde_json::to_vec(decision)?),
        Said::Standing(standing) => {
            let key = Bytes::copy_from_slice(standing.customer.as_str().as_bytes());
            (Topic::Standings, "standing", key, serde_json::to_vec(standing)?)
        }
        Said::Share(share) => {
            (Topic::Fleet, "fleet-share", Bytes::from(partition.to_string()), serde_json::to_vec(share)?)
        }
    };
    let header = |name: &str, value: String| (Box::from(name), Bytes::from(value));
    let headers = [
        header("ce_specversion", "1.0".to_owned()),
        header("ce_id", format!("{partition}-{}", sequence.get())),
        header("ce_source", format!("/weir/scorer/{partition}")),
        header("ce_type", format!("weir.{kind}")),
        header("ce_time", now.to_string()),
        header("content-type", "application/json".to_owned()),
    ];
    let record = Record { kind: RecordKind::Output, at: now, key, headers: Arc::new(headers), value: value.into() };
    Ok(Output { sequence, said_at, topic, record })
}

fn key_of(decision: &Decision) -> Bytes {
    Bytes::copy_from_slice(decision.customer.as_str().as_bytes())
}
