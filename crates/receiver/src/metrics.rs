//! What the receiver tells Prometheus.

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, exponential_buckets};

/// The receiver's metrics.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// Requests by source and outcome; a source that does not exist is `unknown`.
    pub(crate) requests: IntCounterVec,
    /// Events by source and what became of them.
    pub(crate) events: IntCounterVec,
    /// Bytes of bodies received.
    pub(crate) bytes: IntCounter,
    /// Bytes of bodies in memory.
    pub(crate) in_flight: IntGauge,
    /// Open connections.
    pub(crate) connections: IntGauge,
    /// Time from a whole body to its durability.
    pub(crate) durable: Histogram,
    /// Age of the signed timestamp when a POST came.
    pub(crate) age: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new("weir_receiver_requests_total", "Requests by source and outcome."),
                &["source", "outcome"],
            )?,
            events: IntCounterVec::new(
                Opts::new("weir_receiver_events_total", "Events by source: attributed, unattributed, rejected."),
                &["source", "outcome"],
            )?,
            bytes: IntCounter::new("weir_receiver_body_bytes_total", "Bytes of bodies received.")?,
            in_flight: IntGauge::new("weir_receiver_in_flight_bytes", "Bytes of bodies in memory.")?,
            connections: IntGauge::new("weir_receiver_connections_count", "Open connections.")?,
            durable: Histogram::with_opts(
                HistogramOpts::new("weir_receiver_durable_seconds", "Time from a whole body to its durability.")
                    .buckets(exponential_buckets(0.001, 2.0, 14)?),
            )?,
            age: Histogram::with_opts(
                HistogramOpts::new(
                    "weir_receiver_timestamp_age_seconds",
                    "Age of the signed timestamp when a POST came; for choosing a narrower tolerance.",
                )
                .buckets(exponential_buckets(1.0, 4.0, 10)?),
            )?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.events.clone()))?;
        registry.register(Box::new(metrics.bytes.clone()))?;
        registry.register(Box::new(metrics.in_flight.clone()))?;
        registry.register(Box::new(metrics.connections.clone()))?;
        registry.register(Box::new(metrics.durable.clone()))?;
        registry.register(Box::new(metrics.age.clone()))?;
        Ok(metrics)
    }
}
