//! Every decision can be derived again from the log, counted again from the raw events, and said in words.

use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use console::{ExplainError, Explainer};
use explain::{Derived, Explanation};
use log::embedded::{Config, EmbeddedLog};
use log::{Append, Log, PartitionCount, Record, RecordKind, Route, Start, Stored, Tail, Topic};
use model::{
    Command, Decision, DecisionId, Fleet, Millis, Offset, Order, PartitionId, Position, Stage, Tick, Timestamp,
};
use policy::Policy;
use scorer::store::Budget;
use scorer::{Metrics, PartitionTask};
use simulator::platform::{Gate, Platform, Scenario};
use suites::customer_of;
use telemetry::Registry;

const START: Timestamp = Timestamp::from_seconds(1_790_000_000);
const PATIENCE: Duration = Duration::from_secs(60);
const ONLY: PartitionId = PartitionId::new(0);

/// A log on which an hour's mail stands, a person's commands, five calm days, and what a scorer made of them.
static HISTORY: LazyLock<History> = LazyLock::new(History::new);

struct History {
    log: Arc<EmbeddedLog>,
    policy: Arc<Policy>,
    decisions: Vec<Decision>,
    _folder: tempfile::TempDir,
}

impl History {
    fn new() -> Self {
        let mut weir = Weir::new();
        weir.busy_hour();
        weir.commands();
        for hour in 2..=120 {
            weir.tick(START + Millis::hours(hour));
        }
        let Weir { log, policy, records, folder, .. } = weir;
        append(log.as_ref(), &records);
        let decisions = decisions(log.as_ref());
        Self { log, policy, decisions, _folder: folder }
    }

    fn explainer(&self) -> Explainer {
        Explainer::new(Arc::clone(&self.log) as _, Arc::clone(&self.policy), PATIENCE)
    }

    fn explained(&self) -> impl Iterator<Item = Explanation> {
        self.decisions.iter().map(|decision| self.explainer().explain(&decision.id).unwrap())
    }
}

/// One partition's fold over an embedded log, and what it was given.
struct Weir {
    log: Arc<EmbeddedLog>,
    policy: Arc<Policy>,
    task: PartitionTask,
    shares: Box<dyn Tail>,
    records: Vec<Record>,
    folder: tempfile::TempDir,
}

impl Weir {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::new(folder.path().join("log"), PartitionCount::new(NonZeroU32::MIN));
        let log = Arc::new(EmbeddedLog::open(config).unwrap());
        let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let outputs = log.outputs(ONLY).unwrap();
        let judging = (Arc::clone(&policy), Budget::default());
        let task = PartitionTask::open(&folder.path().join("state"), ONLY, judging, metrics, outputs).unwrap();
        let shares = log.tail(Topic::Fleet, Start::Earliest).unwrap();
        Self { log, policy, task, shares, records: Vec::new(), folder }
    }

    fn take(&mut self, kind: RecordKind, at: Timestamp, (key, value): (&str, impl Into<Bytes>)) {
        let key = Bytes::copy_from_slice(key.as_bytes());
        let record = Record { kind, at, key, headers: Arc::new([]), value: value.into() };
        let position = Position { partition: ONLY, offset: Offset::new(self.records.len() as u64) };
        self.task.fold(&[Stored { position, record: record.clone() }]).unwrap();
        self.records.push(record);
    }

    /// Ticks with the fleet as the fold last told it, and publishes.
    fn tick(&mut self, at: Timestamp) {
        let shares = self.shares.next(Duration::ZERO).unwrap();
        let fleet = shares.last().map(|share| serde_json::from_slice(&share.record.value).unwrap());
        let tick = Tick { at, fleet: Fleet::sum(fleet.iter()) };
        self.take(RecordKind::Tick, at, ("", serde_json::to_vec(&tick).unwrap()));
        self.task.drain(PATIENCE).unwrap();
    }

    /// An hour's mail, of which some events come twice.
    fn busy_hour(&mut self) {
        let scenario = Scenario { customers: 60, good_mails: 8_000, ..Scenario::hour(3, START) };
        let mut platform = Platform::new(&scenario);
        let mut now = START;
        self.tick(now);
        while !platform.is_finished() {
            now = now + Millis::minutes(1);
            for arrival in platform.advance(now, &mut |_| Gate::Send(Some("good-1".into()))) {
                let customer = customer_of(&arrival.event);
                self.take(RecordKind::Event, arrival.at, (customer.as_str(), arrival.event.clone()));
                if self.records.len().is_multiple_of(7) {
                    self.take(RecordKind::Event, arrival.at, (customer.as_str(), arrival.event));
                }
            }
            self.tick(now);
        }
    }

    fn commands(&mut self) {
        let until = START + Millis::days(9);
        let stage = Stage::Suspended;
        for (customer, order) in [
            ("by-hand", Order::SetStage { stage }),
            ("by-hand", Order::Release { fully: true }),
            ("by-hand", Order::Hold { until: None }),
            ("by-hand", Order::Exempt { until }),
        ] {
            let command = Command { order, reason: "to see what comes".to_owned(), by: "ana".to_owned(), role: None };
            self.take(RecordKind::Command, START, (customer, serde_json::to_vec(&command).unwrap()));
        }
        self.task.drain(PATIENCE).unwrap();
    }
}

/// Puts the records on the log's topic of events, at the same offsets.
fn append(log: &dyn Log, records: &[Record]) {
    let producer = log.producer();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for part in records.chunks(5_000) {
        let append = |record: &Record| Append { topic: Topic::Events, route: Route::To(ONLY), record: record.clone() };
        runtime.block_on(producer.append(part.iter().map(append).collect())).unwrap();
    }
}

fn decisions(log: &dyn Log) -> Vec<Decision> {
    let mut tail = log.tail(Topic::Decisions, Start::Earliest).unwrap();
    let mut decisions = Vec::new();
    while !tail.caught_up() {
        let records = tail.next(Duration::ZERO).unwrap();
        decisions
            .extend(records.iter().map(|stored| serde_json::from_slice::<Decision>(&stored.record.value).unwrap()));
    }
    decisions
}

#[test]
fn every_decision_is_derived_again_byte_for_byte() {
    let kinds = |wanted: fn(&Decision) -> bool| HISTORY.decisions.iter().filter(|decision| wanted(decision)).count();
    let up = kinds(|decision| decision.evidence.is_some() && decision.to > decision.from);
    let down = kinds(|decision| decision.evidence.is_some() && decision.to < decision.from);
    let by_hand = kinds(|decision| decision.by.is_some());
    assert!(up > 5 && down > 0 && by_hand == 4, "too few to mean anything: {up} up, {down} down, {by_hand} by hand");
    for explanation in HISTORY.explained() {
        assert_eq!(explanation.derived, Derived::Same, "{explanation}");
    }
}

#[test]
fn the_raw_events_counted_one_by_one_give_the_figures_of_the_evidence() {
    for explanation in HISTORY.explained() {
        let evidence = explanation.decision.evidence.as_ref();
        let counted = evidence.filter(|evidence| evidence.until > Timestamp::default());
        assert_eq!(explanation.recount.is_some(), counted.is_some(), "{explanation}");
        if let Some(recount) = &explanation.recount {
            assert!(recount.agrees && recount.is_whole, "{explanation}");
        }
    }
}

#[test]
fn the_words_tell_the_figures_to_operators_and_to_the_customer() {
    for explanation in HISTORY.explained() {
        let letter = &explanation.for_the_customer;
        for word in [explanation.decision.rule.as_str(), "ana gave"] {
            assert!(!letter.contains(word), "the customer is told {word:?}: {explanation}");
        }
        let Some(evidence) = &explanation.decision.evidence else { continue };
        let share = format!("{} of {}", grouped(evidence.numerator), grouped(evidence.denominator));
        assert!(explanation.facts[0].contains(&share), "{share}: {explanation}");
        assert!(evidence.denominator == 0 || letter.contains(&share), "{share}: {explanation}");
        assert_eq!(explanation.sample_events, evidence.events);
    }
}

fn grouped(number: u32) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}

#[test]
fn another_policy_is_told_and_nothing_is_claimed() {
    let other = format!("{}\n# Another file.\n", policy::DEFAULT);
    let policy = Arc::new(Policy::parse(&other).unwrap());
    let explainer = Explainer::new(Arc::clone(&HISTORY.log) as _, policy, PATIENCE);
    let explanation = explainer.explain(&HISTORY.decisions[0].id).unwrap();
    assert!(matches!(explanation.derived, Derived::UnderAnotherPolicy { .. }), "{explanation}");
    let nobody = DecisionId::from_bits(7);
    assert!(matches!(explainer.explain(&nobody), Err(ExplainError::Unknown(id)) if id == nobody));
}
