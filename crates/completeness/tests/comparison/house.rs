//! A log, a receiver that takes signed posts, a SendGrid that has counted, and a comparison that runs.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use completeness::seen::Places;
use completeness::tally::Progress;
use completeness::{Completeness, Config, Error, Source};
use log::embedded::EmbeddedLog;
use log::{Log, PartitionCount, Start, Topic};
use model::{CompletenessKey, CompletenessReport, Counter, CustomerId, Day, MailAccount, Millis, Timestamp};
use receiver::{CustomerRule, Receiver, SourceName};
use sendgrid::api::{ApiKey, Client};
use sendgrid::webhook::{VerificationKey, Verifier};
use simulator::platform::{Account, Placement, Truth};
use simulator::sendgrid::{Poster, Retries, SendGrid, Signer, World};
use telemetry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::mail::{self, Mail};

/// The source of the parent's mail.
pub(crate) const MAIN: &str = "main";
/// A subuser, and the source of its mail.
pub(crate) const ACME: &str = "acme";
const PATIENCE: Duration = Duration::from_secs(30);

/// The day of which is told.
pub(crate) fn day() -> Day {
    Day::of(Timestamp::from_seconds(1_790_000_000))
}

/// Waits for a condition.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it did not come to that");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

struct Running {
    registry: Registry,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

pub(crate) struct House {
    _folder: tempfile::TempDir,
    log: Arc<dyn Log>,
    pub(crate) sendgrid: SendGrid,
    posters: BTreeMap<&'static str, Poster>,
    now: Arc<AtomicI64>,
    running: Option<Running>,
    /// Ends the receiver.
    _receiver: tokio_util::sync::DropGuard,
}

impl House {
    /// Before the day.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let count = PartitionCount::new(NonZeroU32::new(3).unwrap());
        let log: Arc<dyn Log> =
            Arc::new(EmbeddedLog::open(log::embedded::Config::new(folder.path().join("log"), count)).unwrap());
        let subuser = Account {
            id: CustomerId::new(ACME).unwrap(),
            truth: Truth::Good,
            placement: Placement::Subuser(ACME.to_owned()),
            planned_mails: 0,
            bad_from: Timestamp::default(),
        };
        let sendgrid = SendGrid::start(World::of(&[subuser])).await.unwrap();
        let now = Arc::new(AtomicI64::new((day().start() - Millis::hours(1)).millis()));
        let end = CancellationToken::new();
        let posters = receive(&log, &now, &end).await;
        Self { _folder: folder, log, sendgrid, posters, now, running: None, _receiver: end.drop_guard() }
    }

    pub(crate) fn set(&self, now: Timestamp) {
        self.now.store(now.millis(), Ordering::SeqCst);
    }

    fn clock(now: &Arc<AtomicI64>) -> completeness::Clock {
        let now = Arc::clone(now);
        Arc::new(move || Timestamp::from_millis(now.load(Ordering::SeqCst)))
    }

    pub(crate) fn client(&self) -> Client {
        let mut config = sendgrid::api::Config::new(self.sendgrid.base_url(), ApiKey::new(self.sendgrid.api_key()));
        config.tries = 1;
        Client::new(config).unwrap()
    }

    /// Starts a comparison, and waits until it knows since when it counts.
    pub(crate) async fn start(&mut self) {
        let source = |name: &str, subuser| Source { name: name.to_owned(), account: MailAccount::of(subuser) };
        let mut config = Config::new(vec![source(MAIN, None), source(ACME, Some(ACME))]);
        config.keeping = Duration::from_millis(20);
        config.retry = Duration::from_millis(20);
        let (registry, shutdown) = (Registry::new(), CancellationToken::new());
        let clock = Self::clock(&self.now);
        let completeness = Completeness::new(config, self.client(), Arc::clone(&self.log), clock, &registry).unwrap();
        let task = tokio::spawn(completeness.run(shutdown.clone()));
        self.running = Some(Running { registry, shutdown, task });
        until(async || self.kept("tally:").len() == 2).await;
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

    /// SendGrid knows of it.
    pub(crate) fn happens(&self, subuser: Option<&str>, mail: &Mail) {
        let mut world = self.sendgrid.world();
        mail.0.iter().for_each(|event| world.tell(subuser, event));
    }

    /// SendGrid posts it, at the time of its latest event where that is later than now.
    pub(crate) async fn post(&self, source: &str, mail: &Mail) {
        let time = |event: &String| serde_json::from_str::<serde_json::Value>(event).unwrap()["timestamp"].as_i64();
        let latest = mail.0.iter().filter_map(time).max().unwrap_or_default();
        let latest = Timestamp::from_seconds(latest).millis();
        self.now.fetch_max(latest, Ordering::SeqCst);
        self.post_now(source, mail).await;
    }

    /// SendGrid posts it now, whenever it happened.
    pub(crate) async fn post_now(&self, source: &str, mail: &Mail) {
        if !mail.0.is_empty() {
            self.posters[source].post(&mail.0).await.unwrap();
        }
    }

    /// The day is over, and SendGrid's statistics have settled.
    pub(crate) fn compare_day(&self, day: Day) {
        self.set(day.end() + Millis::hours(6));
    }

    /// What was found, as soon as it is.
    pub(crate) async fn report(&self, account: &MailAccount, day: Day) -> CompletenessReport {
        let key = CompletenessKey { account: account.clone(), day }.to_string();
        until(async || !self.kept(&key).is_empty()).await;
        let report: CompletenessReport = serde_json::from_str(&self.kept(&key)[0].1).unwrap();
        let compared = mail::seconds(report.compared_at);
        // The metrics follow the record.
        until(async || self.metric("weir_completeness_compared_timestamp_seconds", account) >= Some(compared)).await;
        report
    }

    /// Waits until all that was posted so far is counted and kept.
    pub(crate) async fn is_kept(&self) {
        let ends = self.log.partitions().all();
        let ends: Places = ends.map(|p| (p, self.log.reach(Topic::Events, p).unwrap().end)).collect();
        until(async || {
            let kept = self.kept_bytes("tally-progress");
            let progress = kept.first().map(|(_, value)| postcard::from_bytes::<Progress>(&value[1..]).unwrap());
            progress.is_some_and(|progress| progress.places == ends)
        })
        .await;
    }

    /// The newest record of each key on the compacted topic that begins so, as text.
    pub(crate) fn kept(&self, prefix: &str) -> Vec<(String, String)> {
        let text = |value: Bytes| String::from_utf8_lossy(&value).into_owned();
        self.kept_bytes(prefix).into_iter().map(|(key, value)| (key, text(value))).collect()
    }

    fn kept_bytes(&self, prefix: &str) -> Vec<(String, Bytes)> {
        let mut tail = self.log.tail(Topic::Enforcement, Start::Earliest).unwrap();
        let mut kept = BTreeMap::new();
        while !tail.caught_up() {
            for stored in tail.next(PATIENCE).unwrap() {
                kept.insert(String::from_utf8(stored.record.key.to_vec()).unwrap(), stored.record.value);
            }
        }
        kept.into_iter().filter(|(key, _)| key.starts_with(prefix)).collect()
    }

    pub(crate) fn gap(&self, account: &MailAccount, kind: Counter) -> f64 {
        let account = account.to_string();
        self.value("weir_completeness_gap_ratio", &[("account", &account), ("kind", kind.name())]).unwrap()
    }

    pub(crate) fn metric(&self, name: &str, account: &MailAccount) -> Option<f64> {
        self.value(name, &[("account", &account.to_string())])
    }

    fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let families = self.running.as_ref()?.registry.gather();
        let mut metrics = families.iter().filter(|family| family.name() == name).flat_map(|family| family.get_metric());
        let matches = |metric: &&telemetry::proto::Metric| {
            let has = |(name, value): &(&str, &str)| {
                metric.get_label().iter().any(|label| label.name() == *name && label.value() == *value)
            };
            labels.iter().all(has)
        };
        metrics.find(matches).map(|metric| metric.get_gauge().get_value() + metric.get_counter().get_value())
    }
}

/// A receiver for both sources, and who posts to it.
async fn receive(log: &Arc<dyn Log>, now: &Arc<AtomicI64>, end: &CancellationToken) -> BTreeMap<&'static str, Poster> {
    let (mut sources, mut signers) = (Vec::new(), BTreeMap::new());
    for (name, customer) in [
        (MAIN, CustomerRule::CustomArg("customer_id".to_owned())),
        (ACME, CustomerRule::Fixed(CustomerId::new(ACME).unwrap())),
    ] {
        let signer = Arc::new(Signer::generate().unwrap());
        let key = VerificationKey::from_base64(&signer.public_key()).unwrap();
        let verifier = Verifier::new(vec![key]).unwrap();
        sources.push(receiver::Source { name: SourceName::new(name).unwrap(), verifier, customer });
        signers.insert(name, signer);
    }
    let config = receiver::Config::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let clock = House::clock(now);
    let receiver = Receiver::bind(config, sources, log.producer(), clock, &Registry::new()).await.unwrap();
    let address = receiver.local_addr();
    tokio::spawn(receiver.run(end.clone()));
    let poster = |(name, signer)| {
        let url = format!("http://{address}/webhooks/sendgrid/{name}");
        (name, Poster::new(&url, signer, Retries::default(), House::clock(now)).unwrap())
    };
    signers.into_iter().map(poster).collect()
}
