//! A process that serves mailers, and what they ask it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use console::{Gate, GateConfig, Server, Unavailable, Unknown, Viewed, Views};
use log::embedded::{Config, EmbeddedLog};
use log::{Append, Log, PartitionCount, Record, RecordKind, Route, Topic};
use model::{
    CaseView, Counter, Counts, CustomerId, CustomerView, EnforcementKey, EnforcerMode, EnforcerModes, InForce, Phase,
    PoolName, Sending, Series, Stage, Standing, Timestamp, Window,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// 13:33:20 in UTC.
pub(crate) const NOW: i64 = 1_790_000_000;
pub(crate) const DAY: i64 = 86_400;
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn open(folder: &Path) -> Arc<dyn Log> {
    let count = PartitionCount::new(NonZeroU32::new(2).unwrap());
    Arc::new(EmbeddedLog::open(Config::new(folder, count)).unwrap())
}

pub(crate) fn standing(name: &str, stage: Stage, daily_cap: Option<u32>) -> Standing {
    Standing {
        pool: Some(PoolName::new(if stage >= Stage::Quarantined { "quarantine" } else { "good-1" })),
        ..Standing::at(CustomerId::new(name).unwrap(), stage, daily_cap, Timestamp::from_seconds(NOW))
    }
}

/// The same customer in another phase.
pub(crate) fn in_phase(phase: Phase, standing: Standing) -> Standing {
    let sending = Sending::of(phase, standing.stage, standing.daily_cap);
    Standing { phase, sending, ..standing }
}

/// The scorer says where a customer stands, and the enforcer lets it through.
pub(crate) async fn say(log: &Arc<dyn Log>, standing: Standing) {
    say_only(log, &standing).await;
    let_through(log, &standing).await;
}

/// The scorer says where a customer stands.
pub(crate) async fn say_only(log: &Arc<dyn Log>, standing: &Standing) {
    let key = standing.customer.as_str().to_owned();
    append(log, Topic::Standings, key, serde_json::to_vec(standing).unwrap()).await;
}

/// The enforcer lets a standing through: of a customer that is where the healthy are, it forgets what there was.
pub(crate) async fn let_through(log: &Arc<dyn Log>, standing: &Standing) {
    let case = CaseView {
        customer: standing.customer.clone(),
        stage: standing.stage,
        held: None,
        in_force: Some(InForce::of(standing)),
    };
    let is_home = standing.severity() <= Stage::Watch;
    let value = if is_home { Vec::new() } else { serde_json::to_vec(&case).unwrap() };
    append(log, Topic::Enforcement, EnforcementKey::Case(case.customer).to_string(), value).await;
}

async fn append(log: &Arc<dyn Log>, topic: Topic, key: String, value: Vec<u8>) {
    let at = Timestamp::from_seconds(NOW);
    let record = Record { kind: RecordKind::Output, at, key: key.into(), headers: Arc::new([]), value: value.into() };
    log.producer().append(vec![Append { topic, route: Route::ByKey, record }]).await.unwrap();
}

/// A process that serves mailers.
pub(crate) struct Process {
    gate: Gate,
    readers: Vec<JoinHandle<()>>,
    address: SocketAddr,
    /// Seconds since the epoch.
    pub(crate) clock: Arc<AtomicI64>,
    shutdown: CancellationToken,
    client: reqwest::Client,
}

impl Process {
    /// One called `name` over `log`, which has read what is there.
    pub(crate) async fn start(log: &Arc<dyn Log>, name: &str) -> Self {
        let process = Self::start_in(EnforcerMode::Enforce, log, name).await;
        process.caught_up().await
    }

    /// Once it has read what is there.
    pub(crate) async fn caught_up(self) -> Self {
        let deadline = Instant::now() + PATIENCE;
        while !self.gate.is_caught_up() {
            assert!(Instant::now() < deadline, "the log is not read");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self
    }

    pub(crate) async fn start_in(mode: EnforcerMode, log: &Arc<dyn Log>, name: &str) -> Self {
        Self::start_with(mode, log, (name, Unknown::default())).await
    }

    /// With what customers may send that Weir does not know.
    pub(crate) async fn start_with(mode: EnforcerMode, log: &Arc<dyn Log>, (name, unknown): (&str, Unknown)) -> Self {
        let clock = Arc::new(AtomicI64::new(NOW));
        let time = Arc::clone(&clock);
        let config = GateConfig {
            instance: name.to_owned(),
            modes: EnforcerModes::all(mode),
            home_pool: Some(PoolName::new("good-1")),
            unknown,
            views: views(),
            clock: Arc::new(move || Timestamp::from_seconds(time.load(Ordering::Relaxed))),
        };
        let shutdown = CancellationToken::new();
        let (gate, readers) = Gate::start(config, log, &shutdown).unwrap();
        let server = Server::bind_gate("127.0.0.1:0".parse().unwrap(), gate.clone()).await.unwrap();
        let address = server.local_addr();
        tokio::spawn(server.run(shutdown.clone()));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { gate, readers, address, clock, shutdown, client }
    }

    async fn answered(request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        if status == 503 {
            assert_eq!(answer.headers()["retry-after"], "1");
        }
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        Self::answered(self.client.get(format!("http://{}{path}", self.address))).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let request = self.client.post(format!("http://{}{path}", self.address));
        Self::answered(request.header("content-type", "application/json").body(body.to_owned())).await
    }

    pub(crate) async fn route(&self, name: &str) -> Value {
        let (status, answer) = self.get(&format!("/v1/customers/{name}/route")).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub(crate) async fn admit(&self, name: &str, messages: u32) -> Value {
        let body = json!({ "messages": messages }).to_string();
        let (status, answer) = self.post(&format!("/v1/customers/{name}/admit"), &body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub(crate) async fn granted(&self, name: &str, messages: u32) -> u64 {
        self.admit(name, messages).await["granted"].as_u64().unwrap()
    }

    /// What is granted, one by one, until nothing is.
    pub(crate) async fn drained(&self, name: &str) -> u64 {
        let mut sum = 0;
        while self.granted(name, 1).await == 1 {
            sum += 1;
        }
        sum
    }

    /// Waits until the route is as wanted.
    pub(crate) async fn until(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (_, answer) = self.get(&format!("/v1/customers/{name}/route")).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{answer}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Is killed: nothing is handed back.
    pub(crate) async fn dies(mut self) {
        self.shutdown.cancel();
        for reader in std::mem::take(&mut self.readers) {
            tokio::task::spawn_blocking(move || reader.join()).await.unwrap().unwrap();
        }
    }

    pub(crate) async fn ends(self) {
        self.gate.hand_back().await.unwrap();
        let (status, problem) = self.post("/v1/customers/throttled/admit", r#"{"messages":1}"#).await;
        assert_eq!(status, 503, "it grants nothing more: {problem}");
        self.dies().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// `busy` has sent 30 mails in the last day; of the others the scorer is somewhere else.
fn views() -> Views {
    Arc::new(|customer| {
        let mut counts = Counts::ZERO;
        counts[Counter::Processed] = 30;
        let view = (customer.as_str() == "busy").then(|| CustomerView {
            standing: standing("busy", Stage::Throttled, Some(100)),
            windows: BTreeMap::from([(Window::Day, counts)]),
            providers: BTreeMap::new(),
            series: Series::default(),
        });
        Box::pin(std::future::ready(view.map(Some).ok_or(Unavailable::Busy))) as Viewed
    })
}

/// A log with customers at every stage, and one called `throttled` that may send `cap` mails a day.
pub(crate) async fn with_cap(folder: &Path, cap: u32) -> Arc<dyn Log> {
    let log = open(folder);
    for stage in Stage::ALL {
        say(&log, standing(stage.name(), stage, None)).await;
    }
    for name in ["throttled", "busy"] {
        say(&log, standing(name, Stage::Throttled, Some(cap))).await;
    }
    log
}
