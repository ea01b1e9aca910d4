//! The receiver over loopback against its floor: verify, split, append the same bytes to the same log, without HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use log::embedded::{Config, EmbeddedLog};
use log::{Append, Headers, Log, PartitionCount, Producer, Record, RecordKind, Route, Topic};
use model::Timestamp;
use receiver::{CustomerRule, Receiver, Source, SourceName};
use sendgrid::webhook::{SIGNATURE_HEADER, TIMESTAMP_HEADER, VerificationKey, Verifier, split};
use simulator::sendgrid::{Poster, Signer};
use telemetry::Registry;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::events;
use crate::timing::{count, median};

pub(crate) const EVENTS: usize = 1_500;
pub(crate) const BATCHES: usize = 120;
/// Batches at once, on both sides.
const AT_ONCE: usize = 8;
const ROUNDS: usize = 5;

/// A batch that is signed for both sides.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) body: Bytes,
    pub(crate) timestamp: String,
    pub(crate) signature: String,
    /// The customer of each event, known to the floor beforehand.
    pub(crate) keys: Arc<[Bytes]>,
}

pub(crate) fn run() -> anyhow::Result<Vec<Vec<String>>> {
    tokio::runtime::Runtime::new()?.block_on(compare())
}

async fn compare() -> anyhow::Result<Vec<Vec<String>>> {
    let signer = Arc::new(Signer::generate()?);
    let batches = batches(&signer, BATCHES)?;
    let (mut floors, mut received) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        floors.push(floor(folder.path(), &signer, &batches).await?);
        let folder = tempfile::tempdir()?;
        received.push(receive(folder.path(), &signer, &batches).await?);
    }
    let (floor, received) = (median(floors), median(received));
    let bytes: usize = batches.iter().map(|batch| batch.body.len()).sum();
    let row = |name: &str, time: Duration| {
        let events = count(EVENTS * BATCHES) / time.as_secs_f64();
        vec![name.to_owned(), format!("{events:.0}"), format!("{:.0}", count(bytes) / 1e6 / time.as_secs_f64())]
    };
    let ratio = format!("{:.2} (wanted: 0.5)", floor.as_secs_f64() / received.as_secs_f64());
    Ok(vec![
        vec![format!("{BATCHES} batches of {} KB", bytes / BATCHES / 1_000), "events/s".to_owned(), "MB/s".to_owned()],
        row("floor: verify, split, append with fsync", floor),
        row("receiver: HTTP, verify, split, parse, attribute, append with fsync", received),
        vec!["ratio".to_owned(), ratio, String::new()],
    ])
}

/// So many batches, in which no event comes twice but where the platform sends one twice.
pub(crate) fn batches(signer: &Signer, wanted: usize) -> anyhow::Result<Vec<Signed>> {
    // More than two events are a mail's.
    let raw = events::raw(300, wanted * EVENTS / 2);
    let mut batches = Vec::with_capacity(wanted);
    for events in raw.chunks_exact(EVENTS).take(wanted) {
        let body = Bytes::from(Poster::body(events));
        let timestamp = events::START.seconds().to_string();
        let signature = signer.sign(&timestamp, &body)?;
        let keys = events::records(events)?.into_iter().map(|stored| stored.record.key).collect();
        batches.push(Signed { body, timestamp, signature, keys });
    }
    anyhow::ensure!(batches.len() == wanted, "only {} batches of {wanted} came about", batches.len());
    Ok(batches)
}

fn open(folder: &Path) -> anyhow::Result<Arc<dyn Log>> {
    let count = PartitionCount::new(NonZeroU32::new(4).context("four")?);
    Ok(Arc::new(EmbeddedLog::open(Config::new(folder, count))?))
}

async fn floor(folder: &Path, signer: &Signer, batches: &[Signed]) -> anyhow::Result<Duration> {
    let log = open(folder)?;
    let verifier = Arc::new(Verifier::new(vec![VerificationKey::from_base64(&signer.public_key())?])?);
    let producer = log.producer();
    all_at_once(batches, AT_ONCE, move |batch| {
        let (verifier, producer) = (Arc::clone(&verifier), Arc::clone(&producer));
        async move { floor_of_one(&verifier, producer.as_ref(), batch).await }
    })
    .await
}

async fn floor_of_one(verifier: &Verifier, producer: &dyn Producer, batch: Signed) -> anyhow::Result<()> {
    verifier.verify(batch.timestamp.as_bytes(), batch.signature.as_bytes(), &batch.body)?;
    let headers: Headers = Arc::new([(Box::from("source"), Bytes::from_static(b"bench"))]);
    let record = |(element, key): (&[u8], &Bytes)| Append {
        topic: Topic::Events,
        route: Route::ByKey,
        record: Record {
            kind: RecordKind::Event,
            at: Timestamp::default(),
            key: key.clone(),
            headers: Arc::clone(&headers),
            value: batch.body.slice_ref(element),
        },
    };
    let records = split(&batch.body, usize::MAX)?.into_iter().zip(batch.keys.iter()).map(record).collect();
    Ok(producer.append(records).await?)
}

async fn receive(folder: &Path, signer: &Signer, batches: &[Signed]) -> anyhow::Result<Duration> {
    receive_into(&open(folder)?, signer, batches, AT_ONCE).await
}

/// How long a receiver takes to get all batches into `log`.
pub(crate) async fn receive_into(
    log: &Arc<dyn Log>,
    signer: &Signer,
    batches: &[Signed],
    at_once: usize,
) -> anyhow::Result<Duration> {
    let running = Running::start(log, signer).await?;
    let (client, url) = (running.client.clone(), running.url.clone());
    let took = all_at_once(batches, at_once, move |batch| post(client.clone(), url.clone(), batch)).await?;
    running.stop().await?;
    Ok(took)
}

/// A receiver that listens.
pub(crate) struct Running {
    pub(crate) client: reqwest::Client,
    pub(crate) url: String,
    shutdown: CancellationToken,
    serving: tokio::task::JoinHandle<Result<(), receiver::Error>>,
}

impl Running {
    pub(crate) async fn start(log: &Arc<dyn Log>, signer: &Signer) -> anyhow::Result<Self> {
        let verifier = Verifier::new(vec![VerificationKey::from_base64(&signer.public_key())?])?;
        let customer = CustomerRule::CustomArg("customer_id".to_owned());
        let source = Source { name: SourceName::new("bench")?, verifier, customer };
        let config = receiver::Config::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let clock: receiver::Clock = Arc::new(|| events::START);
        let receiver = Receiver::bind(config, vec![source], log.producer(), clock, &Registry::new()).await?;
        let url = format!("http://{}/webhooks/sendgrid/bench", receiver.local_addr());
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(receiver.run(shutdown.clone()));
        // The signatures are made beforehand, so that signing is not what is measured.
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { client, url, shutdown, serving })
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        Ok(self.serving.await??)
    }
}

pub(crate) async fn post(client: reqwest::Client, url: String, batch: Signed) -> anyhow::Result<()> {
    let request = client
        .post(url)
        .header(SIGNATURE_HEADER, batch.signature)
        .header(TIMESTAMP_HEADER, batch.timestamp)
        .body(batch.body);
    request.send().await?.error_for_status()?;
    Ok(())
}

/// How long all batches take, some of them at once.
async fn all_at_once<F>(batches: &[Signed], at_once: usize, work: impl Fn(Signed) -> F) -> anyhow::Result<Duration>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let began = Instant::now();
    let mut running = JoinSet::new();
    for batch in batches {
        if running.len() >= at_once
            && let Some(done) = running.join_next().await
        {
            done??;
        }
        running.spawn(work(batch.clone()));
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(began.elapsed())
}
