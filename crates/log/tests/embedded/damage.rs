//! Damage is seen or harmless: it never becomes another record, and never a panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use log::embedded::EmbeddedLog;
use log::{Error, Log, Polled, Topic};
use model::{Offset, PartitionId, Timestamp};
use rand::{RngExt, SeedableRng};

use super::{append, config, database, event, open, read, record};

const FLIPS: usize = 60;
const RECORDS: u64 = 300;

#[test]
fn a_damaged_record_is_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    append(&log, (0..3).map(|n| event(Timestamp::default(), n)).collect()).unwrap();
    append(&log, vec![record(Topic::Standings, "key", Timestamp::default(), "0")]).unwrap();
    drop(log);
    let below = database(folder.path());
    let second = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    below.put_cf(below.cf_handle("events").unwrap(), second, b"\x01\x00garbage").unwrap();
    below.put_cf(below.cf_handle("standings").unwrap(), [0; 12], b"").unwrap();
    drop(below);

    let log = open(folder.path());
    let seen = read(&log, Topic::Events);
    assert!(
        matches!(&seen, Err(Error::Unreadable { found, .. }) if found.contains("record 1 of events/0")),
        "{seen:?}"
    );
    let mut subscription = log.subscribe(Topic::Events, "group").unwrap();
    assert!(matches!(subscription.poll(Duration::ZERO).unwrap(), Polled::Assigned(_)));
    subscription.seek(PartitionId::new(0), Offset::ZERO).unwrap();
    assert!(matches!(subscription.poll(Duration::ZERO), Err(Error::Unreadable { .. })));
    let maintained = log.maintain(Timestamp::default());
    assert!(matches!(maintained, Err(Error::Unreadable { .. })), "{maintained:?}");
}

#[test]
fn a_record_that_is_gone_from_the_middle_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    append(&log, (0..3).map(|n| event(Timestamp::default(), n)).collect()).unwrap();
    drop(log);
    let below = database(folder.path());
    below.delete_cf(below.cf_handle("events").unwrap(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]).unwrap();
    drop(below);
    let log = open(folder.path());
    let mut subscription = log.subscribe(Topic::Events, "group").unwrap();
    assert!(matches!(subscription.poll(Duration::ZERO).unwrap(), Polled::Assigned(_)));
    subscription.seek(PartitionId::new(0), Offset::ZERO).unwrap();
    let missed = subscription.poll(Duration::ZERO);
    assert!(matches!(missed, Err(Error::Unreadable { .. })), "{missed:?}");
}

/// Some records in sorted files, some only in the write-ahead log.
fn sound(folder: &Path) -> Vec<(u64, String)> {
    for half in [0..RECORDS / 2, RECORDS / 2..RECORDS] {
        let log = open(folder);
        half.for_each(|number| append(&log, vec![event(Timestamp::default(), number)]).unwrap());
    }
    (0..RECORDS).map(|number| (number, number.to_string())).collect()
}

fn copy(from: &Path, to: &Path) -> Vec<PathBuf> {
    fs::create_dir_all(to.join("log")).unwrap();
    let files = fs::read_dir(from.join("log")).unwrap().map(|entry| entry.unwrap().path());
    let copied = files.map(|file| {
        let copy = to.join("log").join(file.file_name().unwrap());
        fs::copy(&file, &copy).unwrap();
        copy
    });
    let is_data = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let is_data = name.ends_with(".sst") || name.ends_with(".log") || name.starts_with("MANIFEST");
        is_data && file.metadata().unwrap().len() > 0
    };
    copied.filter(is_data).collect()
}

/// Where a manifest has the types of its records. RocksDB 11.8 does not end over some that are none; it never writes such, and
/// nothing of Weir's is read before.
fn types_in(manifest: &[u8]) -> Vec<usize> {
    const HEADER: usize = 7;
    let (mut types, mut at) = (Vec::new(), 0);
    while at + HEADER <= manifest.len() {
        types.push(at + HEADER - 1);
        at += HEADER + usize::from(u16::from_le_bytes([manifest[at + 4], manifest[at + 5]]));
    }
    types
}

#[test]
fn a_flipped_bit_is_seen_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let expected = sound(folder.path());
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let mut seen = 0;
    for flip in 0..FLIPS {
        let harmed = tempfile::tempdir().unwrap();
        let files = copy(folder.path(), harmed.path());
        let file = &files[random.random_range(0..files.len())];
        let mut bytes = fs::read(file).unwrap();
        let at = random.random_range(0..bytes.len());
        if file.file_name().unwrap().to_string_lossy().starts_with("MANIFEST") && types_in(&bytes).contains(&at) {
            continue;
        }
        bytes[at] ^= 1 << random.random_range(0..8);
        fs::write(file, &bytes).unwrap();

        let place = format!("flip {flip}: byte {at} of {}", file.display());
        match EmbeddedLog::open(config(harmed.path())).and_then(|log| read(&log, Topic::Events)) {
            Err(Error::Unreadable { .. } | Error::Storage { .. }) => seen += 1,
            Err(other) => panic!("{place}: {other:?}"),
            // A harmed length at the very end looks like a last write that was cut off.
            Ok(records) => assert!(
                records == expected || (place.ends_with(".log") && expected.starts_with(&records)),
                "{place}: {} records",
                records.len()
            ),
        }
    }
    assert!(seen > FLIPS / 4, "only {seen} of {FLIPS} were seen: the flips miss the data");
}
