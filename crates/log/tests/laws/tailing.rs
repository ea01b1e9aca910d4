//! What those who only look may rely on.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use log::{Start, Topic};
use model::{Offset, PartitionId};

use super::{Backend, PARTITIONS, PATIENCE, append, drain, numbered, offsets, values};

const FIRST: PartitionId = PartitionId::new(0);

pub(crate) fn a_tail_from_the_earliest_has_everything_and_then_waits(backend: &impl Backend) {
    let log = backend.open();
    for partition in PARTITIONS.all() {
        append(log.as_ref(), numbered(partition, 0, 100)).unwrap();
    }
    let mut tail = log.tail(Topic::Events, Start::Earliest).unwrap();
    let read = drain(tail.as_mut());
    assert_eq!(read.len(), 300);
    for partition in PARTITIONS.all() {
        assert_eq!(offsets(&read, partition), (0..100).collect::<Vec<_>>());
    }
    assert!(tail.next(Duration::ZERO).unwrap().is_empty());
}

pub(crate) fn a_tail_from_the_latest_sees_only_what_comes(backend: &impl Backend) {
    let log = backend.open();
    append(log.as_ref(), numbered(FIRST, 0, 10)).unwrap();
    let mut tail = log.tail(Topic::Events, Start::Latest).unwrap();
    assert!(tail.next(Duration::ZERO).unwrap().is_empty());
    append(log.as_ref(), numbered(FIRST, 10, 11)).unwrap();
    assert_eq!(values(&tail.next(PATIENCE).unwrap()), ["10"]);
    let mut last = log.tail(Topic::Events, Start::Last(3)).unwrap();
    assert_eq!(values(&drain(last.as_mut())), ["8", "9", "10"]);
    assert_eq!(drain(log.tail(Topic::Events, Start::Last(1_000)).unwrap().as_mut()).len(), 11);
}

pub(crate) fn a_tail_is_caught_up_once_it_handed_out_what_was_there_when_it_was_opened(backend: &impl Backend) {
    let log = backend.open();
    assert!(log.tail(Topic::Events, Start::Earliest).unwrap().caught_up(), "of an empty topic");
    append(log.as_ref(), numbered(FIRST, 0, 10)).unwrap();
    assert!(log.tail(Topic::Events, Start::Latest).unwrap().caught_up(), "from the end");
    let mut tail = log.tail(Topic::Events, Start::Earliest).unwrap();
    assert!(!tail.caught_up());
    append(log.as_ref(), numbered(PartitionId::new(1), 0, 1)).unwrap();
    let read = drain(tail.as_mut());
    assert_eq!(offsets(&read, FIRST), (0..10).collect::<Vec<_>>());
    append(log.as_ref(), numbered(FIRST, 10, 11)).unwrap();
    assert!(tail.caught_up(), "what comes later does not undo it");
}

pub(crate) fn a_tail_of_one_partition_has_that_and_no_other(backend: &impl Backend) {
    let log = backend.open();
    for partition in PARTITIONS.all() {
        append(log.as_ref(), numbered(partition, 0, 10)).unwrap();
    }
    let mut tail = log.tail_of(Topic::Events, FIRST, Start::Earliest).unwrap();
    let read = drain(tail.as_mut());
    assert_eq!((read.len(), offsets(&read, FIRST)), (10, (0..10).collect()));
    let mut tail = log.tail_of(Topic::Events, FIRST, Start::Latest).unwrap();
    append(log.as_ref(), numbered(FIRST, 10, 11)).unwrap();
    assert_eq!(values(&tail.next(PATIENCE).unwrap()), ["10"]);
    let beyond = PartitionId::new(PARTITIONS.get());
    let refused = log.tail_of(Topic::Events, beyond, Start::Earliest);
    assert!(matches!(refused, Err(log::Error::NoPartition { partition, .. }) if partition == beyond), "{refused:?}");
}

pub(crate) fn a_tail_from_places_begins_at_each_and_has_no_other_partition(backend: &impl Backend) {
    let log = backend.open();
    for partition in PARTITIONS.all() {
        append(log.as_ref(), numbered(partition, 0, 10)).unwrap();
    }
    let second = PartitionId::new(1);
    let places = BTreeMap::from([(FIRST, Offset::new(7)), (second, Offset::new(99))]);
    let mut tail = log.tail_from(Topic::Events, &places).unwrap();
    let read = drain(tail.as_mut());
    assert_eq!((read.len(), offsets(&read, FIRST)), (3, vec![7, 8, 9]));
    append(log.as_ref(), numbered(second, 10, 11)).unwrap();
    assert_eq!(values(&tail.next(PATIENCE).unwrap()), ["10"], "a place beyond the end stands for the end");
    let beyond = BTreeMap::from([(PartitionId::new(PARTITIONS.get()), Offset::new(0))]);
    let refused = log.tail_from(Topic::Events, &beyond);
    assert!(matches!(refused, Err(log::Error::NoPartition { .. })), "{refused:?}");
}

pub(crate) fn a_waiting_tail_is_woken_by_an_append(backend: &impl Backend) {
    let log = backend.open();
    let mut tail = log.tail(Topic::Standings, Start::Latest).unwrap();
    let (about_to_wait, waits) = channel();
    let woken = std::thread::spawn(move || {
        about_to_wait.send(()).unwrap();
        let began = Instant::now();
        let records = tail.next(PATIENCE).unwrap();
        (records.len(), began.elapsed())
    });
    waits.recv().unwrap();
    let mut records = numbered(FIRST, 0, 1);
    records.iter_mut().for_each(|append| append.topic = Topic::Standings);
    append(log.as_ref(), records).unwrap();
    let (records, took) = woken.join().unwrap();
    assert_eq!(records, 1);
    assert!(took < PATIENCE / 2, "it slept through: {took:?}");
}

pub(crate) fn two_tails_read_apart(backend: &impl Backend) {
    let log = backend.open();
    append(log.as_ref(), numbered(FIRST, 0, 10)).unwrap();
    let mut one = log.tail(Topic::Events, Start::Earliest).unwrap();
    let mut other = log.tail(Topic::Events, Start::Earliest).unwrap();
    assert_eq!(drain(one.as_mut()), drain(other.as_mut()));
    assert!(log.tail(Topic::Decisions, Start::Earliest).unwrap().caught_up(), "another topic is apart");
}
