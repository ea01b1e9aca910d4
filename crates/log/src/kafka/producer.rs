//! Appending: one counter a call, however many records it has.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use tokio::sync::oneshot;

use super::brokers::Brokers;
use super::message::{filled, headers_of, size_of, timestamp_of};
use crate::{Append, BoxFuture, Error, Producer, Record, Result, Route, partition_of};

/// Appends records to Kafka.
pub(super) struct KafkaProducer {
    brokers: Arc<Brokers>,
    /// `None` until the first append, and after a fatal error.
    session: Mutex<Option<Arc<Session>>>,
    traffic: Arc<Traffic>,
}

/// How often an append is let through while Kafka does not acknowledge: it may be one partition only that can't be written.
const PROBING: Duration = Duration::from_secs(1);

/// What is under way to the brokers, and whether they answer.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    bytes: AtomicUsize,
    /// The last thing heard was a failure.
    is_silent: AtomicBool,
    /// When the latest append was let through in silence.
    probed: Mutex<Option<Instant>>,
}

impl Traffic {
    /// Whether it is time to try whether Kafka acknowledges again.
    fn may_probe(&self) -> bool {
        let mut probed = self.probed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = probed.is_none_or(|at| at.elapsed() >= PROBING);
        if is_due {
            *probed = Some(Instant::now());
        }
        is_due
    }

    /// Of one who sends `bytes` at once and nothing else.
    pub(super) fn of(bytes: usize) -> Arc<Self> {
        Arc::new(Self { bytes: bytes.into(), ..Self::default() })
    }
}

impl std::fmt::Debug for KafkaProducer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaProducer").field("traffic", &self.traffic).finish_non_exhaustive()
    }
}

/// A client of librdkafka with the thread that hears its reports.
pub(super) type Session = ThreadedProducer<Reports>;

/// What became of one append: how many of its records are still under way, and who waits.
#[derive(Debug)]
pub(super) struct Delivery {
    open: AtomicUsize,
    failed: Mutex<Option<KafkaError>>,
    waiting: Mutex<Option<oneshot::Sender<std::result::Result<(), KafkaError>>>>,
    bytes: usize,
    traffic: Arc<Traffic>,
}

/// What is heard of an append in the end.
pub(super) type Answer = oneshot::Receiver<std::result::Result<(), KafkaError>>;

impl Delivery {
    /// Of `records` records of `bytes` together, which are part of the `traffic` until all are settled.
    pub(super) fn of(records: usize, bytes: usize, traffic: Arc<Traffic>) -> (Arc<Self>, Answer) {
        let (done, answer) = oneshot::channel();
        let (failed, waiting) = (Mutex::new(None), Mutex::new(Some(done)));
        (Arc::new(Self { open: AtomicUsize::new(records), failed, waiting, bytes, traffic }), answer)
    }

    pub(super) fn fail(&self, error: KafkaError) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.traffic.is_silent.store(true, Ordering::Release);
    }

    /// `records` are no longer under way; the last one answers.
    pub(super) fn settle(&self, records: usize) {
        if self.open.fetch_sub(records, Ordering::AcqRel) > records {
            return;
        }
        self.traffic.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waiting) = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Whoever waited may have given up; what is written stays.
            let _unheard = waiting.send(failed.map_or(Ok(()), Err));
        }
    }
}

/// Hears what became of each record.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// The client can do no more: another must take its place.
    is_broken: AtomicBool,
}

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        self.mark(&error);
        tracing::warn!(%error, reason, "producer");
    }
}

impl Reports {
    /// A client that met a fatal error refuses everything, and one that was not allowed to write goes on refusing for
    /// minutes after it is.
    fn mark(&self, error: &KafkaError) {
        use RDKafkaErrorCode::{ClusterAuthorizationFailed, Fatal, TopicAuthorizationFailed};
        if let Some(Fatal | TopicAuthorizationFailed | ClusterAuthorizationFailed) = error.rdkafka_error_code() {
            self.is_broken.store(true, Ordering::Release);
        }
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Arc<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Arc<Delivery>) {
        match result {
            // Read first: a write for each record would take the line from those who append.
            Ok(_) if delivery.traffic.is_silent.load(Ordering::Acquire) => {
                delivery.traffic.is_silent.store(false, Ordering::Release);
            }
            Ok(_) => {}
            Err((error, _)) => {
                self.mark(error);
                delivery.fail(error.clone());
            }
        }
        delivery.settle(1);
    }
}

impl KafkaProducer {
    pub(super) fn new(brokers: Arc<Brokers>) -> Self {
        Self { brokers, session: Mutex::new(None), traffic: Arc::default() }
    }

    /// The client in use; another one where that is broken. What was under way with a broken one is repeated by whoever
    /// gets no answer, and recognised downstream.
    fn session(&self) -> Result<Arc<Session>> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = session.as_ref()
            && !rdkafka::producer::Producer::context(session.as_ref()).is_broken.load(Ordering::Acquire)
        {
            return Ok(Arc::clone(session));
        }
        let fresh = Session::from_config_and_context(&self.brokers.config().producer(), Reports::default());
        let fresh = Arc::new(fresh.map_err(|source| self.brokers.failed(source))?);
        *session = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    fn submit(&self, records: &[Append]) -> Result<Answer> {
        let partitions = self.brokers.config().partitions;
        let places = records.iter().map(|append| {
            self.brokers.known(match append.route {
                Route::To(partition) => partition,
                Route::ByKey => partition_of(&append.record.key, partitions),
            })
        });
        let places = places.collect::<Result<Vec<_>>>()?;
        let bytes = records.iter().map(|append| size_of(&append.record)).sum();
        let session = self.session()?;
        self.admit(bytes)?;
        let (delivery, answer) = Delivery::of(records.len(), bytes, Arc::clone(&self.traffic));
        for (sent, (append, place)) in records.iter().zip(places).enumerate() {
            let headers = headers_of(&append.record);
            let topic = self.brokers.topic(append.topic);
            if let Err(error) = send(&session, topic, (&append.record, headers), place, &delivery) {
                delivery.fail(error);
                delivery.settle(records.len() - sent);
                break;
            }
        }
        Ok(answer)
    }

    /// Takes room for `bytes`, or refuses; before anything is spent on them.
    fn admit(&self, bytes: usize) -> Result<()> {
        let before = self.traffic.bytes.fetch_add(bytes, Ordering::AcqRel);
        // One append alone is always taken, however large: the receiver has bounded it already.
        let refusal = if before == 0 {
            return Ok(());
        } else if before + bytes > self.brokers.config().in_flight_bytes {
            "too many bytes wait for Kafka's acknowledgement"
        } else if self.traffic.is_silent.load(Ordering::Acquire) && !self.traffic.may_probe() {
            "Kafka does not acknowledge; one append a second tries whether it does again"
        } else {
            return Ok(());
        };
        self.traffic.bytes.fetch_sub(bytes, Ordering::AcqRel);
        Err(Error::Busy(refusal))
    }
}

impl Producer for KafkaProducer {
    fn append(&self, records: Vec<Append>) -> BoxFuture<'_, Result<()>> {
        if records.is_empty() {
            return Box::pin(std::future::ready(Ok(())));
        }
        let submitted = self.submit(&records);
        Box::pin(async move {
            let answer = submitted?.await.unwrap_or(Err(KafkaError::Canceled));
            answer.map_err(|source| self.brokers.failed(source))
        })
    }
}

impl Drop for KafkaProducer {
    /// What is under way gets the time that an append may take.
    fn drop(&mut self) {
        let session = self.session.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(session) = session
            && self.traffic.bytes.load(Ordering::Acquire) > 0
            && let Err(error) = session.flush(self.brokers.config().delivery_timeout)
        {
            tracing::warn!(%error, "records were under way when the log was closed");
        }
    }
}

/// Hands a record to the client.
pub(super) fn send(
    session: &Session,
    topic: &str,
    (record, headers): (&Record, OwnedHeaders),
    partition: i32,
    delivery: &Arc<Delivery>,
) -> std::result::Result<(), KafkaError> {
    let message = BaseRecord::<[u8], [u8], _> {
        topic,
        partition: Some(partition),
        payload: filled(&record.value),
        key: filled(&record.key),
        timestamp: timestamp_of(record),
        headers: Some(headers),
        delivery_opaque: Arc::clone(delivery),
    };
    session.send(message).map_err(|(error, _)| error)
}
