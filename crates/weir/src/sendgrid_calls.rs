//! What is told of the calls to SendGrid's API.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sendgrid::api::{CallOutcome, Endpoint, TriedCall, Watcher};
use telemetry::{IntCounterVec, IntGaugeVec, Label, Registry};

/// Counts every try of every call.
#[derive(Debug)]
pub(crate) struct SendGridCalls {
    requests: IntCounterVec,
    /// Without a label, and so without a series before SendGrid has told of a limit.
    remaining: IntGaugeVec,
    /// What was last told to be left of each endpoint's limit, and until when that holds.
    left: Mutex<BTreeMap<Endpoint, (u32, Instant)>>,
}

impl SendGridCalls {
    pub(crate) fn register(registry: &Registry) -> telemetry::Result<Self> {
        let endpoints = || Endpoint::ALL.iter().map(|endpoint| endpoint.name());
        let outcomes = CallOutcome::ALL.map(CallOutcome::name);
        let requests = registry.counters(
            "weir_sendgrid_requests_total",
            "Requests to SendGrid's API, each try counted, by endpoint and by what came of them.",
            &[Label::words("endpoint", endpoints()), Label::words("outcome", outcomes)],
        )?;
        // From 0 on: Prometheus sees no increase in a series that begins at 1.
        for (endpoint, outcome) in endpoints().flat_map(|endpoint| outcomes.map(|outcome| (endpoint, outcome))) {
            requests.with_label_values(&[endpoint, outcome]);
        }
        Ok(Self {
            requests,
            remaining: registry.gauges(
                "weir_sendgrid_rate_limit_remaining",
                "Requests left before SendGrid's rate limit starts anew, of the endpoint of which the fewest were left when it last told.",
                &[],
            )?,
            left: Mutex::default(),
        })
    }
}

impl Watcher for SendGridCalls {
    fn tried(&self, tried: &TriedCall) {
        self.requests.with_label_values(&[tried.endpoint.name(), tried.outcome.name()]).inc();
        let Some(quota) = tried.quota else { return };
        let now = Instant::now();
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        // A limit that has started anew since says nothing any more.
        left.retain(|_, (_, until)| *until > now);
        left.insert(tried.endpoint, (quota.remaining, now + quota.resets_in));
        let least = left.values().map(|(remaining, _)| *remaining).min();
        self.remaining.with_label_values::<&str>(&[]).set(least.unwrap_or(quota.remaining).into());
    }
}
