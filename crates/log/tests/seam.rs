//! What every backend promises, against the seam alone. A backend is put under this suite by opening it in `backends`.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::embedded::{Config, EmbeddedLog};
use log::{
    Append, Error, Log, Output, PartitionCount, Polled, Record, RecordKind, Route, Sequence, Start, Stored,
    Subscription, Tail, Topic, partition_of,
};
use model::{Offset, PartitionId, Timestamp};

/// How long anything may take that must come about.
const PATIENCE: Duration = Duration::from_secs(20);
const PARTITIONS: PartitionCount = PartitionCount::new(NonZeroU32::new(3).unwrap());

/// A log that can be closed and opened again.
struct Backend {
    folder: tempfile::TempDir,
    log: Option<Arc<dyn Log>>,
}

impl Backend {
    fn embedded() -> Self {
        let mut backend = Self { folder: tempfile::tempdir().unwrap(), log: None };
        backend.reopen();
        backend
    }

    fn reopen(&mut self) {
        self.log = None;
        let config = Config::new(self.folder.path().join("log"), PARTITIONS);
        self.log = Some(Arc::new(EmbeddedLog::open(config).unwrap()));
    }

    fn log(&self) -> &Arc<dyn Log> {
        self.log.as_ref().unwrap()
    }

    async fn append(&self, records: Vec<Append>) {
        self.log().producer().append(records).await.unwrap();
    }
}

fn record(key: &str, value: &str) -> Record {
    Record {
        kind: RecordKind::Event,
        at: Timestamp::from_seconds(1),
        key: Bytes::copy_from_slice(key.as_bytes()),
        headers: Arc::new([(Box::from("source"), Bytes::from_static(b"test"))]),
        value: Bytes::copy_from_slice(value.as_bytes()),
    }
}

fn by_key(key: &str, value: &str) -> Append {
    Append { topic: Topic::Events, route: Route::ByKey, record: record(key, value) }
}

fn numbered(count: usize) -> Vec<Append> {
    (0..count).map(|number| by_key(&format!("customer-{}", number % 7), &number.to_string())).collect()
}

fn output(sequence: u64, value: &str) -> Output {
    Output { sequence: Sequence::new(sequence), topic: Topic::Decisions, record: record("c", value) }
}

/// Everything that the tail has, up to where the topic ended when it was opened.
fn read_all(tail: &mut dyn Tail) -> Vec<Stored> {
    let mut records = Vec::new();
    while !tail.caught_up() {
        records.extend(tail.next(PATIENCE).unwrap());
    }
    records
}

fn values(records: &[Stored]) -> Vec<String> {
    records.iter().map(|stored| String::from_utf8(stored.record.value.to_vec()).unwrap()).collect()
}

/// Polls until `wanted` records have come.
fn poll_records(subscription: &mut dyn Subscription, wanted: usize) -> Vec<Stored> {
    let deadline = Instant::now() + PATIENCE;
    let mut records = Vec::new();
    while records.len() < wanted && Instant::now() < deadline {
        match subscription.poll(Duration::from_millis(50)).unwrap() {
            Polled::Records(_, more) => records.extend(more),
            Polled::Assigned(partitions) => {
                partitions.iter().for_each(|partition| subscription.seek(*partition, Offset::ZERO).unwrap());
            }
            Polled::Idle | Polled::Revoked(_) => {}
        }
    }
    records
}

#[tokio::test]
async fn what_was_appended_is_read_whole_and_in_order_within_its_partition() {
    let backend = Backend::embedded();
    backend.append(numbered(500)).await;
    let mut tail = backend.log().tail(Topic::Events, Start::Earliest).unwrap();
    let read = read_all(tail.as_mut());
    assert_eq!(read.len(), 500);
    let mut partitions: BTreeMap<PartitionId, Vec<&Stored>> = BTreeMap::new();
    for stored in &read {
        assert_eq!(stored.position.partition, partition_of(&stored.record.key, PARTITIONS));
        partitions.entry(stored.position.partition).or_default().push(stored);
    }
    for records in partitions.values() {
        let offsets: Vec<_> = records.iter().map(|stored| stored.position.offset.get()).collect();
        assert_eq!(offsets, (0..records.len() as u64).collect::<Vec<_>>(), "dense, from 0");
        let numbers: Vec<u32> = records.iter().map(|s| values(&[(*s).clone()])[0].parse().unwrap()).collect();
        assert!(numbers.is_sorted(), "in the order of appending");
    }
    let sent = record("customer-3", "3");
    assert!(read.iter().any(|stored| stored.record == sent), "key, headers, kind and time come back too");
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let mut backend = Backend::embedded();
    backend.append(numbered(100)).await;
    backend.reopen();
    backend.append(vec![by_key("customer-0", "after")]).await;
    let read = read_all(backend.log().tail(Topic::Events, Start::Earliest).unwrap().as_mut());
    assert_eq!(read.len(), 101);
    let after = read.iter().find(|stored| stored.record.value == "after").unwrap();
    let newest =
        read.iter().filter(|s| s.position.partition == after.position.partition).map(|s| s.position.offset).max();
    assert_eq!(newest, Some(after.position.offset), "offsets go on where they were");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_producers_at_once_lose_nothing() {
    let backend = Backend::embedded();
    let producers: Vec<_> = (0..20)
        .map(|number| {
            let producer = backend.log().producer();
            tokio::spawn(async move {
                for batch in 0..20 {
                    producer.append(vec![by_key(&format!("c{number}"), &format!("{number}/{batch}"))]).await.unwrap();
                }
            })
        })
        .collect();
    for producer in producers {
        producer.await.unwrap();
    }
    let mut read = values(&read_all(backend.log().tail(Topic::Events, Start::Earliest).unwrap().as_mut()));
    read.sort();
    let mut expected: Vec<_> = (0..20).flat_map(|n| (0..20).map(move |b| format!("{n}/{b}"))).collect();
    expected.sort();
    assert_eq!(read, expected);
}

#[tokio::test]
async fn an_output_that_is_published_twice_is_there_once() {
    let mut backend = Backend::embedded();
    let partition = PartitionId::new(1);
    let publish = |log: Arc<dyn Log>, outputs: Vec<Output>| {
        tokio::task::spawn_blocking(move || log.outputs().unwrap().publish(partition, &outputs).unwrap())
    };
    publish(Arc::clone(backend.log()), vec![output(1, "a"), output(2, "b")]).await.unwrap();
    publish(Arc::clone(backend.log()), vec![output(1, "a"), output(2, "b"), output(3, "c")]).await.unwrap();
    backend.reopen();
    assert_eq!(backend.log().outputs().unwrap().last_published(partition).unwrap(), Some(Sequence::new(3)));
    assert_eq!(backend.log().outputs().unwrap().last_published(PartitionId::new(0)).unwrap(), None);
    publish(Arc::clone(backend.log()), vec![output(3, "c"), output(4, "d")]).await.unwrap();
    let read = read_all(backend.log().tail(Topic::Decisions, Start::Earliest).unwrap().as_mut());
    assert_eq!(values(&read), ["a", "b", "c", "d"]);
    assert!(read.iter().all(|stored| stored.position.partition == partition));
}

#[tokio::test]
async fn a_subscription_goes_on_from_any_offset() {
    let backend = Backend::embedded();
    let partition = PartitionId::new(2);
    let append = |number: usize| Append {
        topic: Topic::Events,
        route: Route::To(partition),
        record: record("k", &number.to_string()),
    };
    backend.append((0..50).map(append).collect()).await;
    let mut subscription = backend.log().subscribe(Topic::Events, "group").unwrap();
    let Polled::Assigned(partitions) = subscription.poll(PATIENCE).unwrap() else { panic!("no assignment first") };
    assert_eq!(partitions.len(), 3);
    assert_eq!(subscription.earliest(partition).unwrap(), Offset::ZERO);
    subscription.seek(partition, Offset::new(47)).unwrap();
    let records = poll_records(subscription.as_mut(), 3);
    assert_eq!(values(&records), ["47", "48", "49"]);
    assert!(matches!(subscription.seek(partition, Offset::new(51)), Err(Error::Unreadable { .. })), "beyond the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_subscription_is_woken_by_an_append() {
    let backend = Backend::embedded();
    let mut subscription = backend.log().subscribe(Topic::Events, "group").unwrap();
    assert!(poll_records(subscription.as_mut(), 0).is_empty());
    let waiting = tokio::task::spawn_blocking(move || {
        let began = Instant::now();
        let records = poll_records(subscription.as_mut(), 1);
        (records.len(), began.elapsed())
    });
    backend.append(numbered(1)).await;
    let (records, took) = waiting.await.unwrap();
    assert_eq!(records, 1);
    assert!(took < PATIENCE, "{took:?}");
}

#[tokio::test]
async fn a_tail_from_the_latest_sees_only_what_comes() {
    let backend = Backend::embedded();
    backend.append(numbered(10)).await;
    let mut tail = backend.log().tail(Topic::Events, Start::Latest).unwrap();
    assert!(tail.caught_up());
    assert!(tail.next(Duration::ZERO).unwrap().is_empty());
    backend.append(vec![by_key("c", "new")]).await;
    assert_eq!(values(&tail.next(PATIENCE).unwrap()), ["new"]);
}
