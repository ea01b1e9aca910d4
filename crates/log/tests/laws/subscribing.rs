//! What a member of a group may rely on.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use log::{Error, Log, Polled, Reach, Topic};
use rand::RngExt;

use model::{Offset, PartitionId};

use super::{Backend, PARTITIONS, PATIENCE, append, assigned, by_key, numbered, offsets, poll, subscribe, values};

const FIRST: PartitionId = PartitionId::new(0);

pub(crate) fn the_assignment_comes_first_and_records_only_after_a_seek(backend: &impl Backend) {
    let log = backend.open();
    for partition in PARTITIONS.all() {
        append(log.as_ref(), numbered(partition, 0, 2)).unwrap();
    }
    let mut subscription = log.subscribe(Topic::Events, "group").unwrap();
    assert_eq!(assigned(subscription.as_mut()), PARTITIONS.all().collect::<Vec<_>>());
    let before = subscription.poll(Duration::from_millis(10)).unwrap();
    assert!(matches!(before, Polled::Idle), "{before:?}");
    subscription.seek(FIRST, Offset::ZERO).unwrap();
    assert_eq!(offsets(&poll(subscription.as_mut(), 2), FIRST), [0, 1]);
    let after = subscription.poll(Duration::from_millis(10)).unwrap();
    assert!(matches!(after, Polled::Idle), "the others were not sought: {after:?}");
}

pub(crate) fn a_subscriber_reads_on_from_any_offset(backend: &impl Backend) {
    let log = backend.open();
    append(log.as_ref(), numbered(FIRST, 0, 12)).unwrap();
    for from in 0..12 {
        let mut subscription = log.subscribe(Topic::Events, "group").unwrap();
        assert_eq!(assigned(subscription.as_mut()).len(), 3);
        assert_eq!(log.reach(Topic::Events, FIRST).unwrap(), Reach { start: Offset::ZERO, end: Offset::new(12) });
        subscription.seek(FIRST, Offset::new(from)).unwrap();
        let expected: Vec<_> = (from..12).collect();
        assert_eq!(offsets(&poll(subscription.as_mut(), expected.len()), FIRST), expected);
    }
}

pub(crate) fn a_subscriber_that_seeks_back_reads_again(backend: &impl Backend) {
    let log = backend.open();
    append(log.as_ref(), numbered(FIRST, 0, 5)).unwrap();
    let mut subscription = subscribe(log.as_ref(), "group");
    assert_eq!(poll(subscription.as_mut(), 5).len(), 5);
    subscription.commit(FIRST, Offset::new(5)).unwrap();
    subscription.seek(FIRST, Offset::new(3)).unwrap();
    assert_eq!(values(&poll(subscription.as_mut(), 2)), ["3", "4"]);
}

pub(crate) fn a_seek_beyond_the_end_is_not_taken_for_an_idle_partition(backend: &impl Backend) {
    let log = backend.open();
    append(log.as_ref(), numbered(FIRST, 0, 5)).unwrap();
    let mut subscription = subscribe(log.as_ref(), "group");
    subscription.seek(FIRST, Offset::new(5)).unwrap();
    let outcome = subscription.seek(FIRST, Offset::new(6)).and_then(|()| subscription.poll(PATIENCE).map(|_| ()));
    assert!(matches!(outcome, Err(Error::Unreadable { .. })), "{outcome:?}");
}

pub(crate) fn a_paused_partition_waits_for_a_seek(backend: &impl Backend) {
    let log = backend.open();
    append(log.as_ref(), numbered(FIRST, 0, 5)).unwrap();
    let mut subscription = subscribe(log.as_ref(), "group");
    assert_eq!(poll(subscription.as_mut(), 5).len(), 5);
    subscription.pause(FIRST).unwrap();
    append(log.as_ref(), numbered(FIRST, 5, 7)).unwrap();
    append(log.as_ref(), numbered(PartitionId::new(2), 0, 1)).unwrap();
    assert_eq!(offsets(&poll(subscription.as_mut(), 1), PartitionId::new(2)), [0], "only the other partition's comes");
    subscription.seek(FIRST, Offset::new(4)).unwrap();
    assert_eq!(values(&poll(subscription.as_mut(), 3)), ["4", "5", "6"]);
}

pub(crate) fn two_groups_read_apart(backend: &impl Backend) {
    let log = backend.open();
    append(log.as_ref(), numbered(FIRST, 0, 5)).unwrap();
    let (mut one, mut other) = (subscribe(log.as_ref(), "one"), subscribe(log.as_ref(), "other"));
    assert_eq!(poll(one.as_mut(), 5).len(), 5);
    one.commit(FIRST, Offset::new(5)).unwrap();
    assert_eq!(poll(other.as_mut(), 5).len(), 5);
}

pub(crate) fn a_waiting_subscriber_is_woken_by_an_append(backend: &impl Backend) {
    let log = backend.open();
    let mut subscription = subscribe(log.as_ref(), "group");
    let (about_to_wait, waits) = channel();
    let woken = std::thread::spawn(move || {
        about_to_wait.send(()).unwrap();
        let began = Instant::now();
        let records = poll(subscription.as_mut(), 1);
        (records.len(), began.elapsed())
    });
    waits.recv().unwrap();
    append(log.as_ref(), numbered(FIRST, 0, 1)).unwrap();
    let (records, took) = woken.join().unwrap();
    assert_eq!(records, 1);
    assert!(took < PATIENCE / 2, "it slept through: {took:?}");
}

pub(crate) fn a_poll_that_finds_nothing_is_idle(backend: &impl Backend) {
    let log = backend.open();
    let mut subscription = subscribe(log.as_ref(), "group");
    let began = Instant::now();
    assert!(matches!(subscription.poll(Duration::from_millis(30)).unwrap(), Polled::Idle));
    assert!(began.elapsed() < PATIENCE, "it waits no longer than asked");
}

pub(crate) fn a_full_partition_does_not_starve_the_others(backend: &impl Backend) {
    let log = backend.open();
    // What can be compressed may come at once, however much it is.
    let noise: Vec<u8> = rand::rng().random_iter().take(20_000).collect();
    let large: Vec<_> = numbered(FIRST, 0, 100).into_iter().collect();
    for _ in 0..10 {
        let mut records = large.clone();
        records.iter_mut().for_each(|append| append.record.value = noise.clone().into());
        append(log.as_ref(), records).unwrap();
    }
    append(log.as_ref(), numbered(PartitionId::new(2), 0, 1)).unwrap();
    let mut subscription = subscribe(log.as_ref(), "group");
    let mut before = 0;
    loop {
        match subscription.poll(PATIENCE).unwrap() {
            Polled::Records(partition, _) if partition == PartitionId::new(2) => break,
            Polled::Records(_, records) => before += records.len(),
            other => panic!("{other:?}"),
        }
    }
    assert!(before < 1_000, "the single record came behind all {before} of the other partition");
}

pub(crate) fn a_subscriber_beside_appends_sees_no_gap(backend: &impl Backend) {
    let log = backend.open();
    let mut subscription = subscribe(log.as_ref(), "group");
    let records = std::thread::scope(|scope| {
        for producer in 0..4 {
            let log = log.as_ref();
            scope.spawn(move || {
                for number in 0..50 {
                    append(log, vec![by_key(&format!("{producer}/{number}"), ""); 3]).unwrap();
                }
            });
        }
        poll(subscription.as_mut(), 4 * 50 * 3)
    });
    for partition in PARTITIONS.all() {
        let offsets = offsets(&records, partition);
        assert_eq!(offsets, (0..offsets.len() as u64).collect::<Vec<_>>(), "{partition}");
    }
}

/// As the scorer does, which opens a partition's state before it knows where to go on; behind what takes a while to be read.
pub(crate) fn a_subscriber_that_seeks_late_misses_nothing(backend: &impl Backend) {
    const BEFORE: u64 = 60_000;
    const BESIDE: u64 = 100;
    let log = backend.open();
    for partition in PARTITIONS.all() {
        append(log.as_ref(), numbered(partition, 0, BEFORE)).unwrap();
    }
    let read = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..BESIDE {
                let one_each = PARTITIONS.all().flat_map(|partition| numbered(partition, number, number + 1));
                append(log.as_ref(), one_each.collect()).unwrap();
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let mut subscription = log.subscribe(Topic::Events, "group").unwrap();
        let mut read: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut take = |polled| match polled {
            Polled::Records(partition, records) => {
                let read = read.entry(partition).or_default();
                read.extend(records.iter().map(|stored| stored.position.offset.get()));
                records.len()
            }
            Polled::Idle => 0,
            other => panic!("instead of records came {other:?}"),
        };
        let mut count = 0;
        for partition in assigned(subscription.as_mut()) {
            count += take(subscription.poll(Duration::from_millis(1)).unwrap());
            subscription.seek(partition, Offset::ZERO).unwrap();
        }
        let (wanted, deadline) = (u64::from(PARTITIONS.get()) * (BEFORE + BESIDE), Instant::now() + PATIENCE);
        while (count as u64) < wanted && Instant::now() < deadline {
            count += take(subscription.poll(Duration::from_millis(100)).unwrap());
        }
        read
    });
    for (partition, offsets) in read {
        let first_gap = offsets.iter().zip(0..).find(|(found, wanted)| **found != *wanted);
        assert_eq!((first_gap, offsets.len() as u64), (None, BEFORE + BESIDE), "{partition}");
    }
}

pub(crate) fn a_subscriber_outlives_the_log_that_it_came_from(backend: &impl Backend) {
    let log = backend.open();
    append(log.as_ref(), numbered(FIRST, 0, 5)).unwrap();
    let mut subscription = subscribe(log.as_ref(), "group");
    drop::<std::sync::Arc<dyn Log>>(log);
    assert_eq!(poll(subscription.as_mut(), 5).len(), 5);
}
