//! A backtest over the log of a Weir that ran makes the decisions of life, byte for byte; under another policy it shows where
//! life would have been another.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use backtest::{Candidate, Tally, differences, over_log, report};
use bytes::Bytes;
use log::embedded::{Config, EmbeddedLog};
use log::{Append, Log, PartitionCount, Record, RecordKind, Route, Start, Tail, Topic};
use model::{Command, CustomerId, Millis, Order, PartitionId, Stage, Timestamp};
use policy::Policy;
use scorer::store::Budget;
use scorer::{Clock, Metrics, PartitionTask, PolicyFile, Ticker};
use simulator::platform::{Gate, Platform, Scenario};
use suites::customer_of;
use telemetry::Registry;

const START: Timestamp = Timestamp::from_seconds(1_790_000_000);
const PARTITIONS: PartitionCount = PartitionCount::new(NonZeroU32::MIN.saturating_add(2));
/// How long publishing may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(folder: &Path) -> Config {
    Config { max_age: Millis::minutes(40), ..Config::new(folder.join("log"), PARTITIONS) }
}

fn candidate(text: &str) -> Candidate {
    Candidate { name: "candidate".to_owned(), policy: Arc::new(Policy::parse(text).unwrap()) }
}

/// A Weir whose time is the platform's.
struct Life {
    log: Arc<dyn Log>,
    tasks: BTreeMap<PartitionId, PartitionTask>,
    tail: Box<dyn Tail>,
    ticker: Ticker,
    now: Arc<AtomicI64>,
}

impl Life {
    fn new(folder: &Path) -> Self {
        let log: Arc<dyn Log> = Arc::new(EmbeddedLog::open(config(folder)).unwrap());
        let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
        let task = |id| {
            let metrics = Metrics::register(&Registry::new()).unwrap();
            let setting = (Arc::clone(&policy), Budget::default());
            let state = folder.join("state");
            (id, PartitionTask::open(&state, id, setting, metrics, log.outputs(id).unwrap()).unwrap())
        };
        let tail = log.tail(Topic::Events, Start::Earliest).unwrap();
        let file = PolicyFile { text: policy::DEFAULT.to_owned(), digest: policy.digest().to_owned() };
        let ticker = Ticker::new(Arc::clone(&log), file, &Registry::new()).unwrap();
        let now = Arc::new(AtomicI64::new(START.millis()));
        Self { tasks: PARTITIONS.all().map(task).collect(), tail, ticker, now, log }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::Relaxed))
    }

    /// Runs an hour of the platform, with some commands in the middle of it.
    async fn run(&mut self) {
        let scenario = Scenario { customers: 60, good_mails: 8_000, ..Scenario::hour(3, START) };
        let mut platform = Platform::new(&scenario);
        self.tick().await;
        while !platform.is_finished() {
            let until = self.now() + Millis::minutes(1);
            let arrivals = platform.advance(until, &mut |_| Gate::Send(Some("good-1".into())));
            let record = |arrival: simulator::platform::Arrival| {
                let key = customer_of(&arrival.event);
                append(RecordKind::Event, arrival.at, (&key, arrival.event))
            };
            self.take(arrivals.into_iter().map(record).collect()).await;
            if until == START + Millis::minutes(30) {
                self.command().await;
            }
            self.now.store(until.millis(), Ordering::Relaxed);
            self.tick().await;
        }
        self.tick().await;
    }

    /// A person releases whoever was moved first, and suspends somebody.
    async fn command(&mut self) {
        let decisions = decisions(self.log.as_ref());
        let first: model::Decision = serde_json::from_slice(&decisions[0]).unwrap();
        let command = |order| Command { order, reason: "they called".to_owned(), by: "ana".to_owned(), role: None };
        let orders = [
            (first.customer, Order::Release { fully: true }),
            (CustomerId::new("stranger").unwrap(), Order::SetStage { stage: Stage::Suspended }),
        ];
        let record = |(customer, order): (CustomerId, Order)| {
            append(RecordKind::Command, self.now(), (&customer, serde_json::to_string(&command(order)).unwrap()))
        };
        let records = orders.into_iter().map(record).collect();
        self.take(records).await;
    }

    async fn tick(&mut self) {
        self.append_tick().await;
        self.fold();
    }

    async fn append_tick(&mut self) {
        let now = Arc::clone(&self.now);
        let clock: Clock = Arc::new(move || Timestamp::from_millis(now.load(Ordering::Relaxed)));
        self.ticker.tick(&clock).await.unwrap();
    }

    async fn take(&mut self, records: Vec<Append>) {
        self.log.producer().append(records).await.unwrap();
        self.fold();
    }

    /// Folds what is new and has it published.
    fn fold(&mut self) {
        loop {
            let records = self.tail.next(Duration::ZERO).unwrap();
            let Some(first) = records.first() else { break };
            self.tasks.get_mut(&first.position.partition).unwrap().fold(&records).unwrap();
        }
        self.tasks.values_mut().for_each(|task| task.drain(PATIENCE).unwrap());
    }
}

fn append(kind: RecordKind, at: Timestamp, (key, value): (&CustomerId, String)) -> Append {
    let key = Bytes::copy_from_slice(key.as_str().as_bytes());
    let record = Record { kind, at, key, headers: Arc::new([]), value: Bytes::from(value) };
    Append { topic: Topic::Events, route: Route::ByKey, record }
}

/// Every decision, as it stands on its topic.
fn decisions(log: &dyn Log) -> Vec<Bytes> {
    let mut tail = log.tail(Topic::Decisions, Start::Earliest).unwrap();
    let mut decisions = Vec::new();
    while !tail.caught_up() {
        decisions.extend(tail.next(Duration::ZERO).unwrap().into_iter().map(|stored| stored.record.value));
    }
    decisions
}

/// A folder with the log of a Weir that ran and was stopped.
fn lived() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut life = Life::new(folder.path());
    tokio::runtime::Runtime::new().unwrap().block_on(life.run());
    folder
}

#[test]
fn under_the_policy_of_life_the_decisions_are_those_of_life_byte_for_byte() {
    let folder = lived();
    let log = EmbeddedLog::open_read_only(config(folder.path())).unwrap();
    let outcome = over_log(&[candidate(policy::DEFAULT)], &log, &|| false).unwrap();

    let mut expected = decisions(&log);
    let place = |text: &Bytes| {
        let decision: model::Decision = serde_json::from_slice(text).unwrap();
        (decision.at, decision.offset)
    };
    expected.sort_by_key(place);
    let expected: Vec<_> = expected.iter().map(|text| std::str::from_utf8(text).unwrap()).collect();
    let json = outcome.json_lines().unwrap();
    assert_eq!(json.lines().collect::<Vec<_>>(), expected);
    assert!(expected.len() > 5, "too few decisions to compare: {}", expected.len());
    for rule in ["command:release", "command:set_stage"] {
        assert!(outcome.runs[0].made.iter().any(|made| made.decision.rule == rule), "{rule}");
    }
    let partitions = outcome.runs[0].made.iter().map(|made| made.decision.offset.partition);
    assert!(
        partitions.collect::<std::collections::BTreeSet<_>>().len() > 1,
        "more than one partition decided something"
    );
    let live = outcome.live.as_ref().unwrap();
    assert_eq!((live.same, live.run.made.len()), (expected.len(), expected.len()));
    assert!(report::text(&outcome).contains("all of them are those of life, byte for byte"));
    assert_eq!(outcome.read.cut, []);
    assert_eq!(live.behind, []);
    let policies: Vec<_> = outcome.read.policies.iter().map(|policy| policy.digest.as_str()).collect();
    assert_eq!(policies, [outcome.runs[0].digest.as_str()], "the file's, once for all partitions");
}

#[test]
fn another_policy_file_that_says_the_same_finds_the_same_customers_under_another_name() {
    let folder = lived();
    let log = EmbeddedLog::open_read_only(config(folder.path())).unwrap();
    let outcome = over_log(&[candidate(&format!("{}\n# The same.\n", policy::DEFAULT))], &log, &|| false).unwrap();
    let live = outcome.live.as_ref().unwrap();
    assert_eq!((live.same, live.run.made.len()), (0, outcome.runs[0].made.len()), "the digest is another");
    assert_eq!(Tally::of(&differences(&live.run, &outcome.runs[0])), Tally::default());
}

#[test]
fn it_is_told_where_the_scorer_had_not_got_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut life = Life::new(folder.path());
    let got_to = tokio::runtime::Runtime::new().unwrap().block_on(async {
        life.run().await;
        let got_to = life.now();
        life.now.store((got_to + Millis::minutes(1)).millis(), Ordering::Relaxed);
        life.append_tick().await;
        got_to
    });
    let outcome = over_log(&[candidate(policy::DEFAULT)], life.log.as_ref(), &|| false).unwrap();
    let behind = outcome.live.as_ref().unwrap().behind.iter();
    let expected = PARTITIONS.all().map(|id| (id, Some(got_to), got_to + Millis::minutes(1)));
    assert!(behind.map(|behind| (behind.partition, behind.got_to, behind.read_to)).eq(expected));
    assert!(report::summary(&outcome).contains(&format!("had got to {got_to} only")));
}

#[test]
fn it_is_told_where_retention_has_cut_off_the_beginning() {
    let folder = lived();
    let log = EmbeddedLog::open(config(folder.path())).unwrap();
    log.maintain(START + Millis::minutes(60)).unwrap();
    let starts: Vec<_> = PARTITIONS.all().map(|id| (id, log.reach(Topic::Events, id).unwrap().start)).collect();
    assert!(starts.iter().all(|(_, start)| start.get() > 0), "{starts:?}");
    drop(log);
    let log = EmbeddedLog::open_read_only(config(folder.path())).unwrap();
    let outcome = over_log(&[candidate(policy::DEFAULT)], &log, &|| false).unwrap();
    assert_eq!(outcome.read.cut, starts);
    let [(partition, start), ..] = starts.as_slice() else { unreachable!("three partitions") };
    let told = format!("Partition {partition} is read from offset {start} on");
    assert!(report::text(&outcome).contains(&told) && report::html(&outcome).contains(&told));
}
