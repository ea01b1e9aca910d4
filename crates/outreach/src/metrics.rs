//! What outreach tells Prometheus.

use telemetry::{IntCounterVec, IntGaugeVec, Label, Registry};

use crate::channel::Channel;

/// The metrics, each by channel.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// Tries by outcome.
    pub(crate) deliveries: IntCounterVec,
    /// Messages that wait.
    pub(crate) waiting: IntGaugeVec,
    /// Customers of whom the latest message did not arrive, or is not known to have.
    pub(crate) given_up: IntGaugeVec,
}

/// What may come of a try.
const OUTCOMES: [&str; 5] = ["delivered", "failed", "given_up", "unknown", "no_contact"];

impl Metrics {
    /// Shows what is counted in `channel` before there is any of it: Prometheus sees no increase in a series that begins at 1.
    pub(crate) fn begin(&self, channel: Channel) {
        for outcome in OUTCOMES {
            self.deliveries.with_label_values(&[channel.name(), outcome]);
        }
    }

    pub(crate) fn register(registry: &Registry) -> telemetry::Result<Self> {
        let channel = Label::words("channel", Channel::ALL.map(Channel::name));
        let outcome = Label::words("outcome", OUTCOMES);
        let gauge = |name: &str, help: &str| registry.gauges(name, help, std::slice::from_ref(&channel));
        Ok(Self {
            waiting: gauge("weir_outreach_waiting", "Messages that wait for a try, for their stage to be in force, or for the quiet time to be over.")?,
            given_up: gauge(
                "weir_outreach_given_up",
                "Customers of whom the latest message was given up, or is not known to have arrived; 1 where that is so of the latest digest.",
            )?,
            deliveries: registry.counters(
                "weir_outreach_deliveries_total",
                "Tries to tell by channel and outcome, messages of which it is not known whether they arrived, and what was given up.",
                &[channel.clone(), outcome],
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
