//! What stands at one place of the log.

use std::sync::Arc;

use bytes::Bytes;
use model::{Position, Timestamp};

/// What a record is; in Kafka the header `weir-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// A mail event: SendGrid's raw JSON, untouched. Header `source` names where it came in.
    Event,
    /// A person's command, as JSON.
    Command,
    /// Time passing, as JSON; one for each partition.
    Tick,
    /// A policy that is in force from here on: its file's text, as it is; one for each partition. Headers `origin`, `by` and
    /// `reason` tell where it comes from, `file` what came from a file last.
    Policy,
    /// Something that Weir says: a decision, a standing, an action, a fleet share, a reject.
    Output,
}

/// Names and values beside a record. Cheap to clone, so that a batch shares one.
pub type Headers = Arc<[(Box<str>, Bytes)]>;

/// The header of a reject whose recipients' addresses were replaced before it was stored: a replay leaves them as they are.
pub const REJECT_PSEUDONYMISED: &str = "pseudonymised";

/// One record, before or after it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// When it was appended, by the appender's clock. The fold uses it only to tell events from an
    /// impossible future; time is what ticks say.
    pub at: Timestamp,
    /// What decides its partition, and what compaction keeps the latest of; empty for ticks and policies.
    pub key: Bytes,
    /// Names and values beside it.
    pub headers: Headers,
    /// What it carries.
    pub value: Bytes,
}

impl Record {
    /// The value of header `name`; the last where there are several.
    pub fn header(&self, name: &str) -> Option<&Bytes> {
        self.headers.iter().rev().find(|(n, _)| n.as_ref() == name).map(|(_, value)| value)
    }
}

/// A record with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where it stands.
    pub position: Position,
    /// What stands there.
    pub record: Record,
}
