//! The state's tables and keys.
//!
//! | column family | key | value |
//! |---|---|---|
//! | `meta` | `format`, `offset`, `sequence` | numbers, big-endian |
//! | `meta` | `partition`, `in_force` | the fold's own part and the policy in force, by postcard |
//! | `meta` | `said_under`, `said_up_to` | a policy's digest and a customer id, as text |
//! | `customers` | customer id | customer, by postcard |
//! | `attended` | customer id | nothing |
//! | `seen` | hour u32, kind u8, chunk u32 or shard u16, big-endian | digests, 16 bytes each |
//! | `outbox` | sequence u64, big-endian | topic u8 and the record |

use rocksdb::{BlockBasedOptions, ColumnFamily, DB, DBCompressionType, Options};

use super::Place;
use crate::Error;

pub(super) const META: &str = "meta";
pub(super) const CUSTOMERS: &str = "customers";
pub(super) const ATTENDED: &str = "attended";
pub(super) const SEEN: &str = "seen";
pub(super) const OUTBOX: &str = "outbox";
pub(super) const ALL: [&str; 5] = [META, CUSTOMERS, ATTENDED, SEEN, OUTBOX];

pub(super) const FORMAT: &str = "format";
pub(super) const OFFSET: &str = "offset";
pub(super) const SEQUENCE: &str = "sequence";
pub(super) const PARTITION: &str = "partition";
pub(super) const IN_FORCE: &str = "in_force";
pub(super) const SAID_UNDER: &str = "said_under";
pub(super) const SAID_UP_TO: &str = "said_up_to";

/// The options of a column family, where `write_buffer` bytes of customers are gathered.
pub(super) fn options(name: &str, write_buffer: usize) -> Options {
    let mut options = Options::default();
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_write_buffer_size(if name == CUSTOMERS { write_buffer } else { write_buffer / 4 });
    if name == CUSTOMERS {
        let mut table = BlockBasedOptions::default();
        // Most look-ups are of customers that are there; the filter spares the levels that do not hold them.
        table.set_bloom_filter(10.0, false);
        table.set_block_size(16 << 10);
        options.set_block_based_table_factory(&table);
    }
    options
}

/// A column family that every state has.
pub(super) fn cf<'d>(db: &'d DB, name: &'static str, place: &Place) -> Result<&'d ColumnFamily, Error> {
    db.cf_handle(name).ok_or_else(|| place.unreadable(format!("table {name} is missing")))
}

/// A stored number.
pub(super) fn number(bytes: &[u8], place: &Place) -> Result<u64, Error> {
    let bytes: [u8; 8] = bytes.try_into().map_err(|_| place.unreadable("a number has not 8 bytes"))?;
    Ok(u64::from_be_bytes(bytes))
}
