//! What is old or too much leaves from the front, and nobody takes what is left for all.

use std::time::Duration;

use log::embedded::{Config, EmbeddedLog};
use log::{Error, Log, Polled, Start, Topic};
use model::{Offset, PartitionId, Timestamp};
use rand::{RngExt, SeedableRng};

use super::{append, config, database, day, event, offsets, open, read, record};

const PARTITION: PartitionId = PartitionId::new(0);

/// Ten events, one a day from day 0.
fn ten_days(log: &dyn Log) {
    append(log, (0..10).map(|n| event(day(i64::try_from(n).unwrap()), n)).collect()).unwrap();
}

#[test]
fn records_older_than_the_age_leave() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    ten_days(&log);
    assert_eq!(log.maintain(day(45)).unwrap().old, 0, "exactly at the age they stay");
    assert_eq!(log.maintain(day(49)).unwrap().old, 4);
    assert_eq!(offsets(&log, Topic::Events), [4, 5, 6, 7, 8, 9]);
    assert_eq!(log.maintain(day(49)).unwrap().old, 0);
}

#[test]
fn an_old_record_behind_a_young_one_stays_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    append(&log, vec![event(day(0), 0), event(day(50), 1), event(day(0), 2)]).unwrap();
    assert_eq!(log.maintain(day(60)).unwrap().old, 1);
    assert_eq!(offsets(&log, Topic::Events), [1, 2]);
}

#[test]
fn an_emptied_partition_gives_no_offset_a_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    ten_days(&log);
    assert_eq!(log.maintain(day(1_000)).unwrap().old, 10);
    drop(log);
    let log = open(folder.path());
    append(&log, vec![event(day(1_000), 10)]).unwrap();
    assert_eq!(read(&log, Topic::Events).unwrap(), [(10, "10".to_owned())]);
}

#[test]
fn the_first_record_that_stays_is_kept_also_where_a_file_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    ten_days(&log);
    append(&log, vec![event(day(100), 10)]).unwrap();
    drop(log);
    let database = database(folder.path());
    database.compact_range_cf(database.cf_handle("events").unwrap(), None::<&[u8]>, None::<&[u8]>);
    drop(database);
    let log = open(folder.path());
    assert_eq!(log.maintain(day(100)).unwrap().old, 10);
    assert_eq!(offsets(&log, Topic::Events), [10]);
}

#[test]
fn a_subscriber_that_retention_overtook_is_told_and_a_tail_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    ten_days(&log);
    let mut subscription = log.subscribe(Topic::Events, "group").unwrap();
    assert!(matches!(subscription.poll(Duration::ZERO).unwrap(), Polled::Assigned(_)));
    subscription.seek(PARTITION, Offset::new(3)).unwrap();
    let mut tail = log.tail(Topic::Events, Start::Earliest).unwrap();
    log.maintain(day(49)).unwrap();

    for _ in 0..2 {
        let lost = subscription.poll(Duration::ZERO);
        assert!(matches!(lost, Err(Error::Unreadable { .. })), "{lost:?}");
    }
    assert_eq!(log.reach(Topic::Events, PARTITION).unwrap().start, Offset::new(4));
    subscription.seek(PARTITION, Offset::new(4)).unwrap();
    assert!(matches!(subscription.poll(Duration::ZERO).unwrap(), Polled::Records(_, records) if records.len() == 6));

    assert_eq!(tail.next(Duration::ZERO).unwrap().first().unwrap().position.offset, Offset::new(4));
    assert!(tail.caught_up());
}

#[test]
fn a_subscriber_of_an_emptied_partition_is_told_too() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    ten_days(&log);
    let mut subscription = log.subscribe(Topic::Events, "group").unwrap();
    assert!(matches!(subscription.poll(Duration::ZERO).unwrap(), Polled::Assigned(_)));
    subscription.seek(PARTITION, Offset::ZERO).unwrap();
    log.maintain(day(1_000)).unwrap();
    let lost = subscription.poll(Duration::ZERO);
    assert!(matches!(lost, Err(Error::Unreadable { .. })), "{lost:?}");
}

#[test]
fn a_topic_over_its_size_loses_its_oldest_records_and_no_more_than_it_must() {
    let folder = tempfile::tempdir().unwrap();
    let small = || EmbeddedLog::open(Config { max_bytes: 1 << 20, ..config(folder.path()) }).unwrap();
    let now = Timestamp::from_seconds(1);
    let mut noise = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let log = small();
    for _ in 0..8 {
        // What compresses to nothing takes no room.
        let values = (0..100).map(|_| (0..4_000).map(|_| noise.random()).collect::<Vec<u8>>());
        append(&log, values.map(|value| record(Topic::Rejects, "key", now, value)).collect()).unwrap();
    }
    drop(log);
    // What counts is what is in files: reopening writes out what was in memory.
    let log = small();
    let dropped = log.maintain(now).unwrap().old;
    let kept = offsets(&log, Topic::Rejects);
    assert_eq!(kept, (dropped..800).collect::<Vec<_>>(), "the newest stay");
    assert!((200..=270).contains(&kept.len()), "about 1 MiB of 4,000 bytes each: {}", kept.len());
    let again = log.maintain(now).unwrap().old;
    assert!(again <= 10, "the estimate is of what is left: {again} more");
}
