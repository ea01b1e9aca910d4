//! Over a real Kafka: receiver and scorer against bare clients of librdkafka, and the time from a POST to its decision.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use broker::Cluster;
use bytes::Bytes;
use log::kafka::{Config, KafkaLog, Replication, create_topics};
use log::{Log, PartitionCount, Start, Topic, partition_of};
use policy::Policy;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use scorer::store::Budget;
use scorer::{Scorer, Troubles};
use sendgrid::webhook::WebhookEvent;
use simulator::sendgrid::{Poster, Signer};
use telemetry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::events;
use crate::receiver::{EVENTS, Running, Signed, batches, post, receive_into};
use crate::timing::{count, median, rate, ratio, show};

const PARTITIONS: u32 = 4;
const ROUNDS: usize = 5;
/// Longer than the simulated hour is ago.
const RETENTION: u64 = 100 * 365 * 86_400_000;
/// POSTs at once: an acknowledgement takes its time, and SendGrid does not wait for one POST before the next.
const AT_ONCE: usize = 32;
/// Batches that are received, and that the scorer reads: each event of them is new.
const BACKLOG: usize = 600;
/// Batches beside which decisions are made, so that these are new, too, for as long as it takes.
const BESIDE: usize = 1_000;
/// Decisions that are waited for.
const SAMPLES: usize = 200;

/// Shows each table as soon as it is there: together they take some minutes.
pub(crate) fn run() -> anyhow::Result<()> {
    let cluster = Cluster::start(1);
    let runtime = tokio::runtime::Runtime::new()?;
    let signer = Arc::new(Signer::generate()?);
    let batches = batches(&signer, BESIDE)?;
    let (producing, live) = runtime.block_on(produce(&cluster, &signer, &batches[..BACKLOG]))?;
    show("receiver to Kafka, against a bare producer of the same records", &producing);
    let consuming = runtime.block_on(consume(&cluster, &signer, &batches[..BACKLOG]))?;
    show("Kafka to verdicts, against a bare consumer that only parses", &consuming);
    let latency = runtime.block_on(decide(&cluster, &signer, &batches, live / 2.0))?;
    show("from POST to the decision on its topic, at half the receiver's load", &latency);
    Ok(())
}

/// A log of its own for each measurement.
async fn open(cluster: &Cluster, prefix: String) -> anyhow::Result<(Config, Arc<dyn Log>)> {
    let count = PartitionCount::new(NonZeroU32::new(PARTITIONS).context("four")?);
    let mut config = Config::new(cluster.addresses(), count);
    config.prefix = prefix;
    let replication = Replication { factor: 1, min_in_sync: 1, retention_millis: RETENTION };
    create_topics(&config, replication).await?;
    let opening = config.clone();
    let log = tokio::task::spawn_blocking(move || KafkaLog::open(opening)).await??;
    Ok((config, Arc::new(log)))
}

async fn produce(cluster: &Cluster, signer: &Signer, batches: &[Signed]) -> anyhow::Result<(Vec<Vec<String>>, f64)> {
    let (mut floors, mut received) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (config, _log) = open(cluster, format!("floor-{round}.")).await?;
        let sent = batches.to_vec();
        floors.push(tokio::task::spawn_blocking(move || send_bare(&config, &sent)).await??);
        let (_, log) = open(cluster, format!("receiver-{round}.")).await?;
        received.push(receive_into(&log, signer, batches, AT_ONCE).await?);
    }
    let ratio = ratio(&floors, &received, 0.6);
    let (floor, received) = (median(floors), median(received));
    let events = EVENTS * batches.len();
    let row = |name: &str, time| vec![name.to_owned(), format!("{:.0}", rate(events, time))];
    let table = vec![
        vec![format!("{} batches of {EVENTS} events, one broker", batches.len()), "events/s".to_owned()],
        row("floor: librdkafka, acks=all, idempotent", floor),
        row("receiver: HTTP, verify, split, parse, attribute, acknowledged", received),
        vec!["ratio".to_owned(), ratio],
    ];
    Ok((table, rate(events, received)))
}

/// Sends the records with a client of librdkafka and waits for all acknowledgements.
fn send_bare(config: &Config, batches: &[Signed]) -> anyhow::Result<Duration> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &config.brokers)
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("queue.buffering.max.messages", "1000000")
        .create()?;
    let topic = format!("{}events", config.prefix);
    let split = |batch: &Signed| -> anyhow::Result<Vec<Bytes>> {
        let elements = sendgrid::webhook::split(&batch.body, usize::MAX)?;
        Ok(elements.into_iter().map(|element| batch.body.slice_ref(element)).collect())
    };
    let values = batches.iter().map(split).collect::<anyhow::Result<Vec<_>>>()?;
    let began = Instant::now();
    for (batch, values) in batches.iter().zip(&values) {
        for (key, value) in batch.keys.iter().zip(values) {
            let partition = i32::try_from(partition_of(key, config.partitions).get())?;
            let headers = OwnedHeaders::new_with_capacity(2)
                .insert(Header { key: "weir-type", value: Some("event") })
                .insert(Header { key: "source", value: Some("bench") });
            let mut record = BaseRecord::to(&topic)
                .partition(partition)
                .key(key.as_ref())
                .payload(value.as_ref())
                .timestamp(events::START.millis())
                .headers(headers);
            while let Err((error, unsent)) = producer.send(record) {
                anyhow::ensure!(error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull), error);
                producer.poll(Duration::from_millis(1));
                record = unsent;
            }
        }
        producer.poll(Duration::ZERO);
    }
    producer.flush(Duration::from_secs(60))?;
    Ok(began.elapsed())
}

async fn consume(cluster: &Cluster, signer: &Signer, batches: &[Signed]) -> anyhow::Result<Vec<Vec<String>>> {
    let (mut floors, mut folds, mut records) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let (config, log) = open(cluster, format!("consumer-{round}.")).await?;
        receive_into(&log, signer, batches, AT_ONCE).await?;
        records = EVENTS * batches.len();
        let bare = config.clone();
        floors.push(tokio::task::spawn_blocking(move || read_bare(&bare, records)).await??);
        folds.push(score(&log, records).await?);
    }
    let ratio = ratio(&floors, &folds, 0.4);
    let (floor, fold) = (median(floors), median(folds));
    let row = |name: &str, time| vec![name.to_owned(), format!("{:.0}", rate(records, time))];
    let per_second = rate(records, fold);
    Ok(vec![
        vec![format!("{records} events, all new, {PARTITIONS} partitions"), "events/s".to_owned()],
        row("floor: librdkafka, parse", floor),
        row("scorer: read, parse, de-duplicate, count, judge, commit, publish", fold),
        vec!["ratio".to_owned(), ratio],
        vec!["catching up, times 5,000 events/s".to_owned(), format!("{:.0} (wanted: 5)", per_second / 5_000.0)],
    ])
}

/// Reads the records with a client of librdkafka, and parses them.
fn read_bare(config: &Config, records: usize) -> anyhow::Result<Duration> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &config.brokers)
        .set("group.id", "bare")
        .set("enable.auto.commit", "false")
        .set("check.crcs", "true")
        .set("fetch.queue.backoff.ms", "5")
        .create()?;
    let mut all = TopicPartitionList::new();
    for partition in 0..i32::try_from(PARTITIONS)? {
        all.add_partition_offset(&format!("{}events", config.prefix), partition, Offset::Beginning)?;
    }
    consumer.assign(&all)?;
    let (mut began, mut read) = (None, 0);
    while read < records {
        let Some(message) = consumer.poll(Duration::from_secs(10)) else { anyhow::bail!("only {read} records came") };
        began.get_or_insert_with(Instant::now);
        let message = message?;
        let event = WebhookEvent::parse(message.payload().unwrap_or_default()).context("an event")?;
        std::hint::black_box(event.to_event());
        read += 1;
    }
    Ok(began.map(|began| began.elapsed()).unwrap_or_default())
}

/// A scorer of `log` on a state of its own.
struct Scoring {
    _state: tempfile::TempDir,
    registry: Registry,
    troubles: Troubles,
    running: JoinHandle<Result<(), scorer::Error>>,
    shutdown: CancellationToken,
}

impl Scoring {
    fn start(log: &Arc<dyn Log>) -> anyhow::Result<Self> {
        let state = tempfile::tempdir()?;
        let (registry, shutdown) = (Registry::new(), CancellationToken::new());
        let config = scorer::Config {
            state: state.path().to_owned(),
            budget: Budget::default(),
            checkpoints: None,
            checkpoint_interval: Duration::from_secs(300),
            grace: Duration::from_secs(3_600),
            tracing: telemetry::Tracing::default(),
        };
        let policy = Arc::new(Policy::parse(policy::DEFAULT)?);
        let clock: scorer::Clock = Arc::new(|| events::START);
        let scorer = Scorer::start(config, log, policy, (&registry, &clock), shutdown.clone())?;
        let (troubles, running) = (scorer.troubles(), tokio::spawn(scorer.ended()));
        Ok(Self { _state: state, registry, troubles, running, shutdown })
    }

    /// How many records it has taken.
    fn taken(&self) -> usize {
        let families = self.registry.gather();
        let records = families.iter().filter(|family| family.name() == "weir_scorer_records_total");
        let total: f64 =
            records.flat_map(|family| family.get_metric()).map(|metric| metric.get_counter().get_value()).sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count far below 2^53")]
        let total = total as usize;
        total
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        Ok(self.running.await??)
    }

    /// A scorer that has ended or is in trouble measures nothing.
    fn check(&self) -> anyhow::Result<()> {
        let troubles = self.troubles.current();
        anyhow::ensure!(troubles.is_empty(), "{}", troubles.join("; "));
        anyhow::ensure!(!self.running.is_finished(), "the scorer ended");
        Ok(())
    }
}

/// How long a scorer takes for `records`, from the first one on.
async fn score(log: &Arc<dyn Log>, records: usize) -> anyhow::Result<Duration> {
    let scoring = Scoring::start(log)?;
    let mut began = None;
    loop {
        let taken = scoring.taken();
        if taken > 0 {
            began.get_or_insert_with(Instant::now);
        }
        if taken >= records {
            break;
        }
        if let Err(error) = scoring.check() {
            scoring.stop().await?;
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let took = began.map(|began| began.elapsed()).unwrap_or_default();
    scoring.stop().await?;
    Ok(took)
}

/// Posts a burst of hard bounces of one new customer after the other, beside a load of `background` events a second.
async fn decide(
    cluster: &Cluster,
    signer: &Arc<Signer>,
    batches: &[Signed],
    background: f64,
) -> anyhow::Result<Vec<Vec<String>>> {
    let (_, log) = open(cluster, "latency.".to_owned()).await?;
    let receiver = Running::start(&log, signer).await?;
    let scoring = Scoring::start(&log)?;
    let sent = Arc::new(AtomicUsize::new(0));
    let load = tokio::spawn(keep_up(
        receiver.client.clone(),
        receiver.url.clone(),
        batches.to_vec(),
        background,
        Arc::clone(&sent),
    ));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let tailing = Arc::clone(&log);
    let mut tail = tokio::task::spawn_blocking(move || tailing.tail(Topic::Decisions, Start::Latest)).await??;
    let (began, before) = (Instant::now(), sent.load(Ordering::Relaxed));
    let mut times = Vec::new();
    for number in 0..SAMPLES {
        let customer = format!("burst-{number}");
        let burst = burst(&customer);
        let timestamp = events::START.seconds().to_string();
        let signature = signer.sign(&timestamp, &burst)?;
        let began = Instant::now();
        let signed = Signed { body: burst, timestamp, signature, keys: Arc::from([]) };
        post(receiver.client.clone(), receiver.url.clone(), signed).await?;
        let (returned, decided) = tokio::task::spawn_blocking(move || {
            let decided = loop {
                let records = tail.next(Duration::from_secs(20));
                let Ok(records) = records else { break false };
                if records.iter().any(|stored| stored.record.key == customer) {
                    break true;
                }
                if began.elapsed() > Duration::from_secs(60) {
                    break false;
                }
            };
            (tail, decided)
        })
        .await?;
        tail = returned;
        anyhow::ensure!(decided, "no decision about a burst came");
        times.push(began.elapsed());
    }
    anyhow::ensure!(!load.is_finished(), "the load beside the decisions ended before them");
    let load_was = count(sent.load(Ordering::Relaxed) - before) / began.elapsed().as_secs_f64();
    load.abort();
    receiver.stop().await?;
    scoring.stop().await?;
    times.sort_unstable();
    let at = |share: usize| times.get(SAMPLES * share / 100).copied().unwrap_or_default();
    Ok(vec![
        vec![format!("{SAMPLES} decisions beside {load_was:.0} events/s"), "ms".to_owned()],
        vec!["p50".to_owned(), format!("{:.0}", at(50).as_secs_f64() * 1e3)],
        vec!["p99".to_owned(), format!("{:.0}", at(99).as_secs_f64() * 1e3)],
    ])
}

/// 100 mails of a customer, of which 40 bounce: no rule lets that pass. They go to two providers: bounces at one alone wait for
/// the fleet's counts.
fn burst(customer: &str) -> Bytes {
    let at = events::START.seconds();
    let events: Vec<_> = (0..100)
        .map(|number| {
            let kind = if number % 5 < 2 { r#""bounce","type":"bounce","status":"5.1.1","reason":"550 5.1.1 no such user""# } else { r#""delivered""# };
            let provider = if number % 2 == 0 { "hotmail.com" } else { "yahoo.com" };
            format!(
                r#"{{"email":"p{number}@{provider}","event":{kind},"timestamp":{at},"sg_event_id":"{customer}-{number}","sg_message_id":"{customer}{number}.recvd-5f54b5d587-pczjm-1-{at:08X}-6.0","customer_id":"{customer}"}}"#
            )
        })
        .collect();
    Bytes::from(Poster::body(&events))
}

/// Posts batches so that `rate` events a second come, as far as the receiver keeps up.
async fn keep_up(client: reqwest::Client, url: String, batches: Vec<Signed>, rate: f64, sent: Arc<AtomicUsize>) {
    let mut due = tokio::time::Instant::now();
    for batch in &batches {
        tokio::time::sleep_until(due).await;
        due += Duration::from_secs_f64(count(EVENTS) / rate);
        if post(client.clone(), url.clone(), batch.clone()).await.is_ok() {
            sent.fetch_add(EVENTS, Ordering::Relaxed);
        }
    }
}
