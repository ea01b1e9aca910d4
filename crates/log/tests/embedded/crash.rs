//! What was acknowledged is there after a kill and after a full disk, and nothing stands twice.
#![expect(clippy::print_stdout, reason = "a child tells its parent what was acknowledged")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use log::{Error, Log, Output, Sequence, Topic};
use model::{Offset, PartitionId, Timestamp};
use rand::{RngExt, SeedableRng};

use super::{append, open, read, record};

const KILLS: usize = 20;
const WRITERS: usize = 4;
const PARTITION: PartitionId = PartitionId::new(0);
/// Tells a child its folder.
const FOLDER: &str = "WEIR_LOG_TEST_FOLDER";

/// Runs one of the tests below, which do nothing unless they are told a folder, in a process of its own.
fn child(test: &str, folder: &Path, through: &[&str]) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut line: Vec<_> = through.iter().map(|word| (*word).to_owned().into()).collect();
    line.extend([program.into_os_string(), "--exact".into(), test.into(), "--nocapture".into()]);
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]).env(FOLDER, folder).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// The numbers that a child said were acknowledged, by writer: how many of each.
fn acknowledged(child: &mut Child, enough: impl Fn(usize) -> bool) -> [u64; WRITERS + 1] {
    let mut counts = [0; WRITERS + 1];
    let mut heard = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        let Some(said) = line.split_once("acknowledged ").map(|(_, said)| said.to_owned()) else { continue };
        let (writer, count) = said.split_once(' ').unwrap();
        counts[writer.parse::<usize>().unwrap()] = count.parse().unwrap();
        heard += 1;
        if enough(heard) {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    counts
}

/// The values of one writer, in the order of the log.
fn of_writer(records: &[(u64, String)], writer: usize) -> Vec<u64> {
    let prefix = format!("{writer} ");
    records.iter().filter_map(|(_, value)| value.strip_prefix(&prefix)?.parse().ok()).collect()
}

fn append_until_killed(log: &dyn Log, writer: usize, from: u64) {
    for number in from.. {
        let value = format!("{writer} {number}");
        append(log, vec![record(Topic::Events, "key", Timestamp::default(), value)]).unwrap();
        println!("acknowledged {writer} {}", number + 1);
    }
}

/// As the scorer does: says again what it may have said before.
fn publish_until_killed(log: &dyn Log) {
    let mut outputs = log.outputs(PARTITION).unwrap();
    let mut last = outputs.last_published().unwrap().map_or(0, |last| last.sequence.get());
    loop {
        let publication: Vec<_> = (last.saturating_sub(2).max(1)..=last + 3).map(decision).collect();
        outputs.publish(&publication).unwrap();
        last += 3;
        println!("acknowledged {WRITERS} {last}");
    }
}

fn decision(number: u64) -> Output {
    let record = record(Topic::Decisions, "key", Timestamp::default(), number.to_string()).record;
    Output { sequence: Sequence::new(number), said_at: Offset::new(number), topic: Topic::Decisions, record }
}

#[test]
fn child_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let log = open(Path::new(&folder));
    let there = read(&log, Topic::Events).unwrap();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let from = of_writer(&there, writer).len() as u64;
            let log = &log;
            scope.spawn(move || append_until_killed(log, writer, from));
        }
        scope.spawn(|| publish_until_killed(&log));
    });
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_nothing_stands_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    for kill in 0..KILLS {
        let mut child = child("embedded::crash::child_that_is_killed", folder.path(), &[]);
        let after = random.random_range(1..300);
        let at_moment = Duration::from_micros(random.random_range(0..3_000));
        let acknowledged = acknowledged(&mut child, |heard| {
            if heard == after {
                // Not to wait for anything: the kill falls somewhere into a write.
                thread::sleep(at_moment);
            }
            heard >= after
        });

        let log = open(folder.path());
        let events = read(&log, Topic::Events).unwrap();
        assert!(events.iter().map(|(offset, _)| *offset).eq(0..events.len() as u64), "offsets are dense");
        for (writer, acknowledged) in acknowledged.iter().enumerate().take(WRITERS) {
            let there = of_writer(&events, writer);
            assert!(there.len() as u64 >= *acknowledged, "kill {kill}: {acknowledged} acknowledged, {}", there.len());
            assert!(
                there.iter().copied().eq(0..there.len() as u64),
                "kill {kill}: of writer {writer}, each once, in order"
            );
        }
        let published = log.outputs(PARTITION).unwrap().last_published().unwrap().map_or(0, |last| last.sequence.get());
        let decisions: Vec<_> = read(&log, Topic::Decisions).unwrap().into_iter().map(|(_, value)| value).collect();
        assert!(published >= acknowledged[WRITERS], "kill {kill}: publications");
        assert!(
            decisions.iter().cloned().eq((1..=published).map(|number| number.to_string())),
            "kill {kill}: each once"
        );
    }
}

#[test]
fn child_whose_disk_fills() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let log = open(Path::new(&folder));
    let filled = |number: u64| {
        let value = format!("0 {number}\u{0}{}", "x".repeat(10_000));
        append(&log, vec![record(Topic::Events, "key", Timestamp::default(), value)])
    };
    let mut number = 0;
    let failure = loop {
        match filled(number) {
            Ok(()) => number += 1,
            Err(error) => break error,
        }
        assert!(number < 10_000, "the limit was never met");
    };
    println!("acknowledged 0 {number}");
    assert!(matches!(failure, Error::Storage { .. }), "{failure:?}");
    for _ in 0..5 {
        assert!(matches!(filled(number), Err(Error::Storage { .. })), "nothing is acknowledged after a failed write");
    }
    println!("acknowledged 1 5");
}

#[test]
fn after_a_failed_write_nothing_is_acknowledged_and_all_that_was_is_there() {
    let folder = tempfile::tempdir().unwrap();
    // A file may grow to 2 MiB, and a write beyond that fails instead of ending the process.
    let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 4096; exec \"$0\" \"$@\""];
    let mut child = child("embedded::crash::child_whose_disk_fills", folder.path(), &limited);
    let [acknowledged, refused, ..] = acknowledged(&mut child, |_| false);
    assert!(acknowledged > 0 && refused == 5, "{acknowledged} acknowledged, {refused} refused");
    let log = open(folder.path());
    let there = read(&log, Topic::Events).unwrap();
    assert!(there.len() as u64 >= acknowledged, "{acknowledged} acknowledged, {} there", there.len());
    append(&log, vec![record(Topic::Events, "key", Timestamp::default(), "after")]).unwrap();
}
