//! What the enforcer tells Prometheus.

use std::collections::BTreeMap;

use model::HeldWhy;
use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, exponential_buckets};

use crate::memory::Memory;

/// The enforcer's metrics.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// Calls by kind and outcome.
    pub(crate) actions: IntCounterVec,
    /// Customers whose state at SendGrid is not known to be what it should be.
    pending: IntGauge,
    /// Customers that are held back, by reason.
    held_back: IntGaugeVec,
    /// Changes that others made to whom Weir has moved, by what became of them.
    pub(crate) drifts: IntCounterVec,
    /// Mail that left elsewhere than it should, by what told so.
    pub(crate) strays: IntCounterVec,
    /// Whether a person has paused enforcement.
    paused: IntGauge,
    /// Whether no call is made because too many failed.
    breaker_open: IntGauge,
    /// Scopes that the API key lacks for what is configured.
    pub(crate) missing_scopes: IntGauge,
    /// Time from hearing of a standing to SendGrid's showing it.
    pub(crate) enforced: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counters = |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let metrics = Self {
            actions: counters(
                "weir_enforcer_actions_total",
                "Calls to SendGrid by kind and outcome, and what was held back.",
                &["call", "outcome"],
            )?,
            pending: IntGauge::new(
                "weir_enforcer_pending_customers",
                "Customers whose state at SendGrid is not known to be what it should be.",
            )?,
            held_back: IntGaugeVec::new(
                Opts::new("weir_enforcer_held_back_customers", "Customers that are held back, by reason."),
                &["why"],
            )?,
            drifts: counters(
                "weir_enforcer_drifts_total",
                "Changes that others made at SendGrid to whom Weir has moved, by what became of them.",
                &["handling"],
            )?,
            strays: counters(
                "weir_enforcer_stray_mails_total",
                "Mails of moved customers that left through another pool or IP than they should, by what told so.",
                &["by"],
            )?,
            paused: IntGauge::new("weir_enforcer_paused", "1 while a person has paused enforcement.")?,
            breaker_open: IntGauge::new(
                "weir_enforcer_breaker_open",
                "1 while no call is made to SendGrid because too many failed.",
            )?,
            missing_scopes: IntGauge::new(
                "weir_enforcer_missing_scopes",
                "Scopes that the API key lacks for what is configured.",
            )?,
            enforced: Histogram::with_opts(
                HistogramOpts::new(
                    "weir_enforcer_enforced_seconds",
                    "Time from hearing of a standing to SendGrid's showing it.",
                )
                .buckets(exponential_buckets(0.01, 3.0, 12)?),
            )?,
        };
        registry.register(Box::new(metrics.actions.clone()))?;
        registry.register(Box::new(metrics.pending.clone()))?;
        registry.register(Box::new(metrics.held_back.clone()))?;
        registry.register(Box::new(metrics.drifts.clone()))?;
        registry.register(Box::new(metrics.strays.clone()))?;
        registry.register(Box::new(metrics.paused.clone()))?;
        registry.register(Box::new(metrics.breaker_open.clone()))?;
        registry.register(Box::new(metrics.missing_scopes.clone()))?;
        registry.register(Box::new(metrics.enforced.clone()))?;
        Ok(metrics)
    }

    /// Tells how it stands.
    pub(crate) fn tell(&self, memory: &Memory, pending: usize, (paused, breaker_open): (bool, bool)) {
        let mut held: BTreeMap<HeldWhy, i64> = HeldWhy::ALL.into_iter().map(|why| (why, 0)).collect();
        for why in memory.held() {
            *held.entry(why).or_default() += 1;
        }
        for (why, customers) in held {
            self.held_back.with_label_values(&[why.name()]).set(customers);
        }
        self.pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
        self.paused.set(i64::from(paused));
        self.breaker_open.set(i64::from(breaker_open));
    }
}
