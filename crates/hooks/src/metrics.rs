//! What the hooks tell Prometheus.

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, exponential_buckets};

/// The metrics of all hooks, each by hook.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// Tries by outcome.
    pub(crate) deliveries: IntCounterVec,
    /// Deliveries that wait for a try.
    pub(crate) waiting: IntGaugeVec,
    /// Deliveries given up that lie in the log.
    pub(crate) dead_letters: IntGaugeVec,
    /// 1 where the endpoint has said that it is gone.
    pub(crate) disabled: IntGaugeVec,
    /// From a decision to its delivery.
    pub(crate) delivered: HistogramVec,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let delivered = HistogramOpts::new(
            "weir_hooks_delivered_seconds",
            "Time from a decision (the last tick before it) to its delivery; deliveries that succeeded only.",
        );
        let metrics = Self {
            deliveries: IntCounterVec::new(
                Opts::new("weir_hooks_deliveries_total", "Tries by hook and outcome, and what was given up."),
                &["hook", "outcome"],
            )?,
            waiting: gauge("weir_hooks_waiting", "Deliveries that wait for a try, or are being tried.")?,
            dead_letters: gauge("weir_hooks_dead_letters", "Deliveries given up that lie in the log.")?,
            disabled: gauge("weir_hooks_disabled", "1 where the endpoint said that it is gone (410).")?,
            delivered: HistogramVec::new(delivered.buckets(exponential_buckets(0.5, 4.0, 11)?), &["hook"])?,
        };
        registry.register(Box::new(metrics.deliveries.clone()))?;
        registry.register(Box::new(metrics.waiting.clone()))?;
        registry.register(Box::new(metrics.dead_letters.clone()))?;
        registry.register(Box::new(metrics.disabled.clone()))?;
        registry.register(Box::new(metrics.delivered.clone()))?;
        Ok(metrics)
    }
}

fn gauge(name: &str, help: &str) -> prometheus::Result<IntGaugeVec> {
    IntGaugeVec::new(Opts::new(name, help), &["hook"])
}
