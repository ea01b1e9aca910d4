//! What the enforcer tells Prometheus.

use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry, exponential_buckets};

/// The enforcer's metrics.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// Calls by kind and outcome.
    pub(crate) actions: IntCounterVec,
    /// Customers whose state at SendGrid is not known to be what it should be.
    pub(crate) pending: IntGauge,
    /// Time from hearing of a standing to SendGrid's being so.
    pub(crate) enforced: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            actions: IntCounterVec::new(
                Opts::new(
                    "weir_enforcer_actions_total",
                    "Calls to SendGrid by kind and outcome, and what was held back.",
                ),
                &["call", "outcome"],
            )?,
            pending: IntGauge::new(
                "weir_enforcer_pending_customers_count",
                "Customers whose state at SendGrid is not known to be what it should be.",
            )?,
            enforced: Histogram::with_opts(
                HistogramOpts::new(
                    "weir_enforcer_enforced_seconds",
                    "Time from hearing of a standing to SendGrid's being so.",
                )
                .buckets(exponential_buckets(0.01, 3.0, 12)?),
            )?,
        };
        registry.register(Box::new(metrics.actions.clone()))?;
        registry.register(Box::new(metrics.pending.clone()))?;
        registry.register(Box::new(metrics.enforced.clone()))?;
        Ok(metrics)
    }
}
