//! What the comparison tells Prometheus.

use model::{CompletenessReport, MailAccount};
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry};

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
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let gauge = |name: &str, help: &str| IntGaugeVec::new(Opts::new(name, help), &["account"]);
        let metrics = Self {
            gap: GaugeVec::new(
                Opts::new(
                    "weir_completeness_gap_ratio",
                    "Share of the events that SendGrid counted on the last day compared which Weir does not have, by kind; \
                     below zero where Weir has more.",
                ),
                &["account", "kind"],
            )?,
            missing_hours: gauge(
                "weir_completeness_missing_hours",
                "Hours of the last day compared of which events are missing.",
            )?,
            compared: gauge(
                "weir_completeness_compared_timestamp_seconds",
                "When an account's events were last compared with SendGrid's, in Unix seconds.",
            )?,
            failures: IntCounterVec::new(
                Opts::new("weir_completeness_failures_total", "Comparisons that failed and are tried again."),
                &["account"],
            )?,
        };
        registry.register(Box::new(metrics.gap.clone()))?;
        registry.register(Box::new(metrics.missing_hours.clone()))?;
        registry.register(Box::new(metrics.compared.clone()))?;
        registry.register(Box::new(metrics.failures.clone()))?;
        Ok(metrics)
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
