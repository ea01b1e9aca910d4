//! What a producer may rely on.

use std::sync::Arc;

use bytes::Bytes;
use log::{Append, Error, Record, RecordKind, Route, Topic, partition_of};
use model::{PartitionId, Timestamp};

use super::{Backend, PARTITIONS, append, by_key, numbered, offsets, read, record, values, wait};

pub(crate) fn what_was_appended_comes_back_as_it_was(backend: &impl Backend) {
    let log = backend.open();
    let headers: log::Headers = Arc::new([
        (Box::from("a"), Bytes::from_static(b"1")),
        (Box::from("a"), Bytes::new()),
        (Box::from(""), "ä".into()),
    ]);
    let kinds = [RecordKind::Event, RecordKind::Command, RecordKind::Tick, RecordKind::Policy, RecordKind::Output];
    let sent: Vec<_> = kinds
        .into_iter()
        .zip([i64::MIN, -1, 0, 1, i64::MAX])
        .flat_map(|(kind, at)| {
            let at = Timestamp::from_millis(at);
            let full = Record { kind, at, key: "k".into(), headers: Arc::clone(&headers), value: vec![0, 255].into() };
            let empty = Record { kind, at, key: Bytes::new(), headers: Arc::new([]), value: Bytes::new() };
            [full, empty]
        })
        .collect();
    let to = Route::To(PartitionId::new(0));
    let appends = sent.iter().map(|record| Append { topic: Topic::Rejects, route: to, record: record.clone() });
    append(log.as_ref(), appends.collect()).unwrap();
    let came: Vec<_> = read(log.as_ref(), Topic::Rejects).into_iter().map(|stored| stored.record).collect();
    assert_eq!(came, sent);
}

pub(crate) fn records_of_a_partition_are_read_in_the_order_of_their_appends(backend: &impl Backend) {
    let log = backend.open();
    for batch in 0..20 {
        for partition in PARTITIONS.all() {
            append(log.as_ref(), numbered(partition, batch * 5, batch * 5 + 5)).unwrap();
        }
    }
    let read = read(log.as_ref(), Topic::Events);
    for partition in PARTITIONS.all() {
        let of_partition: Vec<_> =
            read.iter().filter(|stored| stored.position.partition == partition).cloned().collect();
        let expected: Vec<_> = (0..100).map(|number| number.to_string()).collect();
        assert_eq!(values(&of_partition), expected, "{partition}");
    }
}

pub(crate) fn offsets_are_dense_also_across_a_reopening(backend: &impl Backend) {
    let partition = PartitionId::new(1);
    for round in 0..4 {
        let log = backend.open();
        append(log.as_ref(), numbered(partition, 0, 10)).unwrap();
        append(log.as_ref(), numbered(PartitionId::new(2), 0, 3)).unwrap();
        let expected: Vec<_> = (0..(round + 1) * 10).collect();
        assert_eq!(offsets(&read(log.as_ref(), Topic::Events), partition), expected);
    }
}

pub(crate) fn a_record_stands_in_the_partition_of_its_key_or_in_the_one_named(backend: &impl Backend) {
    let log = backend.open();
    let keys: Vec<_> = (0..100).map(|number| format!("customer-{number}")).collect();
    append(log.as_ref(), keys.iter().map(|key| by_key(key, "")).collect()).unwrap();
    let stored = read(log.as_ref(), Topic::Events);
    assert_eq!(stored.len(), 100);
    assert!(stored.iter().all(|stored| stored.position.partition == partition_of(&stored.record.key, PARTITIONS)));

    let named = |partition| Append { topic: Topic::Fleet, route: Route::To(partition), record: record("same", "") };
    append(log.as_ref(), PARTITIONS.all().map(named).collect()).unwrap();
    let mut partitions: Vec<_> =
        read(log.as_ref(), Topic::Fleet).iter().map(|stored| stored.position.partition).collect();
    partitions.sort();
    assert_eq!(partitions, PARTITIONS.all().collect::<Vec<_>>());
}

pub(crate) fn an_append_to_a_partition_that_is_not_there_is_refused_and_harms_nobody(backend: &impl Backend) {
    let log = backend.open();
    let refused = append(log.as_ref(), numbered(PartitionId::new(3), 0, 1));
    assert!(matches!(refused, Err(Error::NoPartition { partitions: 3, .. })), "{refused:?}");
    append(log.as_ref(), numbered(PartitionId::new(2), 0, 1)).unwrap();
    assert_eq!(read(log.as_ref(), Topic::Events).len(), 1);
}

pub(crate) fn what_resolved_is_there_after_reopening(backend: &impl Backend) {
    let log = backend.open();
    for number in 0..50 {
        append(log.as_ref(), vec![by_key(&format!("customer-{number}"), number.to_string())]).unwrap();
    }
    let before = read(log.as_ref(), Topic::Events);
    drop(log);
    assert_eq!(before.len(), 50);
    assert_eq!(read(backend.open().as_ref(), Topic::Events), before);
}

pub(crate) fn an_append_of_nothing_resolves(backend: &impl Backend) {
    append(backend.open().as_ref(), Vec::new()).unwrap();
}

pub(crate) fn many_producers_at_once_lose_nothing(backend: &impl Backend) {
    let log = backend.open();
    std::thread::scope(|scope| {
        for producer in 0..16 {
            let log = log.as_ref();
            scope.spawn(move || {
                for number in 0..20 {
                    append(log, vec![by_key(&format!("c{producer}"), format!("{producer}/{number}"))]).unwrap();
                }
            });
        }
    });
    let stored = read(log.as_ref(), Topic::Events);
    for producer in 0..16 {
        let key = format!("c{producer}");
        let own: Vec<_> = stored.iter().filter(|stored| stored.record.key == key).cloned().collect();
        let expected: Vec<_> = (0..20).map(|number| format!("{producer}/{number}")).collect();
        assert_eq!(values(&own), expected, "each once, in the order in which the producer waited for them");
    }
    assert_eq!(stored.len(), 16 * 20);
}

pub(crate) fn an_append_that_nobody_waits_for_is_still_whole(backend: &impl Backend) {
    let log = backend.open();
    drop(log.producer().append(numbered(PartitionId::new(0), 0, 10)));
    append(log.as_ref(), numbered(PartitionId::new(1), 0, 1)).unwrap();
    let abandoned = offsets(&read(log.as_ref(), Topic::Events), PartitionId::new(0)).len();
    assert!([0, 10].contains(&abandoned), "{abandoned}");
}

pub(crate) fn a_full_log_says_busy_and_takes_more_later(backend: &impl Backend) {
    let log = backend.open_narrow(100_000);
    let producer = log.producer();
    let large = || vec![by_key("key", vec![7; 60_000])];
    let (mut taken, mut refused) = (0, 0);
    let waiting: Vec<_> = (0..200).map(|_| producer.append(large())).collect();
    for append in waiting {
        match wait(append) {
            Ok(()) => taken += 1,
            Err(Error::Busy(_)) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
    wait(producer.append(large())).unwrap();
    assert_eq!(read(log.as_ref(), Topic::Events).len(), taken + 1, "what was refused is not there");
}
