//! Of a compacted topic, the newest record of each key stays where it is.

use log::{Append, Topic};
use model::{Millis, Timestamp};

use super::{append, offsets, open, read, record};

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

fn standing(key: &str, value: &str) -> Append {
    record(Topic::Standings, key, NOW, value.to_owned())
}

#[test]
fn the_newest_record_of_each_key_stays_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let keys = ["a", "b", "c"];
    append(&log, (0..90).map(|n| standing(keys[n % 3], &n.to_string())).collect()).unwrap();
    assert_eq!(log.maintain(NOW).unwrap().replaced, 87);
    let newest = [(87, "87".to_owned()), (88, "88".to_owned()), (89, "89".to_owned())];
    assert_eq!(read(&log, Topic::Standings).unwrap(), newest);
    assert_eq!(log.maintain(NOW).unwrap().replaced, 0);
    drop(log);
    assert_eq!(read(&open(folder.path()), Topic::Standings).unwrap(), newest);
}

#[test]
fn what_is_added_later_is_compacted_later() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    append(&log, vec![standing("a", "0"), standing("b", "1")]).unwrap();
    assert_eq!(log.maintain(NOW).unwrap().replaced, 0);
    append(&log, vec![standing("a", "2")]).unwrap();
    assert_eq!(log.maintain(NOW).unwrap().replaced, 1);
    assert_eq!(offsets(&log, Topic::Standings), [1, 2]);
}

#[test]
fn a_key_that_was_taken_back_is_forgotten_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    append(&log, vec![standing("a", "0"), standing("a", ""), standing("b", "2")]).unwrap();
    assert_eq!(log.maintain(NOW + Millis::hours(24)).unwrap().replaced, 1);
    assert_eq!(offsets(&log, Topic::Standings), [1, 2], "readers hear that it was taken back");
    append(&log, vec![standing("c", "3")]).unwrap();
    assert_eq!(log.maintain(NOW + Millis::hours(25)).unwrap().replaced, 1);
    assert_eq!(offsets(&log, Topic::Standings), [2, 3]);
}

#[test]
fn the_newest_record_of_all_stays_so_that_its_offset_is_not_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    append(&log, vec![standing("a", "0"), standing("a", "")]).unwrap();
    assert_eq!(log.maintain(NOW + Millis::days(9)).unwrap().replaced, 1);
    drop(log);
    let log = open(folder.path());
    append(&log, vec![standing("b", "2")]).unwrap();
    assert_eq!(offsets(&log, Topic::Standings), [1, 2]);
}

#[test]
fn topics_that_are_kept_by_age_are_not_compacted() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    append(&log, (0..5).map(|n| record(Topic::Decisions, "a", NOW, n.to_string())).collect()).unwrap();
    assert_eq!(log.maintain(NOW).unwrap(), log::embedded::Trimmed::default());
    assert_eq!(offsets(&log, Topic::Decisions), [0, 1, 2, 3, 4]);
}
