//! How an instance says on the log what it has claimed of a customer's day.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use log::{Append, PartitionCount, Record, RecordKind, Route, Stored, Topic};
use model::{CustomerId, Day, Timestamp};
use serde::{Deserialize, Serialize};

/// What begins the keys of reservations: other records of the topic have other keys.
const PREFIX: &[u8] = b"grant:";

/// The name of a process that grants mail: of its own for each, and the same after a restart. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Instance(Arc<str>);

impl Instance {
    pub(super) fn new(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one instance has claimed of one customer's day, as a total: the newest record of its key holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reservation {
    /// Whose mail.
    pub(super) customer: CustomerId,
    /// Of which day.
    pub(super) day: Day,
    /// Mails.
    pub(super) reserved: u32,
    /// Who may grant them.
    pub(super) by: Instance,
}

impl Reservation {
    /// The reservation that `stored` holds; `None` where it is another kind of record.
    ///
    /// # Errors
    ///
    /// Where it is one and can't be read.
    pub(super) fn of(stored: &Stored) -> Option<serde_json::Result<Self>> {
        stored.record.key.starts_with(PREFIX).then(|| serde_json::from_slice(&stored.record.value))
    }

    /// Its record. All reservations for a customer lie on the customer's partition, whoever makes them: their order there
    /// decides between two.
    ///
    /// # Errors
    ///
    /// Where JSON can't hold it.
    pub(super) fn append(&self, at: Timestamp, partitions: PartitionCount) -> serde_json::Result<Append> {
        let Self { customer, by, .. } = self;
        let key = [PREFIX, format!("{by}:{customer}").as_bytes()].concat();
        let partition = log::partition_of(customer.as_str().as_bytes(), partitions);
        let record = Record {
            kind: RecordKind::Output,
            at,
            key: Bytes::from(key),
            headers: Arc::new([]),
            value: serde_json::to_vec(self)?.into(),
        };
        Ok(Append { topic: Topic::Enforcement, route: Route::To(partition), record })
    }
}
