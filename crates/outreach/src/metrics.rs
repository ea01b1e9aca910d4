//! What outreach tells Prometheus.

use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

/// The metrics, each by channel.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// Tries by outcome.
    pub(crate) deliveries: IntCounterVec,
    /// Messages that wait.
    pub(crate) waiting: IntGaugeVec,
    /// Customers of whom the latest message was given up, or is not known to have arrived.
    pub(crate) given_up: IntGaugeVec,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let gauge = |name: &str, help: &str| IntGaugeVec::new(Opts::new(name, help), &["channel"]);
        let help = "Messages by channel and outcome: delivered, failed (tried again), given_up, unknown (not repeated) or no_contact.";
        let metrics = Self {
            deliveries: IntCounterVec::new(Opts::new("weir_outreach_deliveries_total", help), &["channel", "outcome"])?,
            waiting: gauge("weir_outreach_waiting", "Messages that wait for a try, or for their stage to be in force.")?,
            given_up: gauge(
                "weir_outreach_given_up",
                "Customers of whom the latest message was given up, or is not known to have arrived.",
            )?,
        };
        registry.register(Box::new(metrics.deliveries.clone()))?;
        registry.register(Box::new(metrics.waiting.clone()))?;
        registry.register(Box::new(metrics.given_up.clone()))?;
        Ok(metrics)
    }
}
