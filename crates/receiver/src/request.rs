//! One POST, from its head to its answer; cheapest check first, and nothing parsed before it is verified.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, EXPECT, HeaderMap};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, Version};
use log::{Producer, Tail};
use model::{Millis, Timestamp};
use sendgrid::webhook::{SIGNATURE_HEADER, SignatureError, TIMESTAMP_HEADER};
use telemetry::{Role, Span, TraceParent};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Clock;
use crate::admission::{Admission, Permit};
use crate::answer::Answer;
use crate::batch::{Batch, Recorder};
use crate::body::{self, Bounds};
use crate::config::{Config, Source, SourceName};
use crate::connection_slots::InFlight;
use crate::duplicates::KnownEvents;
use crate::metrics::Metrics;
use crate::origin::Origins;
use crate::preload;

/// What stands before a source's name in the path of its webhook's URL.
pub const WEBHOOK_PATH: &str = "/webhooks/sendgrid/";

/// What the span of a POST is called.
const SPAN: &str = "POST /webhooks/sendgrid/{source}";

/// A body up to this size is verified and parsed where it was read: some tenths of a millisecond, less than handing it to
/// another thread may cost. A larger one takes milliseconds, too much for a thread that serves sockets.
const INLINE_BYTES: usize = 32 << 10;

/// Unix seconds have 10 digits from 2001 to 2286. Signed are timestamp and body in one, without anything between them, so
/// with a fixed length nothing can be moved from one to the other.
const TIMESTAMP_DIGITS: usize = 10;

/// What every request works with.
#[derive(Clone)]
pub(crate) struct Requests {
    shared: Arc<Shared>,
}

/// What [`Requests`] is made of.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) sources: HashMap<String, Arc<Source>>,
    pub(crate) producer: Arc<dyn Producer>,
    pub(crate) clock: Clock,
    pub(crate) admission: Admission,
    pub(crate) metrics: Metrics,
    /// Whose the latest mails were.
    pub(crate) origins: Origins,
    /// The newest durable events.
    pub(crate) known_events: KnownEvents,
    /// Large bodies that are checked at once: as many as there are cores, because more would only push each other out of the
    /// caches.
    pub(crate) turns: Arc<Semaphore>,
    /// The last batch was not taken: said once, not for each POST.
    pub(crate) is_log_failing: AtomicBool,
}

/// What a POST says of its signature, and the trace that it begins, where that is sampled.
struct Signed {
    trace: Option<TraceParent>,
    timestamp: Vec<u8>,
    signature: Vec<u8>,
}

/// A POST whose signature was checked.
struct Checked {
    source: Arc<Source>,
    batch: Batch,
    /// True once the batch is durable.
    answer: Answer,
    trace: Option<TraceParent>,
}

impl Requests {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    /// Fills the memory of origins and known events from `tail`. Returns the number of records.
    pub(crate) fn preload(&self, tail: &mut dyn Tail, shutdown: &CancellationToken) -> log::Result<usize> {
        preload::preload(tail, &self.shared.origins, &self.shared.known_events, shutdown)
    }

    pub(crate) fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Handles the request; every error becomes an answer. Records on `in_flight` how far it got.
    pub(crate) async fn answer(&self, request: Request<Incoming>, in_flight: InFlight) -> Response<Full<Bytes>> {
        let name = request.uri().path().strip_prefix(WEBHOOK_PATH);
        // Who writes the URL into a form may end it with a slash.
        let name = name.map(|name| name.strip_suffix('/').unwrap_or(name));
        let source = name.and_then(|name| self.shared.sources.get(name)).cloned();
        let label = source.as_ref().map_or(SourceName::UNKNOWN, |source| source.name.as_str()).to_owned();
        let answer = self.take(source, request, in_flight).await.unwrap_or_else(|refused| refused);
        self.shared.metrics.answered(&label, answer);
        answer.response()
    }

    async fn take(
        &self,
        source: Option<Arc<Source>>,
        request: Request<Incoming>,
        mut in_flight: InFlight,
    ) -> Result<Answer, Answer> {
        let (head, mut body) = request.into_parts();
        let bounds = Bounds { bytes: self.config().max_body_bytes, time: self.config().body_timeout };
        let received = match self.check_head(source, &head, body::announced(&body)) {
            Ok((source, signed, mut permit)) => body::read(&mut body, bounds, &mut permit, &in_flight)
                .await
                .map(|bytes| (source, signed, permit, bytes)),
            Err(refused) => Err(refused),
        };
        let (source, signed, permit, bytes) = received.inspect_err(|refused| {
            // A client that waits to be told to go on sends nothing after a refusal, and HTTP/2 can stop a sender.
            let waits = head.headers.contains_key(EXPECT) || head.version == Version::HTTP_2;
            if !waits && *refused != Answer::SlowBody {
                body::let_go(body, bounds);
            }
        })?;
        in_flight.mark_complete();
        self.shared.metrics.received.inc_by(bytes.len() as u64);
        let received_at = Instant::now();
        let mut span = self.config().tracing.begin(SPAN, Role::Server);
        let signed = Signed { trace: span.as_ref().map(Span::parent), ..signed };
        let name = source.name.clone();
        let answer = self.settle((source, signed), bytes, permit).await;
        if !answer.is_err_and(Answer::is_unbelieved) {
            in_flight.mark_authenticated();
        }
        if let Some(span) = &mut span {
            span.say("weir.source", name.as_str().to_owned());
            span.say("weir.outcome", answer.unwrap_or_else(|refused| refused).outcome());
        }
        let answer = answer?;
        self.shared.metrics.durable.observe(received_at.elapsed().as_secs_f64());
        Ok(answer)
    }

    /// Verifies a body, and makes its events durable.
    async fn settle(
        &self,
        (source, signed): (Arc<Source>, Signed),
        body: Bytes,
        permit: Permit,
    ) -> Result<Answer, Answer> {
        let (checked, _permit) = self.check(source, signed, body, permit).await?;
        self.append(checked).await
    }

    /// Everything that costs nothing.
    fn check_head(
        &self,
        source: Option<Arc<Source>>,
        head: &Parts,
        announced: Option<usize>,
    ) -> Result<(Arc<Source>, Signed, Permit), Answer> {
        let source = source.ok_or(Answer::NotFound)?;
        if head.method != Method::POST {
            return Err(Answer::MethodNotAllowed);
        }
        let mut encodings = head.headers.get_all(CONTENT_ENCODING).iter();
        if !encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(Answer::UnsupportedEncoding);
        }
        let (announced, limit) = (announced.unwrap_or(0), self.config().max_body_bytes);
        if announced > limit {
            return Err(Answer::TooLarge { limit });
        }
        let signature = only(&head.headers, SIGNATURE_HEADER).ok_or(Answer::NoSignature)?;
        let timestamp = only(&head.headers, TIMESTAMP_HEADER).ok_or(Answer::NoSignature)?;
        if timestamp.len() != TIMESTAMP_DIGITS || !timestamp.iter().all(u8::is_ascii_digit) {
            return Err(Answer::BadSignature(SignatureError::BadTimestamp));
        }
        let permit = self.shared.admission.permit(announced)?;
        Ok((source, Signed { trace: None, timestamp, signature }, permit))
    }

    /// Verifies and parses. The permit goes along, so that a body that is worked on counts even if its client left.
    async fn check(
        &self,
        source: Arc<Source>,
        signed: Signed,
        body: Bytes,
        mut permit: Permit,
    ) -> Result<(Checked, Permit), Answer> {
        let is_small = body.len() <= INLINE_BYTES;
        let shared = Arc::clone(&self.shared);
        let work = move || Ok((shared.check(source, &signed, body, &mut permit)?, permit));
        if is_small {
            return work();
        }
        let turn = Arc::clone(&self.shared.turns).acquire_owned().await;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        })
        .await
        .unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "a batch could not be checked; answered 503");
            Err(Answer::LogUnavailable)
        })
    }

    /// Makes the batch durable.
    async fn append(&self, checked: Checked) -> Result<Answer, Answer> {
        let Checked { source, batch: Batch { appends, tally, first_reason, mails, ids }, answer, trace } = checked;
        let tracing = &self.config().tracing;
        let mut span = trace.and_then(|trace| tracing.go_on(&trace, "append", Role::Producer));
        if let Some(span) = &mut span {
            span.say("weir.records", i64::try_from(appends.len()).unwrap_or(i64::MAX));
        }
        if appends.is_empty() {
            // An empty array, or every event is durable already.
            self.shared.metrics.stored(source.name.as_str(), tally);
            return Ok(answer);
        }
        let appending = self.shared.producer.append(appends);
        match tokio::time::timeout(self.config().append_timeout, appending).await {
            Ok(Ok(())) => {
                self.shared.log_recovered();
                self.shared.metrics.stored(source.name.as_str(), tally);
                let mut origins = self.shared.origins.lock();
                mails.iter().for_each(|(ids, customer)| origins.learn(*ids, customer));
                drop(origins);
                self.shared.known_events.insert(&ids);
                if let Some(reason) = first_reason {
                    let (source, rejected) = (source.name.as_str(), tally.rejected);
                    tracing::warn!(source, rejected, reason, "events were rejected: `weir rejects` lists them");
                }
                Ok(answer)
            }
            Ok(Err(error)) => {
                self.shared.log_failed(&error);
                Err(Answer::LogUnavailable)
            }
            Err(elapsed) => {
                self.shared.log_failed(&elapsed);
                Err(Answer::LogUnavailable)
            }
        }
    }
}

impl Shared {
    /// The records of a body, where it is `source`'s.
    fn check(&self, source: Arc<Source>, signed: &Signed, body: Bytes, permit: &mut Permit) -> Result<Checked, Answer> {
        source.verifier.verify(&signed.timestamp, &signed.signature, &body).map_err(Answer::BadSignature)?;
        let now = (self.clock)();
        self.check_age(&signed.timestamp, now)?;
        let (batch, result) = {
            let recorder = Recorder::new(&source, self.config.pseudonymise.as_ref(), now, body);
            recorder.traced(signed.trace.as_ref()).records(&self.origins, &self.known_events, permit)?
        };
        let accepted = batch.tally.attributed + batch.tally.unattributed + batch.tally.duplicates;
        let rejected = batch.tally.rejected;
        let answer = result.map_or_else(Answer::NoBatch, |()| Answer::Durable { accepted, rejected });
        Ok(Checked { source, batch, answer, trace: signed.trace.clone() })
    }

    fn check_age(&self, timestamp: &[u8], now: Timestamp) -> Result<(), Answer> {
        let digits = std::str::from_utf8(timestamp).ok().and_then(|digits| digits.parse().ok());
        let signed_at = Timestamp::from_seconds(digits.ok_or(Answer::BadSignature(SignatureError::BadTimestamp))?);
        let age = now.since(signed_at);
        // Centuries, in either direction, are beyond the last bucket.
        self.metrics.age.observe(f64::from(i32::try_from(age.get() / 1_000).unwrap_or(i32::MAX)));
        let Some(tolerance) = self.config.timestamp_tolerance else { return Ok(()) };
        let is_in_time = age <= tolerance.past && age >= Millis::new(tolerance.future.get().saturating_neg());
        if is_in_time { Ok(()) } else { Err(Answer::Stale) }
    }

    fn log_failed(&self, error: &(dyn std::error::Error + 'static)) {
        if !self.is_log_failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(error, "the log takes no batches; POSTs are answered 503 until it does");
        }
    }

    fn log_recovered(&self) {
        if self.is_log_failing.swap(false, Ordering::Relaxed) {
            tracing::info!("the log takes batches again");
        }
    }
}

/// The value of a header that stands there exactly once.
fn only(headers: &HeaderMap, name: &str) -> Option<Vec<u8>> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes().to_vec())
}
