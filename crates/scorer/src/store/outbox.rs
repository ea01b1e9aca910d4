//! What was said and is not yet known to be published.

use std::sync::Arc;

use bytes::Bytes;
use log::{Output, Record, RecordKind, Sequence, Topic};
use model::{Offset, Timestamp};
use rocksdb::{DB, IteratorMode, WriteBatch};
use serde::{Deserialize, Serialize};

use super::{Place, keys};
use crate::Error;

/// An output as it is stored; its sequence is the key.
#[derive(Serialize, Deserialize)]
struct Row {
    topic: u8,
    said_at: u64,
    at: i64,
    key: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    value: Vec<u8>,
}

impl Row {
    fn of(output: &Output) -> Self {
        let record = &output.record;
        Self {
            topic: output.topic as u8,
            said_at: output.said_at.get(),
            at: record.at.millis(),
            key: record.key.to_vec(),
            headers: record.headers.iter().map(|(name, value)| (name.to_string(), value.to_vec())).collect(),
            value: record.value.to_vec(),
        }
    }

    fn output(self, sequence: Sequence) -> Option<Output> {
        let topic = Topic::ALL.into_iter().find(|topic| *topic as u8 == self.topic)?;
        let headers: Vec<_> =
            self.headers.into_iter().map(|(name, value)| (name.into_boxed_str(), Bytes::from(value))).collect();
        let record = Record {
            kind: RecordKind::Output,
            at: Timestamp::from_millis(self.at),
            key: self.key.into(),
            headers: Arc::from(headers),
            value: self.value.into(),
        };
        Some(Output { sequence, said_at: Offset::new(self.said_at), topic, record })
    }
}

/// Everything in the outbox, in sequence.
pub(super) fn load(db: &DB, place: &Place) -> Result<Vec<Output>, Error> {
    let cf = keys::cf(db, keys::OUTBOX, place)?;
    let mut outputs = Vec::new();
    for entry in db.iterator_cf(cf, IteratorMode::Start) {
        let (key, value) = entry.map_err(place.failed("reading the outbox"))?;
        let sequence = Sequence::new(keys::number(&key, place)?);
        let row: Row = postcard::from_bytes(&value).map_err(|e| place.unreadable(format!("outbox: {e}")))?;
        outputs.push(row.output(sequence).ok_or_else(|| place.unreadable("an output goes to an unknown topic"))?);
    }
    Ok(outputs)
}

/// Puts `outputs` into `batch`.
pub(super) fn write(batch: &mut WriteBatch, db: &DB, place: &Place, outputs: &[&Output]) -> Result<(), Error> {
    let cf = keys::cf(db, keys::OUTBOX, place)?;
    for output in outputs {
        let row = postcard::to_stdvec(&Row::of(output)).map_err(|e| place.unreadable(format!("outbox: {e}")))?;
        batch.put_cf(cf, output.sequence.get().to_be_bytes(), row);
    }
    Ok(())
}

/// Deletes what is published.
pub(super) fn forget(db: &DB, place: &Place, published: Sequence) -> Result<(), Error> {
    let cf = keys::cf(db, keys::OUTBOX, place)?;
    let mut batch = WriteBatch::default();
    batch.delete_range_cf(cf, 0_u64.to_be_bytes(), (published.get() + 1).to_be_bytes());
    db.write(batch).map_err(place.failed("forgetting what is published"))
}
