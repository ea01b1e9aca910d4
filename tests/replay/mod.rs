//! The same log gives the same decisions, byte for byte: again, in two halves, and after a crash between two commits.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use log::embedded::{Config, EmbeddedLog};
use log::{Log, PartitionCount, Record, RecordKind, Start, Stored, Topic};
use model::{CustomerId, Fleet, Millis, Offset, PartitionId, Position, Stage, Standing, Tick, Timestamp};
use policy::Policy;
use scorer::store::Budget;
use scorer::{Metrics, PartitionTask};
use simulator::platform::{Gate, Platform, Scenario};
use suites::{Partitioned, customer_of};
use telemetry::Registry;

mod policy_change;

const START: Timestamp = Timestamp::from_seconds(1_790_000_000);
/// How long publishing may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// So few that customers and digests leave memory and come back from disk.
const TIGHT: Budget = Budget { customers: 10, digests: 2_000, write_buffer: 1 << 20 };

/// A partition's log: the events of a platform's hour with a tick a minute, and in the ticks the fleet as a fold tells it.
fn records() -> Vec<Stored> {
    let scenario = Scenario { customers: 60, good_mails: 8_000, ..Scenario::hour(3, START) };
    let mut platform = Platform::new(&scenario);
    let mut folds = Partitioned::new(&Arc::new(Policy::parse(policy::DEFAULT).unwrap()), NonZeroU32::MIN);
    let (mut records, mut now) = (Vec::new(), START);
    push_tick(&mut records, now);
    while !platform.is_finished() {
        now = now + Millis::minutes(1);
        for arrival in platform.advance(now, &mut |_| Gate::Send(Some("good-1".into()))) {
            let customer = customer_of(&arrival.event);
            folds.event(&customer, &arrival.event, arrival.at);
            push(&mut records, RecordKind::Event, arrival.at, (customer.as_str().to_owned(), arrival.event));
        }
        push_tick_with(&mut records, now, folds.fleet());
        folds.tick(now);
    }
    records
}

fn push_tick(records: &mut Vec<Stored>, at: Timestamp) {
    push_tick_with(records, at, Fleet::default());
}

fn push_tick_with(records: &mut Vec<Stored>, at: Timestamp, fleet: Fleet) {
    let tick = serde_json::to_string(&Tick { at, fleet }).unwrap();
    push(records, RecordKind::Tick, at, (String::new(), tick));
}

fn push(records: &mut Vec<Stored>, kind: RecordKind, at: Timestamp, (key, value): (String, String)) {
    let offset = Offset::new(records.len() as u64);
    let record = Record { kind, at, key: Bytes::from(key), headers: Arc::new([]), value: Bytes::from(value) };
    records.push(Stored { position: Position { partition: PartitionId::new(0), offset }, record });
}

/// A partition on disk, that can be left and opened again.
struct OnDisk<'f> {
    folder: &'f Path,
    log: Arc<EmbeddedLog>,
    budget: Budget,
}

impl<'f> OnDisk<'f> {
    fn new(folder: &'f Path, budget: Budget) -> Self {
        let count = PartitionCount::new(NonZeroU32::MIN);
        let log = Arc::new(EmbeddedLog::open(Config::new(folder.join("log"), count)).unwrap());
        Self { folder, log, budget }
    }

    fn open(&self) -> PartitionTask {
        self.open_under(policy::DEFAULT)
    }

    fn open_under(&self, policy: &str) -> PartitionTask {
        let policy = Arc::new(Policy::parse(policy).unwrap());
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let outputs = self.log.outputs(PartitionId::new(0)).unwrap();
        let state = self.state();
        PartitionTask::open(&state, PartitionId::new(0), (policy, self.budget), metrics, outputs).unwrap()
    }

    fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Folds the records that the state has not yet taken in, up to `end`, and commits every `every` of them.
    fn fold(&self, task: &mut PartitionTask, records: &[Stored], end: usize, every: usize) {
        let from = usize::try_from(task.next_offset().get()).unwrap();
        for part in records[from..end].chunks(every) {
            task.fold(part).unwrap();
            task.commit().unwrap();
        }
    }

    /// Everything that was said, as it stands on its topic.
    fn said(&self, topic: Topic) -> Vec<Bytes> {
        self.read(topic).into_iter().map(|stored| stored.record.value).collect()
    }

    /// All records of a topic.
    fn read(&self, topic: Topic) -> Vec<Stored> {
        let mut tail = self.log.tail(topic, Start::Earliest).unwrap();
        let mut all = Vec::new();
        while !tail.caught_up() {
            all.extend(tail.next(Duration::ZERO).unwrap());
        }
        all
    }
}

/// The default policy with such lines in the place of those that begin with `key`.
fn with_lines(key: &str, line: &str) -> String {
    let lines = policy::DEFAULT.lines().map(|old| if old.starts_with(key) { line } else { old });
    lines.collect::<Vec<_>>().join("\n")
}

/// A policy that moves nobody: no rates are above its limits.
fn lenient() -> String {
    with_lines("enter = ", "enter = \"99 %\"")
}

/// Where each customer stands at last.
fn last(standings: &[Bytes]) -> BTreeMap<CustomerId, Standing> {
    let standings = standings.iter().map(|standing| serde_json::from_slice::<Standing>(standing).unwrap());
    standings.map(|standing| (standing.customer.clone(), standing)).collect()
}

/// Decisions and standings of an uninterrupted run.
fn uninterrupted(records: &[Stored]) -> [Vec<Bytes>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let disk = OnDisk::new(folder.path(), Budget::default());
    let mut task = disk.open();
    disk.fold(&mut task, records, records.len(), 5_000);
    task.settle(PATIENCE).unwrap();
    [disk.said(Topic::Decisions), disk.said(Topic::Standings)]
}

#[test]
fn an_interrupted_run_says_what_an_uninterrupted_one_says() {
    let records = records();
    let expected = uninterrupted(&records);
    assert!(expected[0].len() > 5, "too few decisions to compare: {}", expected[0].len());
    assert_eq!(uninterrupted(&records), expected, "again");

    let half = records.len() / 2;
    let folder = tempfile::tempdir().unwrap();
    let disk = OnDisk::new(folder.path(), TIGHT);
    let mut task = disk.open();
    disk.fold(&mut task, &records, half, 1_777);
    task.settle(PATIENCE).unwrap();
    drop(task);
    let mut task = disk.open();
    assert_eq!(task.next_offset(), Offset::new(half as u64));
    disk.fold(&mut task, &records, records.len(), 3_001);
    task.settle(PATIENCE).unwrap();
    assert_eq!([disk.said(Topic::Decisions), disk.said(Topic::Standings)], expected, "in two halves");
}

#[test]
fn a_run_that_is_cut_off_before_its_commits_says_everything_once() {
    let records = records();
    let expected = uninterrupted(&records);
    let folder = tempfile::tempdir().unwrap();
    let disk = OnDisk::new(folder.path(), TIGHT);
    let mut committed = 0;
    while committed < records.len() {
        let mut task = disk.open();
        assert_eq!(task.next_offset(), Offset::new(committed as u64));
        committed = (committed + 2_500).min(records.len());
        disk.fold(&mut task, &records, committed, 900);
        // Folded, said, and lost with the task: nothing of it was committed.
        let beyond = (committed + 1_200).min(records.len());
        task.fold(&records[committed..beyond]).unwrap();
    }
    disk.open().settle(PATIENCE).unwrap();
    assert_eq!([disk.said(Topic::Decisions), disk.said(Topic::Standings)], expected);
}

#[test]
fn a_state_that_is_lost_is_made_again_without_a_decision_said_twice() {
    let mut records = records();
    let folder = tempfile::tempdir().unwrap();
    let disk = OnDisk::new(folder.path(), TIGHT);
    let mut task = disk.open();
    disk.fold(&mut task, &records, records.len(), 5_000);
    task.settle(PATIENCE).unwrap();
    drop(task);
    let before = [disk.said(Topic::Decisions), disk.said(Topic::Standings)];

    std::fs::remove_dir_all(disk.state()).unwrap();
    // The last record that is known already is passed by a newer one.
    push_tick(&mut records, START + Millis::hours(3));
    let mut task = disk.open();
    disk.fold(&mut task, &records, records.len(), 1_777);
    task.settle(PATIENCE).unwrap();
    assert_eq!(disk.said(Topic::Decisions)[..before[0].len()], before[0]);
    let standings = disk.said(Topic::Standings);
    let again = &standings[before[1].len()..];
    assert_eq!(last(again).len(), last(&before[1]).len(), "everybody's standing is said again");
}

#[test]
fn after_a_change_of_policy_the_standings_are_those_of_the_state_whatever_was_published_before() {
    let mut records = records();
    let (half, whole) = (records.len() / 2, records.len());
    push_tick(&mut records, START + Millis::hours(3));
    let lenient = lenient();
    let folder = tempfile::tempdir().unwrap();
    let disk = OnDisk::new(folder.path(), TIGHT);
    let mut task = disk.open();
    disk.fold(&mut task, &records, half, 1_777);
    task.copy_to(&folder.path().join("copy")).unwrap();
    let moved = |standings: &[Bytes]| last(standings).values().filter(|s| s.stage > Stage::Watch).count();
    let early = {
        task.drain(PATIENCE).unwrap();
        moved(&disk.said(Topic::Standings))
    };
    disk.fold(&mut task, &records, whole, 1_777);
    task.settle(PATIENCE).unwrap();
    drop(task);
    assert!(moved(&disk.said(Topic::Standings)) > early, "nobody was moved behind the copy");

    // The copy takes the state's place, as on another machine, and goes on under the other policy.
    std::fs::remove_dir_all(disk.state()).unwrap();
    std::fs::create_dir(disk.state()).unwrap();
    std::fs::rename(folder.path().join("copy"), disk.state().join("partition-0")).unwrap();
    let decisions = disk.said(Topic::Decisions);
    for end in [whole - 100, records.len()] {
        let mut task = disk.open_under(&lenient);
        disk.fold(&mut task, &records, end, 1_777);
        task.settle(PATIENCE).unwrap();
    }
    assert_eq!(disk.said(Topic::Decisions)[..decisions.len()], decisions);
    assert!(moved(&disk.said(Topic::Standings)) <= early, "who was not moved in the state is not shown as moved");
}
