//! What the driver of the fold may rely on when it says something.

use log::{Error, Output, Sequence, Topic};
use model::PartitionId;

use super::{Backend, offsets, read, record, values};

const PARTITION: PartitionId = PartitionId::new(1);

fn decision(sequence: u64) -> Output {
    Output { sequence: Sequence::new(sequence), topic: Topic::Decisions, record: record("c", sequence.to_string()) }
}

fn decisions(from: u64, to: u64) -> Vec<Output> {
    (from..=to).map(decision).collect()
}

pub(crate) fn an_output_published_twice_is_there_once(backend: &impl Backend) {
    let log = backend.open();
    let mut outputs = log.outputs().unwrap();
    outputs.publish(PARTITION, &decisions(1, 3)).unwrap();
    outputs.publish(PARTITION, &decisions(1, 3)).unwrap();
    log.outputs().unwrap().publish(PARTITION, &decisions(2, 2)).unwrap();
    let read = read(log.as_ref(), Topic::Decisions);
    assert_eq!(values(&read), ["1", "2", "3"]);
    assert_eq!(offsets(&read, PARTITION), [0, 1, 2], "in the partition it was published for");
}

pub(crate) fn a_publication_that_overlaps_an_earlier_one_adds_only_what_is_new(backend: &impl Backend) {
    let log = backend.open();
    let mut outputs = log.outputs().unwrap();
    outputs.publish(PARTITION, &[]).unwrap();
    assert_eq!(outputs.last_published(PARTITION).unwrap(), None);
    outputs.publish(PARTITION, &decisions(1, 3)).unwrap();
    outputs.publish(PARTITION, &decisions(2, 6)).unwrap();
    assert_eq!(outputs.last_published(PARTITION).unwrap(), Some(Sequence::new(6)));
    assert_eq!(values(&read(log.as_ref(), Topic::Decisions)), ["1", "2", "3", "4", "5", "6"]);
}

pub(crate) fn what_was_published_last_is_known_after_reopening(backend: &impl Backend) {
    let log = backend.open();
    log.outputs().unwrap().publish(PARTITION, &decisions(1, 3)).unwrap();
    drop(log);
    let log = backend.open();
    let mut outputs = log.outputs().unwrap();
    assert_eq!(outputs.last_published(PARTITION).unwrap(), Some(Sequence::new(3)));
    outputs.publish(PARTITION, &decisions(1, 4)).unwrap();
    assert_eq!(values(&read(log.as_ref(), Topic::Decisions)), ["1", "2", "3", "4"]);
}

pub(crate) fn partitions_are_numbered_apart(backend: &impl Backend) {
    let log = backend.open();
    let mut outputs = log.outputs().unwrap();
    outputs.publish(PARTITION, &decisions(1, 5)).unwrap();
    outputs.publish(PartitionId::new(2), &decisions(1, 1)).unwrap();
    assert_eq!(outputs.last_published(PARTITION).unwrap(), Some(Sequence::new(5)));
    assert_eq!(outputs.last_published(PartitionId::new(2)).unwrap(), Some(Sequence::new(1)));
    assert_eq!(outputs.last_published(PartitionId::new(0)).unwrap(), None);
    assert_eq!(offsets(&read(log.as_ref(), Topic::Decisions), PartitionId::new(2)), [0]);
    let refused = outputs.publish(PartitionId::new(3), &decisions(1, 1));
    assert!(matches!(refused, Err(Error::NoPartition { .. })), "{refused:?}");
}

pub(crate) fn outputs_of_one_publication_reach_their_topics_in_order(backend: &impl Backend) {
    let log = backend.open();
    let mut outputs = decisions(1, 9);
    outputs.iter_mut().skip(1).step_by(3).for_each(|output| output.topic = Topic::Standings);
    outputs.iter_mut().skip(2).step_by(3).for_each(|output| output.topic = Topic::Fleet);
    log.outputs().unwrap().publish(PARTITION, &outputs).unwrap();
    for (topic, expected) in
        [(Topic::Decisions, ["1", "4", "7"]), (Topic::Standings, ["2", "5", "8"]), (Topic::Fleet, ["3", "6", "9"])]
    {
        let read = read(log.as_ref(), topic);
        assert_eq!(values(&read), expected);
        assert_eq!(offsets(&read, PARTITION), [0, 1, 2]);
    }
}

pub(crate) fn publishers_at_once_publish_each_output_once(backend: &impl Backend) {
    let log = backend.open();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut outputs = log.outputs().unwrap();
            scope.spawn(move || {
                for to in 1..=50 {
                    outputs.publish(PARTITION, &decisions(1, to)).unwrap();
                }
            });
        }
    });
    let expected: Vec<_> = (1..=50).map(|number| number.to_string()).collect();
    assert_eq!(values(&read(log.as_ref(), Topic::Decisions)), expected);
}
