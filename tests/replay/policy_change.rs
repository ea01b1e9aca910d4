//! A policy on the log is in force from its record on, whenever and wherever the log is folded.

use std::time::Instant;

use model::{Decision, PolicyChange, PolicyOrigin};
use scorer::{PolicyFile, Ticker};

use super::*;

/// What stands beside a policy.
fn change(origin: PolicyOrigin) -> PolicyChange {
    PolicyChange { origin, by: "ana".to_owned(), reason: "test".to_owned(), file: None }
}

fn record_of(at: Timestamp, origin: PolicyOrigin, text: &str) -> Record {
    decode::policy_record(at, &change(origin), text.to_owned())
}

/// The log with the policy `text` at `place`.
fn with_policy(mut records: Vec<Stored>, place: usize, (origin, text): (PolicyOrigin, &str)) -> Vec<Stored> {
    let Stored { position, record } = &records[place];
    let stored = Stored { position: *position, record: record_of(record.at, origin, text) };
    records.insert(place, stored);
    for (offset, stored) in records.iter_mut().enumerate() {
        stored.position.offset = Offset::new(offset as u64);
    }
    records
}

/// The default policy with another pool: it moves the same customers, and to somewhere else.
fn rerouted() -> String {
    with_lines("quarantine = ", "quarantine = \"elsewhere\"")
}

fn digest(text: &str) -> String {
    Policy::parse(text).unwrap().digest().to_owned()
}

fn decisions(disk: &OnDisk<'_>) -> Vec<Decision> {
    disk.said(Topic::Decisions).iter().map(|decision| serde_json::from_slice(decision).unwrap()).collect()
}

/// Decisions and standings of a run that was begun under `policy`.
fn uninterrupted_under(policy: &str, records: &[Stored]) -> [Vec<Bytes>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let disk = OnDisk::new(folder.path(), Budget::default());
    let mut task = disk.open_under(policy);
    disk.fold(&mut task, records, records.len(), 5_000);
    task.settle(PATIENCE).unwrap();
    [disk.said(Topic::Decisions), disk.said(Topic::Standings)]
}

#[test]
fn who_is_left_alone_by_one_policy_is_moved_by_the_next_from_its_record_on() {
    let (records, before, after) = (records(), lenient(), digest(policy::DEFAULT));
    let place = records.len() / 4;
    let folder = tempfile::tempdir().unwrap();
    let disk = OnDisk::new(folder.path(), Budget::default());
    let mut task = disk.open_under(&before);
    disk.fold(&mut task, &records, records.len(), 5_000);
    task.settle(PATIENCE).unwrap();
    assert_eq!(decisions(&disk), [], "under the first policy alone");

    let records = with_policy(records, place, (PolicyOrigin::Api, policy::DEFAULT));
    let folder = tempfile::tempdir().unwrap();
    let disk = OnDisk::new(folder.path(), Budget::default());
    let mut task = disk.open_under(&before);
    disk.fold(&mut task, &records, records.len(), 5_000);
    task.settle(PATIENCE).unwrap();
    let decisions = decisions(&disk);
    assert!(decisions.len() > 5, "{}", decisions.len());
    for decision in decisions {
        assert_eq!(decision.policy, after);
        assert!(decision.offset.offset > Offset::new(place as u64), "{decision:?}");
    }
}

#[test]
fn a_log_with_a_change_of_policy_says_the_same_again_and_across_restarts_and_restored_states() {
    let records = records();
    let (place, text) = (records.len() / 2, rerouted());
    let records = with_policy(records, place, (PolicyOrigin::Api, &text));
    let expected = uninterrupted_under(policy::DEFAULT, &records);
    assert_eq!(uninterrupted_under(policy::DEFAULT, &records), expected, "again");
    let quarantined = last(&expected[1]).into_values().filter(|standing| standing.stage == Stage::Quarantined);
    let pools: Vec<_> = quarantined.filter_map(|standing| standing.pool).collect();
    assert!(!pools.is_empty() && pools.iter().all(|pool| pool.as_str() == "elsewhere"), "{pools:?}");

    let folder = tempfile::tempdir().unwrap();
    let disk = OnDisk::new(folder.path(), TIGHT);
    // Left before the record, with it folded and not committed, right behind it, and later. Once a record has put a policy in
    // force, another file in the configuration is not.
    let lenient = lenient();
    for (end, configured) in [
        (place - 100, policy::DEFAULT),
        (place, policy::DEFAULT),
        (place + 1, policy::DEFAULT),
        (place + 2_000, lenient.as_str()),
    ] {
        let mut task = disk.open_under(configured);
        disk.fold(&mut task, &records, end, 1_777);
        if end == place - 100 {
            task.copy_to(&folder.path().join("copy")).unwrap();
        }
        let beyond = (end + 50).min(records.len());
        task.fold(&records[end..beyond]).unwrap();
    }
    let mut task = disk.open_under(&lenient);
    disk.fold(&mut task, &records, records.len(), 1_777);
    task.settle(PATIENCE).unwrap();
    drop(task);
    assert_eq!([disk.said(Topic::Decisions), disk.said(Topic::Standings)], expected, "restarted");

    // A state from before the change, as another machine would restore it.
    std::fs::remove_dir_all(disk.state()).unwrap();
    std::fs::create_dir(disk.state()).unwrap();
    std::fs::rename(folder.path().join("copy"), disk.state().join("partition-0")).unwrap();
    let mut task = disk.open();
    disk.fold(&mut task, &records, records.len(), 3_001);
    task.settle(PATIENCE).unwrap();
    assert_eq!([disk.said(Topic::Decisions), disk.said(Topic::Standings)], expected, "restored");
}

#[test]
fn many_standings_are_said_again_in_parts_also_across_a_restart() {
    let mut records = Vec::new();
    push_tick(&mut records, START);
    for number in 0..6_000 {
        let event = format!(
            r#"{{"event":"processed","email":"{number}@example.org","timestamp":{},"sg_event_id":"e{number}","sg_message_id":"m{number}"}}"#,
            START.seconds()
        );
        push(&mut records, RecordKind::Event, START, (format!("c{number}"), event));
    }
    let place = records.len();
    for minute in 1..5 {
        push_tick(&mut records, START + Millis::minutes(minute));
    }
    let records = with_policy(records, place, (PolicyOrigin::Api, &rerouted()));
    let expected = uninterrupted_under(policy::DEFAULT, &records);
    assert_eq!(expected[1].len(), 12_000, "once when they came, and once again");

    let folder = tempfile::tempdir().unwrap();
    let disk = OnDisk::new(folder.path(), TIGHT);
    for end in [place, place + 1, place + 2, records.len()] {
        let mut task = disk.open();
        disk.fold(&mut task, &records, end, 700);
        task.drain(PATIENCE).unwrap();
    }
    assert_eq!([disk.said(Topic::Decisions), disk.said(Topic::Standings)], expected);
}

#[test]
fn a_fold_that_says_much_commits_and_publishes_in_between() {
    let mut records = Vec::new();
    push_tick(&mut records, START);
    for number in 0..60_000 {
        let event = format!(
            r#"{{"event":"processed","email":"{number}@example.org","timestamp":{},"sg_event_id":"e{number}","sg_message_id":"m{number}"}}"#,
            START.seconds()
        );
        push(&mut records, RecordKind::Event, START, (format!("c{number}"), event));
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = OnDisk::new(folder.path(), TIGHT);
    let mut task = disk.open();
    task.fold(&records).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while disk.said(Topic::Standings).len() < 50_000 {
        assert!(Instant::now() < deadline, "no commit was asked for, and the fold made none");
        std::thread::yield_now();
    }
}

#[test]
fn a_policy_that_can_not_be_read_is_passed_over() {
    let records = records();
    let place = records.len() / 2;
    let records = with_policy(records, place, (PolicyOrigin::Api, "version = \"none\""));
    let [decisions, _] = uninterrupted(&records);
    let digest = digest(policy::DEFAULT);
    assert!(decisions.len() > 5, "{}", decisions.len());
    for decision in decisions {
        assert_eq!(serde_json::from_slice::<Decision>(&decision).unwrap().policy, digest);
    }
}

#[test]
fn a_repeated_policy_is_for_those_who_know_none_and_for_no_others() {
    let records = records();
    let (lenient, end) = (lenient(), records.len() - 1);
    let none_known = with_policy(records.clone(), 0, (PolicyOrigin::Repeat, &lenient));
    assert_eq!(uninterrupted(&none_known)[0], Vec::<Bytes>::new(), "begun on a log that was cut");

    let known = with_policy(records, 0, (PolicyOrigin::File, policy::DEFAULT));
    let without = uninterrupted(&known);
    let repeated = with_policy(known, end, (PolicyOrigin::Repeat, &lenient));
    assert_eq!(uninterrupted(&repeated)[1].len(), without[1].len(), "nothing is said again");
    assert!(without[0].len() > 5);
}

/// What a process that is started with the policy file `text` appends with its first two ticks; the fold follows.
async fn started_with(disk: &OnDisk<'_>, text: &str) -> Vec<RecordKind> {
    let before = disk.read(Topic::Events).len();
    let file = PolicyFile { text: text.to_owned(), digest: digest(text) };
    let mut ticker = Ticker::new(Arc::clone(&disk.log) as Arc<dyn Log>, file, &Registry::new()).unwrap();
    let clock: scorer::Clock = Arc::new(|| START);
    for _ in 0..2 {
        ticker.tick(&clock).await.unwrap();
    }
    let events = disk.read(Topic::Events);
    let mut task = disk.open_under(text);
    disk.fold(&mut task, &events, events.len(), 100);
    task.settle(PATIENCE).unwrap();
    events[before..].iter().map(|stored| stored.record.kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_file_goes_to_the_log_at_a_start_where_another_came_last() {
    let folder = tempfile::tempdir().unwrap();
    let disk = OnDisk::new(folder.path(), Budget::default());
    let (first, second, by_api) = (policy::DEFAULT, rerouted(), lenient());
    let (told, silent) = ([RecordKind::Policy, RecordKind::Tick, RecordKind::Tick], [RecordKind::Tick; 2]);
    assert_eq!(started_with(&disk, first).await, told, "none came before");
    assert_eq!(started_with(&disk, first).await, silent, "it came last");
    assert_eq!(started_with(&disk, &second).await, told);
    assert_eq!(started_with(&disk, first).await, told, "back to the first");

    let record = record_of(START, PolicyOrigin::Api, &by_api);
    disk.log.producer().append(disk.log.partitions().to_each(Topic::Events, &record)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(started_with(&disk, first).await, silent, "what the API put in force stays");
    }
    let share = disk.read(Topic::Fleet).pop().unwrap().record;
    assert_eq!(share.header("ce_policy"), Some(&Bytes::from(digest(&by_api))));
    assert_eq!(share.header("ce_policyfile"), Some(&Bytes::from(digest(first))));
}
