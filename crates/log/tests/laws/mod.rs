//! The laws, each a function over any backend, and what they share.

pub(crate) mod appending;
pub(crate) mod publishing;
pub(crate) mod subscribing;
pub(crate) mod tailing;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use log::{
    Append, Log, PartitionCount, Polled, Record, RecordKind, Result, Route, Start, Stored, Subscription, Tail, Topic,
};
use model::{Offset, PartitionId, Timestamp};

/// How long anything may take that must come about.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Of every log here.
pub(crate) const PARTITIONS: PartitionCount = PartitionCount::new(NonZeroU32::new(3).unwrap());

/// Storage of its own for one test, in which a log can be opened, closed by dropping it, and opened again.
pub(crate) trait Backend {
    fn new() -> Self;
    fn open(&self) -> Arc<dyn Log>;
    /// As [`Backend::open`], with room for about `bytes` to wait.
    fn open_narrow(&self, bytes: usize) -> Arc<dyn Log>;
}

/// Makes each law a test of a backend.
macro_rules! hold_for {
    ($name:ident: $backend:ty) => {
        mod $name {
            use $crate::laws::{Backend, appending, publishing, subscribing, tailing};
            $crate::laws::hold_for!(@each $backend;
                appending::what_was_appended_comes_back_as_it_was,
                appending::records_of_a_partition_are_read_in_the_order_of_their_appends,
                appending::offsets_are_dense_also_across_a_reopening,
                appending::a_record_stands_in_the_partition_of_its_key_or_in_the_one_named,
                appending::an_append_to_a_partition_that_is_not_there_is_refused_and_harms_nobody,
                appending::what_resolved_is_there_after_reopening,
                appending::an_append_of_nothing_resolves,
                appending::many_producers_at_once_lose_nothing,
                appending::an_append_that_nobody_waits_for_is_still_whole,
                appending::a_full_log_says_busy_and_takes_more_later,
                subscribing::the_assignment_comes_first_and_records_only_after_a_seek,
                subscribing::a_subscriber_reads_on_from_any_offset,
                subscribing::a_subscriber_that_seeks_back_reads_again,
                subscribing::a_seek_beyond_the_end_is_not_taken_for_an_idle_partition,
                subscribing::a_paused_partition_waits_for_a_seek,
                subscribing::two_groups_read_apart,
                subscribing::a_waiting_subscriber_is_woken_by_an_append,
                subscribing::a_poll_that_finds_nothing_is_idle,
                subscribing::a_full_partition_does_not_starve_the_others,
                subscribing::a_subscriber_beside_appends_sees_no_gap,
                subscribing::a_subscriber_that_seeks_late_misses_nothing,
                subscribing::a_subscriber_outlives_the_log_that_it_came_from,
                tailing::a_tail_from_the_earliest_has_everything_and_then_waits,
                tailing::a_tail_from_the_latest_sees_only_what_comes,
                tailing::a_tail_is_caught_up_once_it_handed_out_what_was_there_when_it_was_opened,
                tailing::a_tail_of_one_partition_has_that_and_no_other,
                tailing::a_tail_from_places_begins_at_each_and_has_no_other_partition,
                tailing::a_waiting_tail_is_woken_by_an_append,
                tailing::two_tails_read_apart,
                publishing::an_output_published_twice_is_there_once,
                publishing::a_publication_that_overlaps_an_earlier_one_adds_only_what_is_new,
                publishing::what_was_published_last_is_known_after_reopening,
                publishing::partitions_are_numbered_apart,
                publishing::outputs_of_one_publication_reach_their_topics_in_order,
                publishing::who_is_replaced_is_refused_and_adds_nothing,
                publishing::publishers_that_replace_each_other_publish_each_output_once,
            );
        }
    };
    (@each $backend:ty; $($group:ident::$law:ident),+ $(,)?) => {
        $(#[test] fn $law() { $group::$law(&<$backend as Backend>::new()) })+
    };
}
pub(crate) use hold_for;

pub(crate) fn record(key: &str, value: impl Into<Bytes>) -> Record {
    Record {
        kind: RecordKind::Event,
        at: Timestamp::from_seconds(1),
        key: Bytes::copy_from_slice(key.as_bytes()),
        headers: Arc::new([(Box::from("source"), Bytes::from_static(b"test"))]),
        value: value.into(),
    }
}

/// An event by its key.
pub(crate) fn by_key(key: &str, value: impl Into<Bytes>) -> Append {
    Append { topic: Topic::Events, route: Route::ByKey, record: record(key, value) }
}

/// Events numbered from `from` to before `to` for one partition.
pub(crate) fn numbered(partition: PartitionId, from: u64, to: u64) -> Vec<Append> {
    let append = |number: u64| Append {
        topic: Topic::Events,
        route: Route::To(partition),
        record: record("key", number.to_string()),
    };
    (from..to).map(append).collect()
}

/// Waits for a future; the seam asks for no particular executor.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(crate) fn append(log: &dyn Log, records: Vec<Append>) -> Result<()> {
    wait(log.producer().append(records))
}

/// Everything that is in a topic now.
pub(crate) fn read(log: &dyn Log, topic: Topic) -> Vec<Stored> {
    drain(log.tail(topic, Start::Earliest).unwrap().as_mut())
}

/// What a tail hands out until it is caught up.
pub(crate) fn drain(tail: &mut dyn Tail) -> Vec<Stored> {
    let mut records = Vec::new();
    while !tail.caught_up() {
        let more = tail.next(PATIENCE).unwrap();
        assert!(!more.is_empty() || tail.caught_up(), "nothing came, and the tail is not caught up");
        records.extend(more);
    }
    records
}

pub(crate) fn values(records: &[Stored]) -> Vec<&str> {
    records.iter().map(|stored| std::str::from_utf8(&stored.record.value).unwrap()).collect()
}

pub(crate) fn offsets(records: &[Stored], partition: PartitionId) -> Vec<u64> {
    let of_partition = records.iter().filter(|stored| stored.position.partition == partition);
    of_partition.map(|stored| stored.position.offset.get()).collect()
}

/// A subscriber to the events that has been assigned all partitions and reads each from its beginning.
pub(crate) fn subscribe(log: &dyn Log, group: &str) -> Box<dyn Subscription> {
    let mut subscription = log.subscribe(Topic::Events, group).unwrap();
    for partition in assigned(subscription.as_mut()) {
        subscription.seek(partition, Offset::ZERO).unwrap();
    }
    subscription
}

/// The partitions that the first poll which brings anything brings.
pub(crate) fn assigned(subscription: &mut dyn Subscription) -> Vec<PartitionId> {
    match subscription.poll(PATIENCE).unwrap() {
        Polled::Assigned(partitions) => partitions,
        other => panic!("instead of the assignment came {other:?}"),
    }
}

/// Polls until `wanted` records have come.
pub(crate) fn poll(subscription: &mut dyn Subscription, wanted: usize) -> Vec<Stored> {
    let mut records = Vec::new();
    while records.len() < wanted {
        match subscription.poll(PATIENCE).unwrap() {
            Polled::Records(partition, more) => {
                assert!(more.iter().all(|stored| stored.position.partition == partition), "of another partition");
                records.extend(more);
            }
            other => panic!("instead of record {} of {wanted} came {other:?}", records.len() + 1),
        }
    }
    records
}
