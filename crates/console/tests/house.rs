//! A console over a real log and a real listener.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use console::{
    Access, Admin, Explanations, Gate, GateConfig, Index, Policies, PolicyViewed, Probes, Proxy, Readings, Ready,
    RejectSource, Role, Server, Token, Unavailable, Viewed, Views, new_token,
};
use log::embedded::{Config, EmbeddedLog};
use log::{Append, Log, PartitionCount, Record, RecordKind, Route, Start, Topic};
use model::{
    CaseView, Command, Counter, Counts, CustomerId, CustomerView, Decision, DecisionId, EnforcementKey, EnforcerMode,
    EnforcerModes, InForce, Millis, Mode, Offset, Order, PartitionId, PolicyChange, PolicyInForce, PolicyOrigin,
    PolicyView, PoolName, Position, Provider, Series, SeriesPoint, Stage, Standing, Timestamp, Window,
};
use policy::Policy;
use scoring::{Fold, Input, MemoryStore, Partition, Said};
use sendgrid::webhook::CustomerRule;
use serde_json::Value;
use telemetry::Registry;
use tokio_util::sync::CancellationToken;

use crate::broken::Broken;

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct House {
    _folder: tempfile::TempDir,
    pub(crate) log: Arc<dyn Log>,
    /// The log as the console has it: whether it is read to its end can be changed.
    pub(crate) seen: Arc<Broken>,
    pub(crate) embedded: Arc<EmbeddedLog>,
    pub(crate) address: SocketAddr,
    /// By the name of the role.
    pub(crate) tokens: BTreeMap<String, String>,
    pub(crate) ready: Ready,
    pub(crate) shutdown: CancellationToken,
    pub(crate) readers: Vec<JoinHandle<()>>,
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
        // A log must not be read any more when the process ends. One that panicked has said so.
        self.readers.drain(..).for_each(|reader| drop(reader.join()));
    }
}

pub(crate) fn standing(name: &str, stage: Stage, daily_cap: Option<u32>) -> Standing {
    Standing {
        pool: Some(PoolName::new(if stage >= Stage::Quarantined { "quarantine" } else { "good-1" })),
        ..Standing::at(CustomerId::new(name).unwrap(), stage, daily_cap, NOW)
    }
}

fn decision(name: &str, number: u64) -> Decision {
    Decision {
        id: DecisionId::from_bits(number.into()),
        customer: CustomerId::new(name).unwrap(),
        at: NOW,
        from: Stage::Healthy,
        to: Stage::Watch,
        cause: None,
        phase: None,
        pilot_step: None,
        sending: None,
        mode: Mode::Enforce,
        rule: "test".to_owned(),
        blame: None,
        evidence: None,
        reason: None,
        by: None,
        policy: String::new(),
        offset: Position { partition: PartitionId::new(0), offset: Offset::new(number) },
    }
}

/// `acme` has sent 30 mails in the last day, of which 3 bounced; nobody else is known to the scorer.
pub(crate) fn views() -> Views {
    Arc::new(|customer| {
        let mut counts = Counts::ZERO;
        (counts[Counter::Processed], counts[Counter::HardBounce]) = (30, 3);
        let windows = BTreeMap::from([(Window::Day, counts)]);
        let signals = [("hard_bounce", [3, 30]), ("block", [0, 30])].map(|(name, seen)| (name.to_owned(), seen));
        let hour = SeriesPoint { at: NOW - Millis::hours(2), mails: 30, signals: signals.into() };
        let view = (customer.as_str() == "acme").then(|| CustomerView {
            standing: standing("acme", Stage::Throttled, Some(100)),
            providers: BTreeMap::from([(Provider::Yahoo, windows.clone())]),
            windows,
            series: Series { hours: vec![hour], days: Vec::new() },
        });
        Box::pin(std::future::ready(Ok(view))) as Viewed
    })
}

/// The default policy, and a number that makes it another.
pub(crate) fn policy_text(number: u32) -> String {
    format!("{}\n# {number}\n", policy::DEFAULT)
}

/// What the scorer tells of the policy in force.
pub(crate) fn in_force() -> PolicyView {
    let change = PolicyChange {
        origin: PolicyOrigin::File,
        by: "weir".to_owned(),
        reason: "another file".to_owned(),
        file: Some("sha256:before".to_owned()),
    };
    let record = PolicyInForce { text: policy_text(1), since: NOW, change };
    PolicyView { digest: "sha256:before".to_owned(), record: Some(record) }
}

/// What the newest policy on the log says, as a scorer would tell; the default policy where there is none.
fn newest_policy(log: &dyn Log) -> Result<PolicyView, Unavailable> {
    let mut tail = log.tail(Topic::Events, Start::Earliest).unwrap();
    let mut view = PolicyView { digest: Policy::parse(&policy_text(1)).unwrap().digest().to_owned(), record: None };
    while !tail.caught_up() {
        for stored in tail.next(Duration::ZERO).unwrap() {
            if let decode::Decoded::Policy(policy, in_force) = decode::decode(&stored) {
                view = PolicyView { digest: policy.digest().to_owned(), record: Some(in_force) };
            }
        }
    }
    Ok(view)
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::in_mode(EnforcerMode::Enforce).await
    }

    pub(crate) async fn in_mode(mode: EnforcerMode) -> Self {
        Self::asking(mode, || Ok(in_force())).await
    }

    /// One whose scorer tells this of the policy in force.
    pub(crate) async fn asking(mode: EnforcerMode, policy_in_force: fn() -> Result<PolicyView, Unavailable>) -> Self {
        Self::built(mode, move |_| policy_in_force(), (&[], None), true).await
    }

    /// One that is told of the policy in force by its log.
    pub(crate) async fn told_by_its_log() -> Self {
        Self::built(EnforcerMode::Enforce, newest_policy, (&[], None), true).await
    }

    /// One that asks for tokens: there is one for each role, by the role's name.
    pub(crate) async fn guarded() -> Self {
        Self::built(EnforcerMode::Enforce, |_| Ok(in_force()), (&Role::ALL, None), true).await
    }

    /// One that asks for tokens, or is told by this proxy who somebody is.
    pub(crate) async fn behind(proxy: Proxy) -> Self {
        Self::built(EnforcerMode::Enforce, |_| Ok(in_force()), (&Role::ALL, Some(proxy)), true).await
    }

    /// One whose index never gets to the end of the log.
    pub(crate) async fn starting() -> Self {
        Self::built(EnforcerMode::Enforce, |_| Ok(in_force()), (&[], None), false).await
    }

    async fn built(
        mode: EnforcerMode,
        policy_in_force: impl Fn(&dyn Log) -> Result<PolicyView, Unavailable> + Send + Sync + 'static,
        (roles, proxy): (&[Role], Option<Proxy>),
        is_read: bool,
    ) -> Self {
        let (mut tokens, mut known) = (BTreeMap::new(), Vec::new());
        for role in roles {
            let (token, sha256) = new_token().unwrap();
            known.push(Token::new(role.name(), *role, &sha256).unwrap());
            tokens.insert(role.name().to_owned(), token);
        }
        let folder = tempfile::tempdir().unwrap();
        let count = PartitionCount::new(NonZeroU32::new(2).unwrap());
        let embedded = Arc::new(EmbeddedLog::open(Config::new(folder.path(), count)).unwrap());
        let log: Arc<dyn Log> = Arc::clone(&embedded) as _;
        let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
        let shutdown = CancellationToken::new();
        let seen = Arc::new(Broken { log: Arc::clone(&log), is_read: is_read.into(), is_written: true });
        let console_log: Arc<dyn Log> = Arc::clone(&seen) as _;
        let (index, mut readers) = Index::start(&console_log, &shutdown).unwrap();
        while is_read && !index.is_caught_up() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let ready = Ready::default();
        ready.ask(index.troubles());
        let told = GateConfig {
            instance: "here".to_owned(),
            modes: EnforcerModes::all(mode),
            home_pool: policy.pool(Stage::Healthy),
            unknown: console::Unknown::default(),
            views: views(),
            clock: Arc::new(|| NOW),
        };
        let (gate, gates_readers) = Gate::start(told, &log, &shutdown).unwrap();
        readers.extend(gates_readers);
        let (registry, readings) = (Registry::new(), Readings::until(shutdown.clone()));
        let admin = Admin {
            access: Access::new(known, proxy, &registry).unwrap(),
            index,
            views: views(),
            gate,
            explanations: Explanations::new(Arc::clone(&console_log), policy, readings.clone()),
            readings,
            reject_sources: Arc::new([RejectSource {
                name: "main".to_owned(),
                customer: CustomerRule::CustomArg("customer_id".to_owned()),
                rewrite: None,
            }]),
            log: console_log,
            policies: Policies::new(Arc::new({
                let log = Arc::clone(&log);
                move || Box::pin(std::future::ready(policy_in_force(log.as_ref()))) as PolicyViewed
            })),
            policy: Arc::new(Policy::parse(&policy_text(1)).unwrap()),
            probes: Probes { registry, ready: ready.clone() },
            clock: Arc::new(|| NOW),
        };
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), admin).await.unwrap();
        let address = server.local_addr();
        tokio::spawn(server.run(shutdown.clone()));
        Self { _folder: folder, log, seen, embedded, address, tokens, ready, shutdown, readers }
    }

    pub(crate) async fn put(&self, topic: Topic, customer: &str, value: Value) {
        let record = Record {
            kind: RecordKind::Output,
            at: NOW,
            key: Bytes::copy_from_slice(customer.as_bytes()),
            headers: Arc::new([]),
            value: Bytes::from(value.to_string()),
        };
        self.log.producer().append(vec![Append { topic, route: Route::ByKey, record }]).await.unwrap();
    }

    pub(crate) async fn stands(&self, name: &str, stage: Stage, daily_cap: Option<u32>) {
        let standing = standing(name, stage, daily_cap);
        self.put(Topic::Standings, name, serde_json::to_value(&standing).unwrap()).await;
        let in_force = Some(InForce::of(&standing));
        let case = CaseView { customer: standing.customer, stage, held: None, in_force };
        let key = EnforcementKey::Case(case.customer.clone()).to_string();
        self.put(Topic::Enforcement, &key, serde_json::to_value(case).unwrap()).await;
    }

    pub(crate) async fn decided(&self, name: &str, number: u64) {
        self.put(Topic::Decisions, name, serde_json::to_value(decision(name, number)).unwrap()).await;
    }

    /// As many decisions at once as are kept in memory, and more.
    pub(crate) async fn decided_often(&self, numbers: std::ops::Range<u64>) {
        let append = |number: u64| {
            let name = format!("c{number}");
            let value = Bytes::from(serde_json::to_vec(&decision(&name, number)).unwrap());
            let (kind, key, headers) = (RecordKind::Output, Bytes::from(name), Arc::new([]));
            let record = Record { kind, at: NOW, key, headers, value };
            Append { topic: Topic::Decisions, route: Route::ByKey, record }
        };
        self.log.producer().append(numbers.map(append).collect()).await.unwrap();
    }

    /// A person's command at the beginning of the log, and the decision that a scorer makes of it.
    pub(crate) async fn commanded(&self, name: &str) -> Decision {
        let customer = CustomerId::new(name).unwrap();
        let order = Order::SetStage { stage: Stage::Suspended };
        let command = Command { order, reason: "phishing".to_owned(), by: "ana".to_owned(), role: None };
        let record = Record {
            kind: RecordKind::Command,
            at: NOW,
            key: Bytes::copy_from_slice(name.as_bytes()),
            headers: Arc::new([]),
            value: serde_json::to_vec(&command).unwrap().into(),
        };
        self.log.producer().append(vec![Append { topic: Topic::Events, route: Route::ByKey, record }]).await.unwrap();
        let partition = log::partition_of(name.as_bytes(), self.log.partitions());
        let policy = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
        let mut fold = Fold::new(policy, partition, Partition::default());
        fold.begin_at(NOW);
        let mut store = MemoryStore::default();
        let Ok(applied) = fold.apply(&mut store, Offset::ZERO, Input::Command(&customer, command));
        let decision = applied.said.into_iter().find_map(|said| match said {
            Said::Decision(decision) => Some(decision),
            _ => None,
        });
        let decision = decision.unwrap();
        let record = Record {
            kind: RecordKind::Output,
            at: NOW,
            key: Bytes::copy_from_slice(name.as_bytes()),
            headers: Arc::new([]),
            value: serde_json::to_vec(&decision).unwrap().into(),
        };
        self.log
            .producer()
            .append(vec![Append { topic: Topic::Decisions, route: Route::ByKey, record }])
            .await
            .unwrap();
        decision
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("http://{}{path}", self.address)).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("http://{}{path}", self.address)).header("content-type", "application/json");
        let answer = request.body(body.to_owned()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    /// Asks until the answer is as wanted.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (_, answer) = self.get(path).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path}: {answer}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
