//! A log that was made otherwise, or that another has open, is refused and left as it was.

use std::num::NonZeroU32;
use std::task::{Context, Waker};

use log::embedded::{Config, EmbeddedLog};
use log::{Error, Log as _, PartitionCount, Start, Topic};

use super::{append, config, database, day, event, open, read};

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

#[test]
fn a_log_closes_with_its_last_reader_and_can_be_reopened() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let mut closed = std::pin::pin!(log.closed());
    let mut context = Context::from_waker(Waker::noop());
    let tail = log.tail(Topic::Events, Start::Earliest).unwrap();
    drop(log);
    assert!(closed.as_mut().poll(&mut context).is_pending());
    drop(tail);
    assert!(closed.as_mut().poll(&mut context).is_ready());
    drop(open(folder.path()));
}

#[test]
fn a_log_opened_to_be_read_shows_what_is_there_and_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let missing = EmbeddedLog::open_read_only(config(folder.path())).unwrap_err();
    assert!(matches!(missing, Error::Storage { .. }), "{missing:?}");
    assert!(!config(folder.path()).path.exists(), "nothing was made");

    let log = open(folder.path());
    append(&log, vec![event(day(1), 7)]).unwrap();
    drop(log);
    let log = EmbeddedLog::open_read_only(config(folder.path())).unwrap();
    assert_eq!(read(&log, Topic::Events).unwrap(), [(0, "7".to_owned())]);
    let refused = append(&log, vec![event(day(1), 8)]).unwrap_err();
    assert!(matches!(refused, Error::Storage { .. }), "{refused:?}");
    drop(log);
    assert_eq!(read(&open(folder.path()), Topic::Events).unwrap().len(), 1);
}
