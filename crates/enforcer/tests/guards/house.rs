//! An enforcer over a real log and a simulated SendGrid, with its metrics and a clock that can be set.

use std::collections::BTreeMap;
use std::future::Future;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use enforcer::{Action, Config, Enforcer, PlacementRule, Placements};
use log::embedded::EmbeddedLog;
use log::{Append, Log, PartitionCount, Record, RecordKind, Route, Start, Stored, Topic};
use model::{
    CaseView, CustomerId, DecisionId, EnforcementKey, EnforcerMode, EnforcerModes, Held, HeldWhy, Millis, PoolName,
    Reason, Stage, Standing, Timestamp,
};
use sendgrid::api::{ApiKey, Client, Config as ApiConfig};
use serde::Serialize;
use simulator::platform::{Account, Placement, Truth};
use simulator::sendgrid::{Budget, HOME, Options, QUARANTINE, SendGrid, World};
use telemetry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_790_000_000);

pub(crate) fn id(name: &str) -> CustomerId {
    CustomerId::new(name).unwrap()
}

/// So many subusers, each a customer of the same name.
pub(crate) fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("customer-{number:03}")).collect()
}

pub(crate) struct House {
    _folder: tempfile::TempDir,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) sendgrid: SendGrid,
    pub(crate) config: Config,
    registry: Registry,
    now: Arc<AtomicI64>,
    decisions: u32,
    running: Option<(CancellationToken, JoinHandle<Result<(), enforcer::Error>>)>,
}

impl House {
    /// It acts at once, in this mode and otherwise as `set` says.
    pub(crate) async fn new(names: &[String], mode: EnforcerMode, set: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let count = PartitionCount::new(NonZeroU32::new(2).unwrap());
        let log = EmbeddedLog::open(log::embedded::Config::new(folder.path().join("log"), count)).unwrap();
        let account = |name: &String| Account {
            id: id(name),
            truth: Truth::Good,
            placement: Placement::Subuser(name.clone()),
            planned_mails: 0,
            bad_from: START,
        };
        let accounts: Vec<_> = names.iter().map(account).collect();
        let budget = Budget { calls: 10_000, per: Duration::from_secs(1) };
        let options = Options { budget, ..Options::default() };
        let sendgrid = SendGrid::start_with(World::of(&accounts), options).await.unwrap();
        let [home, poor] = [HOME, QUARANTINE].map(PoolName::new);
        let placements = Placements { default: PlacementRule::Subuser(None), by_customer: BTreeMap::new() };
        let mut config = Config::new(EnforcerModes::all(mode), placements, home, poor);
        config.sweep_interval = Duration::from_millis(300);
        config.settling = Duration::from_millis(100);
        set(&mut config);
        let now = Arc::new(AtomicI64::new(START.millis()));
        let (log, registry): (Arc<dyn Log>, _) = (Arc::new(log), Registry::new());
        let mut house = Self { _folder: folder, log, sendgrid, config, registry, now, decisions: 0, running: None };
        house.start();
        house
    }

    pub(crate) fn client(&self) -> Client {
        let mut api = ApiConfig::new(self.sendgrid.base_url(), ApiKey::new(self.sendgrid.api_key()));
        api.backoff = Duration::from_millis(5);
        api.calls_per_second = NonZeroU32::new(10_000).unwrap();
        Client::new(api).unwrap()
    }

    pub(crate) fn start(&mut self) {
        // Metrics are a process's own.
        self.registry = Registry::new();
        let now = Arc::clone(&self.now);
        let clock = Arc::new(move || Timestamp::from_millis(now.load(Ordering::Relaxed)));
        let (config, log) = (self.config.clone(), Arc::clone(&self.log));
        let enforcer = Enforcer::new(config, Some(self.client()), log, clock, &self.registry).unwrap();
        let shutdown = CancellationToken::new();
        self.running = Some((shutdown.clone(), tokio::spawn(enforcer.run(shutdown))));
    }

    pub(crate) async fn stop(&mut self) {
        let (shutdown, running) = self.running.take().unwrap();
        shutdown.cancel();
        running.await.unwrap().unwrap();
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::Relaxed))
    }

    pub(crate) fn pass(&self, time: Millis) {
        self.now.fetch_add(time.get(), Ordering::Relaxed);
    }

    /// Says where customers stand from now on by a rule; the decision of the last one.
    pub(crate) async fn stand(&mut self, names: &[String], stage: Stage) -> DecisionId {
        self.stand_by(names, stage, "rule").await
    }

    pub(crate) async fn stand_by(&mut self, names: &[String], stage: Stage, rule: &str) -> DecisionId {
        let mut appends = Vec::new();
        for name in names {
            self.decisions += 1;
            let decision = DecisionId::from_bits(u128::from(self.decisions));
            let reason = Reason { decision, rule: rule.to_owned(), text: String::new() };
            let standing = Standing {
                sent_24h: 1,
                reasons: vec![reason],
                ..Standing::at(id(name), stage, None, START + Millis::seconds(i64::from(self.decisions)))
            };
            appends.push(self.append(Topic::Standings, name, &standing));
        }
        self.log.producer().append(appends).await.unwrap();
        DecisionId::from_bits(u128::from(self.decisions))
    }

    /// Says a person's word.
    pub(crate) async fn say(&self, key: EnforcementKey, word: &impl Serialize) {
        self.log.producer().append(vec![self.append(Topic::Enforcement, &key.to_string(), word)]).await.unwrap();
    }

    fn append(&self, topic: Topic, key: &str, value: &impl Serialize) -> Append {
        let (at, key) = (self.now(), Bytes::copy_from_slice(key.as_bytes()));
        let value = serde_json::to_vec(value).unwrap().into();
        let record = Record { kind: RecordKind::Output, at, key, headers: Arc::new([]), value };
        Append { topic, route: Route::ByKey, record }
    }

    fn read(&self, topic: Topic) -> Vec<Stored> {
        let mut tail = self.log.tail(topic, Start::Earliest).unwrap();
        let mut records = Vec::new();
        while !tail.caught_up() {
            records.extend(tail.next(Duration::ZERO).unwrap());
        }
        records
    }

    pub(crate) fn actions(&self) -> Vec<Action> {
        let records = self.read(Topic::Actions);
        records.iter().map(|stored| serde_json::from_slice(&stored.record.value).unwrap()).collect()
    }

    pub(crate) fn cases(&self) -> Vec<CaseView> {
        let mut cases = BTreeMap::new();
        for stored in self.read(Topic::Enforcement) {
            let key = std::str::from_utf8(&stored.record.key).unwrap();
            let Some(EnforcementKey::Case(customer)) = EnforcementKey::parse(key) else { continue };
            let case = (!stored.record.value.is_empty()).then(|| serde_json::from_slice(&stored.record.value).unwrap());
            cases.insert(customer, case);
        }
        cases.into_values().flatten().collect()
    }

    /// Whether SendGrid was seen to be as this stage wants it.
    pub(crate) fn is_seen_at(&self, name: &str, stage: Stage) -> bool {
        let key = EnforcementKey::Case(id(name)).to_string();
        let records = self.read(Topic::Enforcement);
        let last = records.iter().rev().find(|stored| stored.record.key == key.as_bytes());
        last.and_then(|stored| serde_json::from_slice::<serde_json::Value>(&stored.record.value).ok())
            .is_some_and(|case| case["carried"]["stage"] == stage.name())
    }

    /// What is held back of a customer.
    pub(crate) fn held(&self, name: &str) -> Option<Held> {
        self.cases().into_iter().find(|case| case.customer == id(name))?.held
    }

    /// How many customers are held back for this reason, by the topic `enforcement`.
    pub(crate) fn held_for(&self, why: HeldWhy) -> usize {
        self.cases().iter().filter(|case| case.held.as_ref().is_some_and(|held| held.why == why)).count()
    }

    /// A metric, by its whole name with labels.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let all = self.registry.text().unwrap();
        all.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// The same for customers that are held back for a reason.
    pub(crate) fn told(&self, why: HeldWhy) -> Option<f64> {
        self.metric(&format!("weir_enforcer_held_back_customers{{why=\"{}\"}}", why.name()))
    }

    pub(crate) fn is_poor(&self, name: &str) -> bool {
        self.sendgrid.world().pools_of(name).iter().eq([QUARANTINE])
    }

    /// How many of these are quarantined.
    pub(crate) fn poor(&self, names: &[String]) -> usize {
        names.iter().filter(|name| self.is_poor(name)).count()
    }

    pub(crate) fn changes(&self) -> usize {
        self.sendgrid.world().calls().iter().filter(|call| call.changes()).count()
    }
}

/// Waits until `wanted` holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, wanted: impl Fn() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !wanted().await {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
