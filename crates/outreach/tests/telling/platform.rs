//! A log, decisions and the enforcer's word in it, and outreach that runs over it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::embedded::{Config as LogConfig, EmbeddedLog};
use log::{Append, Log, PartitionCount, Record, RecordKind, Route, Start, Topic};
use model::{
    AccountStatusChange, CaseView, CustomerId, Decision, DecisionId, EnforcementKey, EnforcerMode, EnforcerModes, Held,
    HeldWhy, InForce, Millis, Mode, Reason, Stage, Standing, Timestamp,
};
use outreach::{Config, Contacts, Error, Outreach, Policies, Smtp, Templates, Tls};
use policy::Policy;
use serde_json::Value;
use site::{Elective, Office, now};
use telemetry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::mail_server::MailServer;

const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a condition.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "it did not come to that");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn config(server: &MailServer, contacts: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("contacts.csv");
    std::fs::write(&file, format!("customer,contact,owner\n{contacts}")).unwrap();
    let smtp = Smtp {
        host: "127.0.0.1".to_owned(),
        port: server.port(),
        tls: Tls::None,
        login: None,
        timeout: Duration::from_secs(5),
    };
    Config {
        mail: Some((smtp, "Weir <weir@platform.example>".parse().unwrap())),
        success: Some("success@platform.example".parse().unwrap()),
        chat: None,
        contacts: Contacts::read(&file).unwrap(),
        tell_customers: true,
        drafts: false,
        digest: None,
        quiet: Millis::hours(6),
        waits: vec![Millis::new(50); 100],
        templates: Templates::built_in().unwrap(),
        console: Some("https://weir.example.com".parse().unwrap()),
        modes: EnforcerModes::all(EnforcerMode::Approve),
        policies: Policies::new(Arc::new(Policy::parse(policy::DEFAULT).unwrap())),
    }
}

pub(crate) fn decision(number: u64, customer: &str, (from, to): (Stage, Stage)) -> Decision {
    let example = outreach::example(to, Some("hard_bounce")).unwrap();
    let (id, customer) = (DecisionId::from_bits(number.into()), CustomerId::new(customer).unwrap());
    let policy = Policy::parse(policy::DEFAULT).unwrap().digest().to_owned();
    Decision { id, customer, from, policy, ..example }
}

struct Running {
    registry: Registry,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

pub(crate) struct Platform {
    _folder: tempfile::TempDir,
    log: Arc<dyn Log>,
    pub(crate) office: Arc<Office>,
    running: Option<Running>,
    /// How far its clock is ahead of the world's, in milliseconds.
    ahead: Arc<AtomicI64>,
}

impl Platform {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let count = PartitionCount::new(NonZeroU32::new(3).unwrap());
        let log = EmbeddedLog::open(LogConfig::new(folder.path().join("log"), count)).unwrap();
        let (log, office) = Elective::over(Arc::new(log));
        Self { _folder: folder, log: Arc::new(log), office, running: None, ahead: Arc::default() }
    }

    /// Starts outreach, and waits until it knows where it begins.
    pub(crate) async fn start(&mut self, config: Config) {
        let (registry, shutdown) = (Registry::new(), CancellationToken::new());
        let ahead = Arc::clone(&self.ahead);
        let clock = Arc::new(move || now() + Millis::new(ahead.load(Ordering::SeqCst)));
        let outreach = Outreach::new(config, Arc::clone(&self.log), clock, &registry).unwrap();
        let task = tokio::spawn(outreach.run(shutdown.clone()));
        self.running = Some(Running { registry, shutdown, task });
        until(|| self.serves()).await;
    }

    /// Whether it tells: it says what waits.
    pub(crate) fn serves(&self) -> bool {
        self.metric("weir_outreach_waiting", &[]).is_some()
    }

    /// What is kept under `key`.
    pub(crate) fn last(&self, key: &str) -> Option<Value> {
        let records = self.read(Topic::Enforcement);
        let last = records.iter().rfind(|record| record.key == key)?;
        Some(serde_json::from_slice(&last.value).unwrap())
    }

    pub(crate) fn now(&self) -> Timestamp {
        now() + Millis::new(self.ahead.load(Ordering::SeqCst))
    }

    /// Lets time pass, all at once.
    pub(crate) fn wait(&self, span: Millis) {
        self.ahead.fetch_add(span.get(), Ordering::SeqCst);
    }

    /// What is in the log.
    pub(crate) fn read(&self, topic: Topic) -> Vec<Record> {
        let mut tail = self.log.tail(topic, Start::Earliest).unwrap();
        let mut records = Vec::new();
        while !tail.caught_up() {
            records.extend(tail.next(Duration::ZERO).unwrap().into_iter().map(|stored| stored.record));
        }
        records
    }

    pub(crate) async fn stop(&mut self) {
        let running = self.running.take().unwrap();
        running.shutdown.cancel();
        running.task.await.unwrap().unwrap();
    }

    pub(crate) async fn decide(&self, decision: &Decision) {
        let key = decision.customer.as_str().to_owned();
        self.say(Topic::Decisions, key, serde_json::to_vec(decision).unwrap()).await;
    }

    /// Where the customer stands behind `decision`, and how much it sent before.
    pub(crate) async fn stand(&self, decision: &Decision, sent_24h: u32) {
        let reason = Reason { decision: decision.id.clone(), rule: decision.rule.clone(), text: String::new() };
        let standing = Standing {
            sent_24h,
            reasons: vec![reason],
            ..Standing::at(decision.customer.clone(), decision.to, None, decision.at)
        };
        let key = decision.customer.as_str().to_owned();
        self.say(Topic::Standings, key, serde_json::to_vec(&standing).unwrap()).await;
    }

    /// The enforcer lets it through.
    pub(crate) async fn let_through(&self, decision: &Decision) {
        let standing = Standing::at(decision.customer.clone(), decision.to, Some(1_000), decision.at);
        let in_force = InForce::of(&standing);
        self.case(decision, None, Some(in_force)).await;
    }

    /// The enforcer asks a person.
    pub(crate) async fn ask(&self, decision: &Decision) {
        let held = Held {
            why: HeldWhy::Approval,
            reason: "a person has to approve it: weir approve".to_owned(),
            decision: Some(decision.id.clone()),
            since: decision.at,
            expires: None,
        };
        self.case(decision, Some(held), None).await;
    }

    pub(crate) async fn account(&self, change: &AccountStatusChange) {
        self.say(Topic::Enforcement, change.key(), serde_json::to_vec(change).unwrap()).await;
    }

    async fn case(&self, decision: &Decision, held: Option<Held>, in_force: Option<InForce>) {
        let case = CaseView { customer: decision.customer.clone(), stage: decision.to, held, in_force };
        let key = EnforcementKey::Case(decision.customer.clone()).to_string();
        self.say(Topic::Enforcement, key, serde_json::to_vec(&case).unwrap()).await;
    }

    async fn say(&self, topic: Topic, key: String, value: Vec<u8>) {
        let record = Record {
            kind: RecordKind::Output,
            at: self.now(),
            key: Bytes::from(key),
            headers: [].into(),
            value: value.into(),
        };
        self.log.producer().append(vec![Append { topic, route: Route::ByKey, record }]).await.unwrap();
    }

    /// The sum of a metric over everything with these labels; none where it tells nothing.
    pub(crate) fn metric(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let families = self.running.as_ref().unwrap().registry.gather();
        let family = families.iter().find(|family| family.name() == name)?;
        let matches = |metric: &&telemetry::proto::Metric| {
            let has = |(name, value): &(&str, &str)| {
                metric.get_label().iter().any(|label| label.name() == *name && label.value() == *value)
            };
            labels.iter().all(has)
        };
        let metrics: Vec<_> = family.get_metric().iter().filter(matches).collect();
        let value =
            |metric: &&telemetry::proto::Metric| metric.get_gauge().get_value() + metric.get_counter().get_value();
        (!metrics.is_empty()).then(|| metrics.iter().map(value).sum())
    }

    /// How many deliveries had that outcome, as `/metrics` shows it.
    pub(crate) fn outcome(&self, channel: &str, outcome: &str) -> String {
        let labels = [("channel", channel), ("outcome", outcome)];
        self.metric("weir_outreach_deliveries_total", &labels).unwrap_or_default().to_string()
    }
}

pub(crate) fn in_shadow(decision: Decision) -> Decision {
    Decision { mode: Mode::Shadow, ..decision }
}
