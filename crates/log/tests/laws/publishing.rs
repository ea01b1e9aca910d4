//! What the driver of the fold may rely on when it says something.

use log::{Error, Log, Output, Outputs, Published, Sequence, Topic};
use model::{Offset, PartitionId};

use super::{Backend, offsets, read, record, values};

const PARTITION: PartitionId = PartitionId::new(1);

fn decision(sequence: u64) -> Output {
    // Keys of their own: in a compacted topic only the last of each is sure to stay.
    let record = record(&format!("c{sequence}"), sequence.to_string());
    let said_at = Offset::new(sequence * 10);
    Output { sequence: Sequence::new(sequence), said_at, topic: Topic::Decisions, record }
}

fn place(sequence: u64) -> Published {
    Published { sequence: Sequence::new(sequence), said_at: Offset::new(sequence * 10) }
}

fn open(log: &dyn Log, partition: u32) -> Box<dyn Outputs> {
    log.outputs(PartitionId::new(partition)).unwrap()
}

fn decisions(from: u64, to: u64) -> Vec<Output> {
    (from..=to).map(decision).collect()
}

pub(crate) fn an_output_published_twice_is_there_once(backend: &impl Backend) {
    let log = backend.open();
    let mut outputs = open(log.as_ref(), 1);
    outputs.publish(&decisions(1, 3)).unwrap();
    outputs.publish(&decisions(1, 3)).unwrap();
    open(log.as_ref(), 1).publish(&decisions(2, 2)).unwrap();
    let read = read(log.as_ref(), Topic::Decisions);
    assert_eq!(values(&read), ["1", "2", "3"]);
    assert_eq!(offsets(&read, PARTITION), [0, 1, 2], "in the partition it was published for");
}

pub(crate) fn a_publication_that_overlaps_an_earlier_one_adds_only_what_is_new(backend: &impl Backend) {
    let log = backend.open();
    let mut outputs = open(log.as_ref(), 1);
    outputs.publish(&[]).unwrap();
    assert_eq!(outputs.last_published().unwrap(), None);
    outputs.publish(&decisions(1, 3)).unwrap();
    outputs.publish(&decisions(2, 6)).unwrap();
    assert_eq!(outputs.last_published().unwrap(), Some(place(6)));
    assert_eq!(values(&read(log.as_ref(), Topic::Decisions)), ["1", "2", "3", "4", "5", "6"]);
}

pub(crate) fn what_was_published_last_is_known_after_reopening(backend: &impl Backend) {
    let log = backend.open();
    open(log.as_ref(), 1).publish(&decisions(1, 3)).unwrap();
    drop(log);
    let log = backend.open();
    let mut outputs = open(log.as_ref(), 1);
    assert_eq!(outputs.last_published().unwrap(), Some(place(3)));
    outputs.publish(&decisions(1, 4)).unwrap();
    assert_eq!(values(&read(log.as_ref(), Topic::Decisions)), ["1", "2", "3", "4"]);
}

pub(crate) fn partitions_are_numbered_apart(backend: &impl Backend) {
    let log = backend.open();
    let [mut zero, mut one, mut two] = [0, 1, 2].map(|partition| open(log.as_ref(), partition));
    one.publish(&decisions(1, 5)).unwrap();
    two.publish(&decisions(1, 1)).unwrap();
    assert_eq!(one.last_published().unwrap(), Some(place(5)));
    assert_eq!(two.last_published().unwrap(), Some(place(1)));
    assert_eq!(zero.last_published().unwrap(), None);
    assert_eq!(offsets(&read(log.as_ref(), Topic::Decisions), PartitionId::new(2)), [0]);
    let refused = log.outputs(PartitionId::new(3));
    assert!(matches!(refused, Err(Error::NoPartition { .. })), "{refused:?}");
}

pub(crate) fn outputs_of_one_publication_reach_their_topics_in_order(backend: &impl Backend) {
    let log = backend.open();
    let mut outputs = decisions(1, 9);
    outputs.iter_mut().skip(1).step_by(3).for_each(|output| output.topic = Topic::Standings);
    outputs.iter_mut().skip(2).step_by(3).for_each(|output| output.topic = Topic::Fleet);
    open(log.as_ref(), 1).publish(&outputs).unwrap();
    for (topic, expected) in
        [(Topic::Decisions, ["1", "4", "7"]), (Topic::Standings, ["2", "5", "8"]), (Topic::Fleet, ["3", "6", "9"])]
    {
        let read = read(log.as_ref(), topic);
        assert_eq!(values(&read), expected);
        assert_eq!(offsets(&read, PARTITION), [0, 1, 2]);
    }
}

pub(crate) fn who_is_replaced_is_refused_and_adds_nothing(backend: &impl Backend) {
    let log = backend.open();
    let mut older = open(log.as_ref(), 1);
    older.publish(&decisions(1, 2)).unwrap();
    let mut newer = open(log.as_ref(), 1);
    let refused = older.publish(&decisions(3, 4));
    assert!(matches!(refused, Err(Error::Fenced { partition: PARTITION })), "{refused:?}");
    assert_eq!(newer.last_published().unwrap(), Some(place(2)));
    newer.publish(&decisions(1, 5)).unwrap();
    assert_eq!(values(&read(log.as_ref(), Topic::Decisions)), ["1", "2", "3", "4", "5"]);
}

pub(crate) fn publishers_that_replace_each_other_publish_each_output_once(backend: &impl Backend) {
    let log = backend.open();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let log = log.as_ref();
            scope.spawn(move || {
                let mut outputs = open(log, 1);
                let refused = (1..=30).find_map(|to| outputs.publish(&decisions(1, to)).err());
                // A broker may report a transient error for a transaction that a newer publisher fenced.
                let is_replaced =
                    refused.as_ref().is_none_or(|error| matches!(error, Error::Fenced { .. }) || error.may_pass());
                assert!(is_replaced, "{refused:?}");
            });
        }
    });
    open(log.as_ref(), 1).publish(&decisions(1, 30)).unwrap();
    let expected: Vec<_> = (1..=30).map(|number| number.to_string()).collect();
    assert_eq!(values(&read(log.as_ref(), Topic::Decisions)), expected);
}
