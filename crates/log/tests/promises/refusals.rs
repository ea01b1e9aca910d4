//! A log that was made otherwise, or that another has open, is refused and left as it was.

use std::num::NonZeroU32;

use log::embedded::{Config, EmbeddedLog};
use log::{Error, PartitionCount};

use crate::{config, database, open};

#[test]
fn another_number_of_partitions_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let other = Config { partitions: PartitionCount::new(NonZeroU32::new(2).unwrap()), ..config(folder.path()) };
    let refused = EmbeddedLog::open(other).unwrap_err();
    assert!(matches!(refused, Error::Partitions { found: 1, wanted: 2, .. }), "{refused:?}");
    drop(open(folder.path()));
}

#[test]
fn another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let database = database(folder.path());
    database.put_cf(database.cf_handle("meta").unwrap(), b"format", 2_u64.to_be_bytes()).unwrap();
    drop(database);
    let refused = EmbeddedLog::open(config(folder.path())).unwrap_err();
    assert!(matches!(&refused, Error::Unreadable { found, .. } if found.contains("format 2")), "{refused:?}");
}

#[test]
fn a_log_that_is_open_is_not_opened_a_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path());
    let refused = EmbeddedLog::open(config(folder.path())).unwrap_err();
    assert!(matches!(refused, Error::Storage { .. }), "{refused:?}");
}
