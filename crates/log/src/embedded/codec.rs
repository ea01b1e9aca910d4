//! A record's bytes on disk.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, 1 |
//! | 1 | kind |
//! | 8 | when it was appended, milliseconds, little-endian like all numbers here |
//! | 4 + n | key |
//! | 4 + n | headers: for each 4 + n name, 4 + n value |
//! | rest | value |

use std::sync::Arc;

use bytes::{Buf, Bytes};
use model::Timestamp;

use crate::{Headers, Record, RecordKind};

const FORMAT: u8 = 1;

/// How many bytes the record has.
pub(super) fn size_of(record: &Record) -> usize {
    18 + record.key.len() + size_of_headers(record) + record.value.len()
}

/// Appends the record's bytes to `buffer`.
pub(super) fn encode(record: &Record, buffer: &mut Vec<u8>) {
    buffer.push(FORMAT);
    buffer.push(number_of(record.kind));
    buffer.extend(record.at.millis().to_le_bytes());
    put(buffer, &record.key);
    buffer.extend(length(size_of_headers(record)));
    for (name, value) in record.headers.iter() {
        put(buffer, name.as_bytes());
        put(buffer, value);
    }
    buffer.extend_from_slice(&record.value);
}

/// Reads records; records that follow each other often have the same headers, which then share their memory.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    latest: Option<(Bytes, Headers)>,
}

impl Decoder {
    /// The record in `bytes`; `None` where it is damaged or of another format.
    pub(super) fn decode(&mut self, mut bytes: Bytes) -> Option<Record> {
        if bytes.try_get_u8().ok()? != FORMAT {
            return None;
        }
        let kind = kind_of(bytes.try_get_u8().ok()?)?;
        let at = Timestamp::from_millis(bytes.try_get_i64_le().ok()?);
        let key = take(&mut bytes)?;
        let headers = take(&mut bytes)?;
        Some(Record { kind, at, key, headers: self.headers(headers)?, value: bytes })
    }

    fn headers(&mut self, bytes: Bytes) -> Option<Headers> {
        if let Some((known, headers)) = &self.latest
            && *known == bytes
        {
            return Some(Arc::clone(headers));
        }
        let mut rest = bytes.clone();
        let mut headers = Vec::new();
        while rest.has_remaining() {
            let name = take(&mut rest)?;
            headers.push((Box::from(std::str::from_utf8(&name).ok()?), take(&mut rest)?));
        }
        let headers: Headers = headers.into();
        self.latest = Some((bytes, Arc::clone(&headers)));
        Some(headers)
    }
}

fn size_of_headers(record: &Record) -> usize {
    record.headers.iter().map(|(name, value)| 8 + name.len() + value.len()).sum()
}

fn put(buffer: &mut Vec<u8>, bytes: &[u8]) {
    buffer.extend(length(bytes.len()));
    buffer.extend_from_slice(bytes);
}

/// Lengths are below 4 GiB: the receiver bounds bodies and the API bounds commands far below.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

fn take(bytes: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(bytes.try_get_u32_le().ok()?).ok()?;
    (bytes.remaining() >= length).then(|| bytes.split_to(length))
}

const fn number_of(kind: RecordKind) -> u8 {
    match kind {
        RecordKind::Event => 0,
        RecordKind::Command => 1,
        RecordKind::Tick => 2,
        RecordKind::Output => 3,
        RecordKind::Policy => 4,
    }
}

const fn kind_of(number: u8) -> Option<RecordKind> {
    match number {
        0 => Some(RecordKind::Event),
        1 => Some(RecordKind::Command),
        2 => Some(RecordKind::Tick),
        3 => Some(RecordKind::Output),
        4 => Some(RecordKind::Policy),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> impl Strategy<Value = Record> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from);
        let headers = prop::collection::vec(("[a-z_-]{0,12}".prop_map(String::into_boxed_str), bytes()), 0..4);
        (0_u8..5, any::<i64>(), bytes(), headers, bytes()).prop_map(|(kind, at, key, headers, value)| Record {
            kind: kind_of(kind).unwrap(),
            at: Timestamp::from_millis(at),
            key,
            headers: headers.into(),
            value,
        })
    }

    proptest! {
        #[test]
        fn a_record_reads_back_what_was_written(records in prop::collection::vec(record(), 1..5)) {
            let mut decoder = Decoder::default();
            for record in records {
                let mut bytes = Vec::new();
                encode(&record, &mut bytes);
                prop_assert_eq!(bytes.len(), size_of(&record));
                prop_assert_eq!(decoder.decode(bytes.into()), Some(record));
            }
        }

        #[test]
        fn damage_never_panics(record in record(), at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
            let mut bytes = Vec::new();
            encode(&record, &mut bytes);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(cut.index(bytes.len()) + 1);
            let _any = Decoder::default().decode(bytes.into());
        }
    }
}
