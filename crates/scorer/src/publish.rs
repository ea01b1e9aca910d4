//! What the fold said, as records for those outside.

use bytes::Bytes;
use log::{Output, Record, RecordKind, Sequence, Topic};
use model::{Decision, Offset, PartitionId, Timestamp};
use scoring::Said;
use telemetry::{CE_TRACEPARENT, TRACEPARENT, TraceParent};

use crate::marks::PolicyMarks;

/// The record for something said by `partition` at `now`, numbered `sequence`, because of the input at `said_at`; a share has
/// `marks` beside it, and what a sampled POST made be said its `trace`.
///
/// JSON with CloudEvents headers (Kafka binding, binary mode).
pub(crate) fn output(
    (partition, now): (PartitionId, Timestamp),
    (sequence, said_at): (Sequence, Offset),
    (said, marks): (&Said, Option<PolicyMarks>),
    trace: Option<&TraceParent>,
) -> Result<Output, serde_json::Error> {
    let (topic, kind, key, value) = match said {
        Said::Decision(decision) => (Topic::Decisions, "decision", key_of(decision), serde_json::to_vec(decision)?),
        Said::Standing(standing) => {
            let key = Bytes::copy_from_slice(standing.customer.as_str().as_bytes());
            (Topic::Standings, "standing", key, serde_json::to_vec(standing)?)
        }
        Said::Profile(profile) => {
            let key = Bytes::copy_from_slice(profile.customer.as_str().as_bytes());
            (Topic::Profiles, "profile", key, serde_json::to_vec(profile)?)
        }
        Said::AccountStatus(change) => {
            (Topic::Enforcement, "account-status", Bytes::from(change.key()), serde_json::to_vec(change)?)
        }
        Said::Share(share) => {
            (Topic::Fleet, "fleet-share", Bytes::from(partition.to_string()), serde_json::to_vec(share)?)
        }
    };
    let header = |name: &str, value: String| (Box::from(name), Bytes::from(value));
    let mut headers = vec![
        header("ce_specversion", "1.0".to_owned()),
        header("ce_id", format!("{partition}-{}", sequence.get())),
        header("ce_source", format!("/weir/scorer/{partition}")),
        header("ce_type", format!("weir.{kind}")),
        header("ce_time", now.to_string()),
        header("content-type", "application/json".to_owned()),
    ];
    for name in [CE_TRACEPARENT, TRACEPARENT] {
        headers.extend(trace.map(|trace| header(name, trace.to_string())));
    }
    headers.extend(marks.iter().flat_map(PolicyMarks::headers));
    let record = Record { kind: RecordKind::Output, at: now, key, headers: headers.into(), value: value.into() };
    Ok(Output { sequence, said_at, topic, record })
}

fn key_of(decision: &Decision) -> Bytes {
    Bytes::copy_from_slice(decision.customer.as_str().as_bytes())
}
