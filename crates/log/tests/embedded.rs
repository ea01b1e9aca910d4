//! What the embedded log promises beyond the seam: what it drops, what it refuses, and what a kill leaves.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::io::{BufRead, BufReader};
use std::num::NonZeroU32;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use log::embedded::{Config, EmbeddedLog};
use log::{Append, Error, Log, PartitionCount, Polled, Record, RecordKind, Route, Start, Topic};
use model::{Millis, Offset, PartitionId, Timestamp};

const KILLS: usize = 15;

fn config(folder: &Path) -> Config {
    Config::new(folder.join("log"), PartitionCount::new(NonZeroU32::MIN))
}

fn append(topic: Topic, key: &str, at: Timestamp, value: Vec<u8>) -> Append {
    let key = Bytes::copy_from_slice(key.as_bytes());
    let record = Record { kind: RecordKind::Output, at, key, headers: Arc::new([]), value: value.into() };
    Append { topic, route: Route::ByKey, record }
}

fn read(log: &EmbeddedLog, topic: Topic) -> Vec<(u64, Bytes)> {
    let mut tail = log.tail(topic, Start::Earliest).unwrap();
    let mut read = Vec::new();
    while !tail.caught_up() {
        read.extend(tail.next(Duration::ZERO).unwrap().into_iter().map(|s| (s.position.offset.get(), s.record.value)));
    }
    read
}

#[tokio::test]
async fn old_records_leave_and_their_offsets_are_not_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(config(folder.path())).unwrap();
    let day = |days| Timestamp::from_seconds(0) + Millis::days(days);
    let records = (0..10).map(|n| append(Topic::Events, "k", day(n), vec![b'0' + u8::try_from(n).unwrap()])).collect();
    log.producer().append(records).await.unwrap();
    assert_eq!(log.maintain(day(45 + 4)).unwrap().old, 4);
    let offsets: Vec<_> = read(&log, Topic::Events).into_iter().map(|(offset, _)| offset).collect();
    assert_eq!(offsets, [4, 5, 6, 7, 8, 9]);

    assert_eq!(log.maintain(day(1_000)).unwrap().old, 6);
    drop(log);
    let log = EmbeddedLog::open(config(folder.path())).unwrap();
    log.producer().append(vec![append(Topic::Events, "k", day(1_000), vec![b'x'])]).await.unwrap();
    assert_eq!(read(&log, Topic::Events), [(10, Bytes::from_static(b"x"))]);

    let mut subscription = log.subscribe(Topic::Events, "group").unwrap();
    assert!(matches!(subscription.poll(Duration::ZERO).unwrap(), Polled::Assigned(_)));
    subscription.seek(PartitionId::new(0), Offset::new(3)).unwrap();
    let lost = subscription.poll(Duration::ZERO);
    assert!(matches!(lost, Err(Error::Unreadable { .. })), "a gap is never skipped in silence: {lost:?}");
    assert_eq!(subscription.earliest(PartitionId::new(0)).unwrap(), Offset::new(10));
}

#[tokio::test]
async fn a_topic_over_its_size_loses_its_oldest_records() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Config { max_bytes: 1 << 20, ..config(folder.path()) }).unwrap();
    let noise = |seed: u64| {
        let next =
            |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        std::iter::successors(Some(seed), next).map(|state: u64| state.to_be_bytes()[2]).take(4_000).collect::<Vec<_>>()
    };
    let now = Timestamp::from_seconds(1);
    for part in 0..8_u64 {
        let records = (0..100).map(|n| append(Topic::Rejects, "k", now, noise(part * 100 + n))).collect();
        log.producer().append(records).await.unwrap();
    }
    drop(log);
    // What counts is what is on disk: reopening writes out what was in memory.
    let log = EmbeddedLog::open(Config { max_bytes: 1 << 20, ..config(folder.path()) }).unwrap();
    let dropped = log.maintain(now).unwrap().old;
    let kept = read(&log, Topic::Rejects);
    assert!(dropped > 0 && kept.len() as u64 == 800 - dropped, "{dropped} dropped, {} kept", kept.len());
    assert_eq!(kept.last().unwrap().0, 799, "the newest stay");
}

#[tokio::test]
async fn of_a_compacted_topic_the_newest_record_of_each_key_stays() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(config(folder.path())).unwrap();
    let now = Timestamp::from_seconds(1);
    let records =
        (0..90_u8).map(|n| append(Topic::Standings, ["a", "b", "c"][usize::from(n % 3)], now, vec![n])).collect();
    log.producer().append(records).await.unwrap();
    assert_eq!(log.maintain(now).unwrap().replaced, 87);
    let kept = read(&log, Topic::Standings);
    assert_eq!(kept, [(87, Bytes::from(vec![87])), (88, Bytes::from(vec![88])), (89, Bytes::from(vec![89]))]);
    assert_eq!(log.maintain(now).unwrap().replaced, 0);
}

#[test]
fn another_number_of_partitions_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(EmbeddedLog::open(config(folder.path())).unwrap());
    let other = Config { partitions: PartitionCount::new(NonZeroU32::new(2).unwrap()), ..config(folder.path()) };
    let refused = EmbeddedLog::open(other).unwrap_err();
    assert!(matches!(refused, Error::Partitions { found: 1, wanted: 2, .. }), "{refused:?}");
    assert!(EmbeddedLog::open(config(folder.path())).is_ok());
}

#[test]
fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = EmbeddedLog::open(config(folder.path())).unwrap();
    assert!(matches!(EmbeddedLog::open(config(folder.path())), Err(Error::Storage { .. })));
}

#[tokio::test]
async fn too_much_at_once_is_refused_as_busy_and_taken_later() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(Config { in_flight_bytes: 100_000, ..config(folder.path()) }).unwrap();
    let producer = log.producer();
    let large = || vec![append(Topic::Events, "k", Timestamp::default(), vec![7; 60_000])];
    let mut waiting = Vec::new();
    let mut refused = 0;
    for _ in 0..50 {
        // An append is handed over when it is called, not when it is awaited.
        waiting.push(producer.append(large()));
    }
    let mut taken = 0;
    for append in waiting {
        match append.await {
            Ok(()) => taken += 1,
            Err(Error::Busy(_)) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(refused > 0, "nothing was refused");
    producer.append(large()).await.unwrap();
    assert_eq!(read(&log, Topic::Events).len(), taken + 1);
}

/// In a child process: appends until it is killed, and prints each number once it is acknowledged.
#[tokio::test]
async fn child_that_appends() {
    let Some(folder) = std::env::var_os("WEIR_LOG_TEST_FOLDER") else { return };
    let log = EmbeddedLog::open(config(Path::new(&folder))).unwrap();
    let mut number = read(&log, Topic::Events).len();
    loop {
        let value = number.to_string().into_bytes();
        log.producer().append(vec![append(Topic::Events, "k", Timestamp::default(), value)]).await.unwrap();
        println!("acknowledged {number}");
        number += 1;
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_appends", "--nocapture"])
            .env("WEIR_LOG_TEST_FOLDER", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let numbers = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<usize>().ok());
        // Another number of acknowledgements each time, so that the kill falls at another moment.
        for number in numbers.take(3 + kill * 7) {
            acknowledged = acknowledged.max(number + 1);
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let log = EmbeddedLog::open(config(folder.path())).unwrap();
    let read = read(&log, Topic::Events);
    assert!(acknowledged > 100 && read.len() >= acknowledged, "{} of {acknowledged}", read.len());
    for (expected, (offset, value)) in read.iter().enumerate() {
        assert_eq!((expected as u64, expected.to_string().as_bytes()), (*offset, value.as_ref()));
    }
}
