//! What the receiver tells Prometheus.
//!
//! Labels are names of configured sources and fixed words; a name that a stranger made up is counted as `unknown`.

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, exponential_buckets};

use crate::answer::Answer;
use crate::batch::Tally;

/// The receiver's metrics.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    requests: IntCounterVec,
    events: IntCounterVec,
    unbelieved: IntCounterVec,
    /// Bytes of bodies received.
    pub(crate) received: IntCounter,
    /// Bytes of bodies in memory.
    pub(crate) in_flight: IntGauge,
    /// Open connections.
    pub(crate) connections: IntGauge,
    /// From a whole body to its durability.
    pub(crate) durable: Histogram,
    /// Now less the signed timestamp, when a POST came.
    pub(crate) age: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let durable = HistogramOpts::new(
            "weir_receiver_durable_seconds",
            "Time from a body's last byte to the durability of its events; batches that became durable only.",
        );
        let age = HistogramOpts::new(
            "weir_receiver_timestamp_age_seconds",
            "Age of the signed timestamp of genuine POSTs, negative where it is ahead; for choosing the tolerance.",
        );
        Ok(Self {
            requests: counters(registry, "requests", "Requests by source and outcome.", "outcome")?,
            events: counters(
                registry,
                "events",
                "Events made durable by source: accepted, unattributed (accepted, but naming no customer), rejected.",
                "outcome",
            )?,
            unbelieved: counters(
                registry,
                "signature_failures",
                "Requests whose signature or timestamp was not believed, by source and reason.",
                "reason",
            )?,
            received: registered(
                registry,
                IntCounter::new("weir_receiver_body_bytes_total", "Bytes of bodies received.")?,
            )?,
            in_flight: registered(
                registry,
                IntGauge::new("weir_receiver_in_flight_bytes", "Bytes of bodies in memory.")?,
            )?,
            connections: registered(registry, IntGauge::new("weir_receiver_connections", "Open connections.")?)?,
            durable: registered(
                registry,
                Histogram::with_opts(durable.buckets(exponential_buckets(0.001, 2.0, 14)?))?,
            )?,
            age: registered(registry, Histogram::with_opts(age.buckets(AGE_SECONDS.to_vec()))?)?,
        })
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
    }
}

/// From five minutes ahead, past the first attempts of a retry, to the 24 hours of the last one.
const AGE_SECONDS: [f64; 14] =
    [-300.0, -60.0, -5.0, 0.0, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0, 86_400.0, 93_600.0];

fn counters(registry: &Registry, noun: &str, help: &str, label: &str) -> prometheus::Result<IntCounterVec> {
    let opts = Opts::new(format!("weir_receiver_{noun}_total"), help);
    registered(registry, IntCounterVec::new(opts, &["source", label])?)
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> prometheus::Result<C> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}
