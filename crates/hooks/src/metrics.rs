//! What the hooks tell Prometheus.

use telemetry::{HistogramVec, IntCounterVec, IntGaugeVec, Label, Registry, exponential_buckets};

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
    pub(crate) fn register(registry: &Registry) -> telemetry::Result<Self> {
        let hook = Label::configured("hook", "hook");
        let outcome = Label::words("outcome", ["delivered", "failed", "gone", "given_up"]);
        let gauge = |name: &str, help: &str| registry.gauges(name, help, std::slice::from_ref(&hook));
        Ok(Self {
            waiting: gauge("weir_hooks_waiting", "Deliveries that wait for a try, or are being tried.")?,
            dead_letters: gauge("weir_hooks_dead_letters", "Deliveries given up that lie in the log.")?,
            disabled: gauge("weir_hooks_disabled", "1 where the endpoint said that it is gone (410).")?,
            delivered: registry.histograms(
                "weir_hooks_delivered_seconds",
                "Time from a decision (the last tick before it) to its delivery; deliveries that succeeded only.",
                std::slice::from_ref(&hook),
                exponential_buckets(0.5, 4.0, 11)?,
            )?,
            deliveries: registry.counters(
                "weir_hooks_deliveries_total",
                "Tries by hook and outcome, and what was given up.",
                &[hook, outcome],
            )?,
        })
    }
}

/// Registers the part's metrics alone, for who only lists them.
///
/// # Errors
///
/// Where a name is taken.
pub fn list_metrics(registry: &Registry) -> telemetry::Result<()> {
    Metrics::register(registry).map(drop)
}
