//! Records as they will be stored, before they have their offsets.
//!
//! Those who append encode, each on its own thread, so that the one thread that writes has little left to do.

use super::codec;
use super::keys::Place;
use crate::Record;

/// Records of one append, in their order.
#[derive(Debug, Default)]
pub(super) struct Encoded {
    bytes: Vec<u8>,
    /// Where each goes, and where its bytes end.
    places: Vec<(Place, usize)>,
}

impl Encoded {
    /// The records with their places; together they have `size` bytes.
    pub(super) fn new<'r>(records: impl Iterator<Item = (Place, &'r Record)>, size: usize) -> Self {
        let mut bytes = Vec::with_capacity(size);
        let places = records.map(|(place, record)| {
            codec::encode(record, &mut bytes);
            (place, bytes.len())
        });
        Self { places: places.collect(), bytes }
    }

    /// Each record's place and bytes.
    pub(super) fn records(&self) -> impl Iterator<Item = (Place, &[u8])> {
        let mut rest = self.bytes.as_slice();
        let mut start = 0;
        self.places.iter().map_while(move |(place, end)| {
            let (record, behind) = rest.split_at_checked(end - start)?;
            (rest, start) = (behind, *end);
            Some((*place, record))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use model::{PartitionId, Timestamp};

    use super::*;
    use crate::{RecordKind, Topic};

    #[test]
    fn records_come_out_one_by_one_as_they_went_in() {
        let record = |value: &'static str| Record {
            kind: RecordKind::Event,
            at: Timestamp::default(),
            key: Bytes::new(),
            headers: Arc::new([]),
            value: value.into(),
        };
        let records = [record("first"), record(""), record("third")];
        let places = [Topic::Events, Topic::Fleet, Topic::Events].map(|topic| (topic, PartitionId::new(7)));
        let encoded = Encoded::new(places.into_iter().zip(&records), 0);
        let alone = |record: &Record| {
            let mut bytes = Vec::new();
            codec::encode(record, &mut bytes);
            bytes
        };
        let out: Vec<_> = encoded.records().map(|(place, bytes)| (place, bytes.to_vec())).collect();
        assert_eq!(out, places.into_iter().zip(records.iter().map(alone)).collect::<Vec<_>>());
    }
}
