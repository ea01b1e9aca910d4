//! What the enforcer tells Prometheus.

use std::collections::BTreeMap;

use model::HeldWhy;
use telemetry::{Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Label, Registry, exponential_buckets};

use crate::action::Outcome;
use crate::memory::Memory;
use crate::plan::Call;
use crate::stray::By;

/// Counts mail that left elsewhere than it should, by what told so.
#[derive(Clone, Debug)]
pub(crate) struct Strays([IntCounter; By::ALL.len()]);

impl Strays {
    pub(crate) fn count(&self, by: By) {
        if let Some(counter) = self.0.get(by as usize) {
            counter.inc();
        }
    }
}

/// The enforcer's metrics.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// Calls by kind and outcome.
    pub(crate) actions: IntCounterVec,
    /// Customers whose state at SendGrid is not known to be what it should be.
    pending: IntGauge,
    /// Customers that are held back, by reason.
    held_back: IntGaugeVec,
    /// Changes that others made to whom Weir has moved, and that were put right.
    pub(crate) corrected: IntCounter,
    /// Such changes that were left as they are.
    pub(crate) adopted: IntCounter,
    /// Mail that left elsewhere than it should, by what told so.
    pub(crate) strays: Strays,
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
    pub(crate) fn register(registry: &Registry) -> telemetry::Result<Self> {
        let calls = Call::NAMES.into_iter().chain(["none"]);
        let [corrected, adopted] = registry.words(
            "weir_enforcer_drifts_total",
            "Changes that others made at SendGrid to whom Weir has moved, by what became of them.",
            ("handling", ["corrected", "adopted"]),
        )?;
        let strays = registry.words(
            "weir_enforcer_stray_mails_total",
            "Mails of moved customers that left through another pool or IP than they should, by what told so.",
            ("by", By::ALL.map(By::name)),
        )?;
        Ok(Self {
            actions: registry.counters(
                "weir_enforcer_actions_total",
                "Calls to SendGrid by kind and outcome, and what was held back.",
                &[Label::words("call", calls), Label::words("outcome", Outcome::ALL.map(Outcome::name))],
            )?,
            pending: registry.gauge(
                "weir_enforcer_pending_customers",
                "Customers whose state at SendGrid is not known to be what it should be.",
            )?,
            held_back: registry.gauges(
                "weir_enforcer_held_back_customers",
                "Customers that are held back, by reason.",
                &[Label::words("why", HeldWhy::ALL.map(HeldWhy::name))],
            )?,
            corrected,
            adopted,
            strays: Strays(strays),
            paused: registry.gauge("weir_enforcer_paused", "1 while a person has paused enforcement.")?,
            breaker_open: registry
                .gauge("weir_enforcer_breaker_open", "1 while no call is made to SendGrid because too many failed.")?,
            missing_scopes: registry
                .gauge("weir_enforcer_missing_scopes", "Scopes that the API key lacks for what is configured.")?,
            enforced: registry.histogram(
                "weir_enforcer_enforced_seconds",
                "Time from hearing of a standing to SendGrid's showing it.",
                exponential_buckets(0.01, 3.0, 12)?,
            )?,
        })
    }

    /// Tells how it stands.
    pub(crate) fn tell(&self, memory: &Memory, pending: usize, (paused, breaker_open): (bool, bool)) {
        let mut held: BTreeMap<HeldWhy, i64> = HeldWhy::ALL.into_iter().map(|why| (why, 0)).collect();
        for why in memory.held() {
            *held.entry(why).or_default() += 1;
        }
        self.tell_held(held);
        self.pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
        self.paused.set(i64::from(paused));
        self.breaker_open.set(i64::from(breaker_open));
    }

    /// Tells that nothing is known to be wrong.
    pub(crate) fn tell_nothing(&self) {
        self.tell_held(HeldWhy::ALL.into_iter().map(|why| (why, 0)));
        [&self.pending, &self.paused, &self.breaker_open, &self.missing_scopes]
            .into_iter()
            .for_each(|gauge| gauge.set(0));
    }

    fn tell_held(&self, held: impl IntoIterator<Item = (HeldWhy, i64)>) {
        for (why, customers) in held {
            self.held_back.with_label_values(&[why.name()]).set(customers);
        }
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
