//! What the receiver tells Prometheus.
//!
//! Labels are names of configured sources and fixed words; a name that a stranger made up is counted as `unknown`.

use telemetry::{Histogram, IntCounter, IntCounterVec, IntGauge, Label, Registry, exponential_buckets};

use crate::answer::Answer;
use crate::batch::Tally;

/// The receiver's metrics.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    requests: IntCounterVec,
    events: IntCounterVec,
    joined: IntCounterVec,
    unbelieved: IntCounterVec,
    /// Bytes of bodies received.
    pub(crate) received: IntCounter,
    /// Bytes of bodies in memory.
    pub(crate) in_flight: IntGauge,
    /// Open connections.
    pub(crate) connections: IntGauge,
    evicted: IntCounterVec,
    /// From a whole body to its durability.
    pub(crate) durable: Histogram,
    /// Now less the signed timestamp, when a POST came.
    pub(crate) age: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> telemetry::Result<Self> {
        let source = Label::configured("source", "source, or `unknown`");
        let by = |label: &'static str, words: &[&'static str]| [source.clone(), Label::words(label, words.to_vec())];
        Ok(Self {
            requests: registry.counters(
                "weir_receiver_requests_total",
                "Requests by source and outcome.",
                &by("outcome", &Answer::OUTCOMES),
            )?,
            events: registry.counters(
                "weir_receiver_events_total",
                "Events by source: accepted, unattributed (accepted, but without a customer), rejected, or duplicate (a copy of \
                 a recent event, acknowledged and not stored again).",
                &by("outcome", &["accepted", "unattributed", "rejected", "duplicate"]),
            )?,
            joined: registry.counters(
                "weir_receiver_events_joined_total",
                "Accepted events by source that name no customer themselves and went to the one whose mail they are of.",
                std::slice::from_ref(&source),
            )?,
            unbelieved: registry.counters(
                "weir_receiver_signature_failures_total",
                "Requests whose signature or timestamp was not believed, by source and reason.",
                &by("reason", &UNBELIEVED),
            )?,
            received: registry.counter("weir_receiver_body_bytes_total", "Bytes of bodies received.")?,
            in_flight: registry.gauge(
                "weir_receiver_in_flight_bytes",
                "Memory charged to request bodies and to the records made from them, in bytes.",
            )?,
            connections: registry.gauge("weir_receiver_connections", "Open connections.")?,
            evicted: registry.counters(
                "weir_receiver_evicted_total",
                "Connections and request bodies evicted because their client was slow and others needed the slot or the memory.",
                &[Label::words("what", EVICTED.to_vec())],
            )?,
            durable: registry.histogram(
                "weir_receiver_durable_seconds",
                "Time from a body's last byte to the durability of its events; batches that became durable only.",
                exponential_buckets(0.001, 2.0, 14)?,
            )?,
            age: registry.histogram(
                "weir_receiver_timestamp_age_seconds",
                "Age of the signed timestamp of genuine POSTs, negative where it is ahead; for choosing the tolerance.",
                AGE_SECONDS.to_vec(),
            )?,
        })
    }

    /// Counts evicted connections.
    pub(crate) fn evicted_connections(&self) -> IntCounter {
        self.evicted.with_label_values(&["connection"])
    }

    /// Counts evicted bodies.
    pub(crate) fn evicted_bodies(&self) -> IntCounter {
        self.evicted.with_label_values(&["body"])
    }

    /// Exports from 0 on what may become of requests for `source`: Prometheus sees no increase in a series that begins at 1.
    pub(crate) fn expect(&self, source: &str) {
        for outcome in Answer::OUTCOMES {
            self.requests.with_label_values(&[source, outcome]);
        }
        self.joined.with_label_values(&[source]);
        for reason in UNBELIEVED {
            self.unbelieved.with_label_values(&[source, reason]);
        }
    }

    /// A request for `source` was answered.
    pub(crate) fn answered(&self, source: &str, answer: Answer) {
        self.requests.with_label_values(&[source, answer.outcome()]).inc();
        if answer.is_unbelieved() {
            self.unbelieved.with_label_values(&[source, answer.outcome()]).inc();
        }
    }

    /// Events of `source` became durable.
    pub(crate) fn stored(&self, source: &str, tally: Tally) {
        let count = |outcome, number: usize| {
            self.events.with_label_values(&[source, outcome]).inc_by(number as u64);
        };
        count("accepted", tally.attributed);
        count("unattributed", tally.unattributed);
        count("rejected", tally.rejected);
        count("duplicate", tally.duplicates);
        self.joined.with_label_values(&[source]).inc_by(tally.joined as u64);
    }
}

/// What can be evicted.
const EVICTED: [&str; 2] = ["connection", "body"];
/// Why a POST is not believed, among the outcomes.
const UNBELIEVED: [&str; 3] = ["no_signature", "bad_signature", "stale_timestamp"];
/// From five minutes ahead, past the first attempts of a retry, to the 24 hours of the last one.
const AGE_SECONDS: [f64; 14] =
    [-300.0, -60.0, -5.0, 0.0, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0, 86_400.0, 93_600.0];

/// Registers the part's metrics alone, for who only lists them.
///
/// # Errors
///
/// Where a name is taken.
pub fn list_metrics(registry: &Registry) -> telemetry::Result<()> {
    Metrics::register(registry).map(drop)
}
