//! One POST, from its head to its answer; cheapest check first, and nothing parsed before it is verified.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, HeaderMap};
use hyper::{Method, Request, Response};
use log::{Append, Producer};
use model::{Millis, Timestamp};
use sendgrid::webhook::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

use crate::Clock;
use crate::admission::{Admission, Permit};
use crate::answer::Answer;
use crate::batch::Recorder;
use crate::config::{Config, Source};
use crate::metrics::Metrics;

/// What every request works with.
#[derive(Clone)]
pub(crate) struct Requests {
    pub(crate) config: Arc<Config>,
    pub(crate) sources: Arc<HashMap<String, Arc<Source>>>,
    pub(crate) producer: Arc<dyn Producer>,
    pub(crate) clock: Clock,
    pub(crate) admission: Admission,
    pub(crate) metrics: Metrics,
}

/// What a POST says of itself in its headers.
struct Signed {
    timestamp: Vec<u8>,
    signature: Vec<u8>,
}

const PATH: &str = "/webhooks/sendgrid/";

impl Requests {
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let source = request.uri().path().strip_prefix(PATH).and_then(|name| self.sources.get(name)).cloned();
        let name = source.as_ref().map_or("unknown", |source| source.name.as_str());
        let answer = match &source {
            Some(source) => self.take(source, request).await.unwrap_or_else(|refused| refused),
            None => {
                self.drain(request.into_body()).await;
                Answer::NotFound
            }
        };
        self.metrics.requests.with_label_values(&[name, answer.outcome()]).inc();
        answer.response()
    }

    async fn take(&self, source: &Arc<Source>, request: Request<Incoming>) -> Result<Answer, Answer> {
        let (head, body) = request.into_parts();
        let length = body.size_hint().upper().and_then(|length| usize::try_from(length).ok());
        let mut permit = self.admission.permit();
        let signed = match self.check_head(&head.method, &head.headers, length, &mut permit) {
            Ok(signed) => signed,
            Err(refused) => {
                self.drain(body).await;
                return Err(refused);
            }
        };
        let body = self.read(body, length, &mut permit).await?;
        self.metrics.bytes.inc_by(body.len() as u64);
        let timer = self.metrics.durable.start_timer();
        let answer = self.store(Arc::clone(source), signed, body).await;
        timer.observe_duration();
        drop(permit);
        answer
    }

    fn check_head(
        &self,
        method: &Method,
        headers: &HeaderMap,
        length: Option<usize>,
        permit: &mut Permit,
    ) -> Result<Signed, Answer> {
        if *method != Method::POST {
            return Err(Answer::MethodNotAllowed);
        }
        if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(Answer::UnsupportedEncoding);
        }
        let limit = self.config.max_body_bytes;
        if length.is_some_and(|length| length > limit) {
            return Err(Answer::TooLarge { limit });
        }
        let signature = only(headers, SIGNATURE_HEADER).ok_or(Answer::NoSignature)?;
        let timestamp = only(headers, TIMESTAMP_HEADER).ok_or(Answer::NoSignature)?;
        if self.admission.grow(permit, length.unwrap_or(0)) {
            Ok(Signed { timestamp, signature })
        } else {
            Err(Answer::Busy)
        }
    }

    /// Reads a body; where its length was not told, the permit grows with it.
    async fn read(&self, mut body: Incoming, length: Option<usize>, permit: &mut Permit) -> Result<Bytes, Answer> {
        let limit = self.config.max_body_bytes;
        let mut bytes = BytesMut::with_capacity(length.unwrap_or(0));
        let reading = async {
            while let Some(frame) = body.frame().await {
                let Ok(data) = frame.map_err(|_| Answer::BrokenBody)?.into_data() else { continue };
                let size = bytes.len() + data.len();
                if size > limit {
                    return Err(Answer::TooLarge { limit });
                }
                if size > permit.bytes() && !self.admission.grow(permit, size - permit.bytes()) {
                    return Err(Answer::Busy);
                }
                bytes.extend_from_slice(&data);
            }
            Ok(())
        };
        let read = tokio::time::timeout(self.config.body_timeout, reading).await;
        match read.unwrap_or(Err(Answer::SlowBody)) {
            Ok(()) => Ok(bytes.freeze()),
            Err(Answer::SlowBody) => Err(Answer::SlowBody),
            Err(refused) => {
                self.drain(body).await;
                Err(refused)
            }
        }
    }

    /// Reads the rest of a body that is refused, and keeps none of it: closing on a client that still sends would cut
    /// off the answer too.
    async fn drain(&self, mut body: Incoming) {
        let draining = async { while let Some(Ok(_)) = body.frame().await {} };
        // A body that does not end in time is cut off, with or without its answer.
        let _ended = tokio::time::timeout(self.config.body_timeout, draining).await;
    }

    /// Verifies, parses and appends.
    async fn store(&self, source: Arc<Source>, signed: Signed, body: Bytes) -> Result<Answer, Answer> {
        let this = self.clone();
        // A full body costs some milliseconds of hashing and parsing: too much for a thread that serves sockets.
        let prepared = tokio::task::spawn_blocking(move || this.prepare(&source, &signed, body)).await;
        let (appends, answer) = prepared.map_err(|_| Answer::Busy)??;
        let appended = tokio::time::timeout(self.config.append_timeout, self.producer.append(appends)).await;
        match appended {
            Ok(Ok(())) => Ok(answer),
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a batch was not appended; answered 503");
                Err(Answer::Busy)
            }
            Err(_) => {
                tracing::warn!("the log took too long; answered 503");
                Err(Answer::Busy)
            }
        }
    }

    /// The records of a body, and the answer that is true once they are durable.
    fn prepare(&self, source: &Source, signed: &Signed, body: Bytes) -> Result<(Vec<Append>, Answer), Answer> {
        source.verifier.verify(&signed.timestamp, &signed.signature, &body).map_err(Answer::BadSignature)?;
        let now = (self.clock)();
        self.check_age(&signed.timestamp, now)?;
        let mut recorder = Recorder::new(source, self.config.pseudonyms.as_ref(), now, body);
        match recorder.records() {
            Ok(batch) => {
                let count = |outcome, number: usize| {
                    self.metrics.events.with_label_values(&[source.name.as_str(), outcome]).inc_by(number as u64);
                };
                count("attributed", batch.attributed);
                count("unattributed", batch.unattributed);
                count("rejected", batch.rejected);
                let accepted = batch.attributed + batch.unattributed;
                Ok((batch.appends, Answer::Durable { accepted, rejected: batch.rejected }))
            }
            Err(reason) => Ok((vec![recorder.reject_all(&reason)], Answer::NoBatch(reason))),
        }
    }

    fn check_age(&self, timestamp: &[u8], now: Timestamp) -> Result<(), Answer> {
        // The verifier let only short strings of digits pass.
        let seconds = std::str::from_utf8(timestamp).ok().and_then(|text| text.parse().ok());
        let signed_at = Timestamp::from_seconds(seconds.ok_or(Answer::Stale)?);
        let age = now.since(signed_at);
        let seconds = u32::try_from((age.get() / 1_000).max(0)).unwrap_or(u32::MAX);
        self.metrics.age.observe(f64::from(seconds));
        let Some(tolerance) = self.config.tolerance else { return Ok(()) };
        let in_time = age <= tolerance.past && age >= Millis::new(-tolerance.future.get());
        if in_time { Ok(()) } else { Err(Answer::Stale) }
    }
}

/// The value of a header that stands there exactly once.
fn only(headers: &HeaderMap, name: &str) -> Option<Vec<u8>> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes().to_vec())
}
