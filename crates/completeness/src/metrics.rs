//! What the comparison tells Prometheus.

use model::{CompletenessReport, Counter, MailAccount};
use telemetry::{GaugeVec, IntCounterVec, IntGaugeVec, Label, Registry};

/// The metrics, each by account.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// By kind, too.
    gap: GaugeVec,
    missing_hours: IntGaugeVec,
    compared: IntGaugeVec,
    pub(crate) failures: IntCounterVec,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> telemetry::Result<Self> {
        let account = Label::configured("account", "subuser as `subuser:NAME`, or `parent`");
        let kind = Label::words("kind", Counter::ALL.map(Counter::name));
        Ok(Self {
            gap: registry.real_gauges(
                "weir_completeness_gap_ratio",
                "Share of the events that SendGrid counted on the last day compared which Weir does not have, by kind; \
                 below zero where Weir has more.",
                &[account.clone(), kind],
            )?,
            missing_hours: registry.gauges(
                "weir_completeness_missing_hours",
                "Hours of the last day compared of which events are missing.",
                &[account.clone()],
            )?,
            compared: registry.gauges(
                "weir_completeness_compared_timestamp_seconds",
                "When an account's events were last compared with SendGrid's, in Unix seconds.",
                &[account.clone()],
            )?,
            failures: registry.counters(
                "weir_completeness_failures_total",
                "Comparisons that failed and are tried again.",
                &[account],
            )?,
        })
    }

    /// An account that was never compared has its counter all the same, so that an alert has what to look at.
    pub(crate) fn begin(&self, account: &MailAccount) {
        self.failures.with_label_values(&[account.to_string()]).inc_by(0);
    }

    /// Tells of the last day that was compared.
    pub(crate) fn tell(&self, report: &CompletenessReport) {
        let account = report.account.to_string();
        for figure in &report.figures {
            self.gap.with_label_values(&[account.as_str(), figure.kind.name()]).set(figure.share);
        }
        let missing = i64::try_from(report.missing_hours.len()).unwrap_or(i64::MAX);
        self.missing_hours.with_label_values(&[account.as_str()]).set(missing);
    }

    /// Tells when an account was compared.
    pub(crate) fn tell_compared(&self, report: &CompletenessReport) {
        let compared = self.compared.with_label_values(&[report.account.to_string()]);
        compared.set(compared.get().max(report.compared_at.seconds()));
    }

    /// Whoever has the office next tells these.
    pub(crate) fn reset(&self) {
        self.gap.reset();
        self.missing_hours.reset();
        self.compared.reset();
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
