//! A log, decisions in it, and hooks that run over it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hooks::{Error, Hook, HookName, Hooks, Reach, Schedule, Secrets, Target};
use log::embedded::{Config, EmbeddedLog};
use log::{Append, Log, PartitionCount, Record, RecordKind, Route, Start, Topic};
use model::{Stage, Timestamp};
use serde_json::{Value, json};
use site::{Elective, Office, now};
use telemetry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::endpoint::Endpoint;

pub(crate) const OLD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const NEW_SECRET: &str = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
pub(crate) const AT: &str = "2026-09-21T14:38:20Z";
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a condition.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it did not come to that");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn hook(endpoint: &Endpoint) -> Hook {
    let url = format!("http://127.0.0.1:{}/hooks", endpoint.port());
    let target = Target::parse(&url, Reach::Private).unwrap();
    let mut hook = Hook::new(HookName::new("platform").unwrap(), target, Secrets::parse(OLD_SECRET).unwrap());
    hook.schedule = Schedule::new(vec![Duration::from_millis(20); 10]);
    hook
}

/// A decision as it stands on the topic, in what matters here.
pub(crate) fn decision(number: u64, customer: &str, to: Stage) -> Value {
    json!({
        "id": format!("{number:032x}"), "customer": customer, "at": AT, "from": "healthy", "to": to, "mode": "enforce",
        "rule": "hard-bounce-fire", "evidence": {"rate": 0.278_048_780_487_804_9}, "policy": "sha256:0",
        "offset": {"partition": 0, "offset": number}, "a_member_of_a_later_version": [1, 2.0, "three"],
    })
}

/// What runs, and what it tells Prometheus.
struct Running {
    registry: Registry,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

pub(crate) struct Platform {
    _folder: tempfile::TempDir,
    embedded: Arc<dyn Log>,
    log: Arc<dyn Log>,
    pub(crate) office: Arc<Office>,
    running: Option<Running>,
}

impl Platform {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let count = PartitionCount::new(NonZeroU32::new(3).unwrap());
        let log = EmbeddedLog::open(Config::new(folder.path().join("log"), count)).unwrap();
        let embedded: Arc<dyn Log> = Arc::new(log);
        let (log, office) = Elective::over(Arc::clone(&embedded));
        Self { _folder: folder, embedded, log: Arc::new(log), office, running: None }
    }

    /// Starts hooks, and waits until each knows where it begins.
    pub(crate) async fn start(&mut self, hooks: Vec<Hook>) {
        let names: Vec<_> = hooks.iter().map(|hook| hook.name.clone()).collect();
        let (registry, shutdown) = (Registry::new(), CancellationToken::new());
        let hooks = Hooks::new(hooks, Arc::clone(&self.log), Arc::new(now), &registry).unwrap();
        let task = tokio::spawn(hooks.run(shutdown.clone()));
        self.running = Some(Running { registry, shutdown, task });
        let is_known = |name: &HookName| self.kept(&format!("hook:{name}")).len() == 1;
        until(async || names.iter().all(is_known)).await;
    }

    /// Another process that has the office.
    pub(crate) fn successor(&self, hooks: Vec<Hook>) -> JoinHandle<Result<(), Error>> {
        let hooks = Hooks::new(hooks, Arc::clone(&self.embedded), Arc::new(now), &Registry::new()).unwrap();
        tokio::spawn(hooks.run(CancellationToken::new()))
    }

    /// Ends in order.
    pub(crate) async fn stop(&mut self) {
        let running = self.running.take().unwrap();
        running.shutdown.cancel();
        running.task.await.unwrap().unwrap();
    }

    /// Ends in the middle of whatever it does, without a word.
    pub(crate) async fn crash(&mut self) {
        let running = self.running.take().unwrap();
        running.task.abort();
        assert!(running.task.await.unwrap_err().is_cancelled());
    }

    pub(crate) async fn decide(&self, number: u64, customer: &str, to: Stage) {
        self.say(Topic::Decisions, customer, &decision(number, customer, to)).await;
    }

    /// The enforcer says what it did, or why it did not.
    pub(crate) async fn act(&self, action: &Value) {
        self.say(Topic::Actions, action["customer"].as_str().unwrap(), action).await;
    }

    /// Outreach has written something.
    pub(crate) async fn draft(&self, draft: &Value) {
        self.say(Topic::Drafts, draft["customer"].as_str().unwrap(), draft).await;
    }

    async fn say(&self, topic: Topic, customer: &str, value: &Value) {
        let record = Record {
            kind: RecordKind::Output,
            at: Timestamp::from_seconds(1_790_000_000),
            key: Bytes::copy_from_slice(customer.as_bytes()),
            headers: [].into(),
            value: serde_json::to_vec(value).unwrap().into(),
        };
        self.log.producer().append(vec![Append { topic, route: Route::ByKey, record }]).await.unwrap();
    }

    /// The newest record of each key on the compacted topic that begins so.
    fn kept(&self, prefix: &str) -> Vec<(String, Bytes)> {
        let mut tail = self.log.tail(Topic::Enforcement, Start::Earliest).unwrap();
        let mut kept = std::collections::BTreeMap::new();
        while !tail.caught_up() {
            for stored in tail.next(PATIENCE).unwrap() {
                kept.insert(String::from_utf8(stored.record.key.to_vec()).unwrap(), stored.record.value);
            }
        }
        kept.into_iter().filter(|(key, _)| key.starts_with(prefix)).collect()
    }

    pub(crate) fn dead_letters(&self) -> Vec<(String, Value)> {
        let letters = self.kept("dead:").into_iter();
        letters.map(|(key, value)| (key, serde_json::from_slice(&value).unwrap())).collect()
    }

    /// How far the hook is, as it stands in the log.
    pub(crate) fn progress(&self) -> String {
        String::from_utf8(self.kept("hook:platform")[0].1.to_vec()).unwrap()
    }

    /// Whether it tells Prometheus anything under this name.
    pub(crate) fn tells(&self, name: &str) -> bool {
        self.running.as_ref().unwrap().registry.gather().iter().any(|family| family.name() == name)
    }

    pub(crate) fn metric(&self, name: &str) -> u64 {
        self.metric_of(name, "platform")
    }

    pub(crate) fn metric_of(&self, name: &str, hook: &str) -> u64 {
        self.value_of(name, &[("hook", hook)])
    }

    pub(crate) fn outcome(&self, outcome: &str) -> u64 {
        self.value_of("weir_hooks_deliveries_total", &[("hook", "platform"), ("outcome", outcome)])
    }

    fn value_of(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let families = self.running.as_ref().unwrap().registry.gather();
        let metrics = families.iter().filter(|family| family.name() == name).flat_map(|family| family.get_metric());
        let matches = |metric: &&telemetry::proto::Metric| {
            labels.iter().all(|(name, value)| {
                metric.get_label().iter().any(|label| label.name() == *name && label.value() == *value)
            })
        };
        let values =
            metrics.filter(matches).map(|metric| metric.get_gauge().get_value() + metric.get_counter().get_value());
        // Of whole things; where there are none, the sum of nothing would be a negative zero.
        format!("{:.0}", values.fold(0.0, |sum, value| sum + value)).parse().unwrap()
    }
}
