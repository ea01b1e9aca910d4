//! A receiver on a port of its own, over an embedded log in a directory of its own.

pub(crate) mod client;
pub(crate) mod gate;
pub(crate) mod post;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use log::embedded::EmbeddedLog;
use log::{Log, PartitionCount, Producer, Record, Start, Topic};
use model::Timestamp;
use receiver::{Config, CustomerRule, Receiver, Source, SourceName};
use sendgrid::webhook::Verifier;
use serde_json::Value;
use telemetry::Registry;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use client::Reply;
use post::{Post, Signer};

/// What the receiver's clock shows, in Unix seconds.
pub(crate) const NOW: i64 = 1_795_000_000;
/// The source of every receiver here.
pub(crate) const SOURCE: &str = "main";
/// How long anything here may take that is expected to happen.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// One event, of a customer named by the argument that the sources here go by.
pub(crate) const GOOD: &[u8] =
    br#"[{"email":"jo@example.org","timestamp":1795000000,"event":"delivered","sg_event_id":"good","customer_id":"acme"}]"#;

/// How a receiver is to be set up.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) customer: CustomerRule,
    /// Those whose signatures are good.
    pub(crate) signers: Vec<Arc<Signer>>,
    /// Sources beside [`SOURCE`], of the same keys.
    pub(crate) further_sources: Vec<&'static str>,
    /// Where a receiver before it has left its log.
    pub(crate) dir: Option<TempDir>,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self {
            config: Config::new(([127, 0, 0, 1], 0).into()),
            customer: CustomerRule::CustomArg("customer_id".to_owned()),
            signers: vec![Arc::new(Signer::new())],
            further_sources: Vec::new(),
            dir: None,
        }
    }

    pub(crate) async fn start(self) -> Rig {
        self.start_with(|log| log).await
    }

    /// Starts it with what `before` puts between the receiver and its log.
    pub(crate) async fn start_with(self, before: impl FnOnce(Arc<dyn Producer>) -> Arc<dyn Producer>) -> Rig {
        let dir = self.dir.unwrap_or_else(|| tempfile::tempdir().unwrap());
        let log = Arc::new(open(&dir));
        let registry = Registry::new();
        let source = |name: &str| Source {
            name: SourceName::new(name).unwrap(),
            verifier: Verifier::new(self.signers.iter().map(|signer| signer.verification_key()).collect()).unwrap(),
            customer: self.customer.clone(),
        };
        let sources = [SOURCE].into_iter().chain(self.further_sources).map(source).collect();
        let clock = Arc::new(|| Timestamp::from_seconds(NOW));
        let bound = Receiver::bind(self.config, sources, before(log.producer()), clock, &registry).await.unwrap();
        let address = bound.local_addr();
        let shutdown = CancellationToken::new();
        bound.preload(Arc::<EmbeddedLog>::clone(&log), shutdown.clone()).await.unwrap();
        let running = tokio::spawn(bound.run(shutdown.clone()));
        Rig { address, log, registry, signer: Arc::clone(&self.signers[0]), shutdown, running, dir }
    }
}

/// A running receiver.
pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) log: Arc<EmbeddedLog>,
    pub(crate) registry: Registry,
    pub(crate) signer: Arc<Signer>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) running: JoinHandle<Result<(), receiver::Error>>,
    pub(crate) dir: TempDir,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Setup::new().start().await
    }

    /// Sends `post` on a connection of its own.
    pub(crate) async fn send(&self, post: &Post) -> Reply {
        client::exchange(self.address, &post.bytes()).await
    }

    /// Posts `body`, signed.
    pub(crate) async fn post(&self, body: impl AsRef<[u8]>) -> Reply {
        self.send(&self.signed(body)).await
    }

    /// A POST of `body` with a good signature.
    pub(crate) fn signed(&self, body: impl AsRef<[u8]>) -> Post {
        Post::signed(&self.signer, body.as_ref())
    }

    pub(crate) fn records(&self, topic: Topic) -> Vec<Record> {
        records(&self.log, topic)
    }

    /// The values of the stored events.
    pub(crate) fn events(&self) -> Vec<String> {
        texts(&self.records(Topic::Events))
    }

    /// The values of the rejects.
    pub(crate) fn rejects(&self) -> Vec<String> {
        texts(&self.records(Topic::Rejects))
    }

    /// The reason of each reject.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let rejects = self.records(Topic::Rejects);
        rejects.iter().map(|reject| text(reject.header("reason").unwrap())).collect()
    }

    /// Says that `post` is refused as `error` with `status` and leaves nothing in the log, and that a good POST behind it
    /// is taken.
    pub(crate) async fn refuses(&self, post: &Post, status: u16, error: &str) -> Reply {
        let reply = self.send(post).await;
        assert_refused(&reply, status, error);
        assert_eq!(self.events(), Vec::<String>::new());
        assert_eq!(self.rejects(), Vec::<String>::new());
        self.is_well().await;
        reply
    }

    /// Says that the signed `body` is refused as no batch and kept whole among the rejects, and that a good POST behind it
    /// is taken.
    pub(crate) async fn sets_aside(&self, body: &[u8], reason: &str) {
        let reply = self.post(body).await;
        assert_refused(&reply, 400, "no_events");
        assert_eq!(self.events(), Vec::<String>::new());
        let [reject] = &self.records(Topic::Rejects)[..] else { panic!("one reject was expected") };
        assert_eq!(reject.value, body);
        assert_eq!(reject.header("source").map(text).as_deref(), Some(SOURCE));
        assert!(self.reasons()[0].contains(reason), "{:?}", self.reasons());
        self.is_well().await;
    }

    /// Says that of the signed `body` so many were accepted and rejected, and that a good POST behind it is taken.
    pub(crate) async fn takes(&self, body: impl AsRef<[u8]>, accepted: usize, rejected: usize) {
        assert_taken(&self.post(body).await, accepted, rejected);
        assert_eq!((self.events().len(), self.rejects().len()), (accepted, rejected));
        self.is_well().await;
    }

    /// Says that a good POST is taken and no bytes are in flight.
    pub(crate) async fn is_well(&self) {
        let before = self.events().len();
        assert_taken(&self.post(another()).await, 1, 0);
        assert_eq!(self.events().len(), before + 1);
        self.comes_to("weir_receiver_in_flight_bytes", &[], 0.0).await;
    }

    /// The value of a counter or gauge; 0 where it was never touched.
    pub(crate) fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let families = self.registry.gather();
        let metrics = families.iter().filter(|family| family.name() == name).flat_map(|family| family.get_metric());
        let has = |metric: &telemetry::proto::Metric, (label, value): &(&str, &str)| {
            metric.get_label().iter().any(|pair| pair.name() == *label && pair.value() == *value)
        };
        let mut fitting = metrics.filter(|metric| labels.iter().all(|label| has(metric, label)));
        fitting.next().map_or(0.0, |metric| metric.get_counter().get_value() + metric.get_gauge().get_value())
    }

    /// Waits until a counter or gauge shows `value`.
    pub(crate) async fn comes_to(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        let reached = async {
            while (self.metric(name, labels) - value).abs() > f64::EPSILON {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = tokio::time::timeout(SOON, reached).await;
        assert!(waited.is_ok(), "{name} came to {}, not to {value}", self.metric(name, labels));
    }

    /// Ends the receiver and the log.
    pub(crate) async fn stop(self) -> TempDir {
        self.shutdown.cancel();
        tokio::time::timeout(SOON, self.running).await.unwrap().unwrap().unwrap();
        self.dir
    }
}

/// [`GOOD`] under an id that no other has.
pub(crate) fn another() -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    text(GOOD).replace("\"good\"", &format!("\"good-{number}\""))
}

/// Says that `reply` is the one for a batch that is durable.
#[track_caller]
pub(crate) fn assert_taken(reply: &Reply, accepted: usize, rejected: usize) {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json(), serde_json::json!({ "accepted": accepted, "rejected": rejected }));
}

/// Says that `reply` refuses, in the one shape that refusals have.
#[track_caller]
pub(crate) fn assert_refused(reply: &Reply, status: u16, error: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let json = reply.json();
    assert_eq!(json.get("error").and_then(Value::as_str), Some(error), "{reply:?}");
    let detail = json.get("detail").and_then(Value::as_str).unwrap();
    assert!((20..200).contains(&detail.len()), "{detail}");
}

/// Opens the log in `dir`.
pub(crate) fn open(dir: &TempDir) -> EmbeddedLog {
    let partitions = PartitionCount::new(NonZeroU32::new(4).unwrap());
    EmbeddedLog::open(log::embedded::Config::new(dir.path().join("log"), partitions)).unwrap()
}

/// Everything in `topic`, by partition and offset.
pub(crate) fn records(log: &EmbeddedLog, topic: Topic) -> Vec<Record> {
    let mut tail = log.tail(topic, Start::Earliest).unwrap();
    let mut found = Vec::new();
    while !tail.caught_up() {
        found.extend(tail.next(SOON).unwrap());
    }
    found.sort_by_key(|stored| (stored.position.partition, stored.position.offset));
    found.into_iter().map(|stored| stored.record).collect()
}

fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| text(&record.value)).collect()
}

pub(crate) fn text(bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(bytes.as_ref()).into_owned()
}
