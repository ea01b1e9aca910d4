//! Events, counted by day.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::civil::Date;
use model::Provider;
use serde_json::Value;

/// What is counted of all mail.
pub(in super::super) const METRICS: [&str; 16] = [
    "blocks",
    "bounce_drops",
    "bounces",
    "clicks",
    "deferred",
    "delivered",
    "invalid_emails",
    "opens",
    "processed",
    "requests",
    "spam_report_drops",
    "spam_reports",
    "unique_clicks",
    "unique_opens",
    "unsubscribe_drops",
    "unsubscribes",
];

/// What is counted of the mail to one mailbox provider.
pub(in super::super) const PROVIDER_METRICS: [&str; 8] =
    ["blocks", "bounces", "deferred", "delivered", "drops", "processed", "requests", "spam_reports"];

/// How often each metric was met.
pub(in super::super) type Counts = BTreeMap<&'static str, u64>;

/// One day's counts.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct DayTally {
    pub(in super::super) all: Counts,
    pub(in super::super) providers: BTreeMap<Provider, Counts>,
}

/// Counts by the day, in UTC, of the event.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Tallies {
    days: BTreeMap<Date, DayTally>,
    /// Mails that were opened or clicked before.
    met: HashSet<u64>,
}

impl Tallies {
    /// Counts an event of a day.
    pub(in super::super) fn tell(&mut self, event: &Value, day: Date) {
        let mut metrics = metrics(event).to_vec();
        if let Some(unique) = unique(&metrics).filter(|unique| self.met.insert(digest(event, unique))) {
            metrics.push(unique);
        }
        let tally = self.days.entry(day).or_default();
        let email = event.get("email").and_then(Value::as_str).unwrap_or_default();
        let provider = tally.providers.entry(Provider::of_address(email)).or_default();
        for metric in metrics {
            *tally.all.entry(metric).or_default() += 1;
            *provider.entry(metric).or_default() += 1;
        }
    }

    /// A day's counts, if anything happened on it.
    pub(in super::super) fn of(&self, day: Date) -> Option<&DayTally> {
        self.days.get(&day)
    }

    /// The latest day with an event.
    pub(in super::super) fn latest(&self) -> Option<Date> {
        self.days.keys().next_back().copied()
    }
}

/// What an event counts as. A request is processed or dropped.
fn metrics(event: &Value) -> &'static [&'static str] {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("event") {
        "processed" => &["requests", "processed"],
        "delivered" => &["delivered"],
        "deferred" => &["deferred"],
        "bounce" if text("type") == "blocked" => &["blocks"],
        "bounce" => &["bounces"],
        "open" => &["opens"],
        "click" => &["clicks"],
        "spamreport" => &["spam_reports"],
        "unsubscribe" => &["unsubscribes"],
        "dropped" => match text("reason") {
            "Bounced Address" => &["requests", "drops", "bounce_drops"],
            "Spam Reporting Address" => &["requests", "drops", "spam_report_drops"],
            "Unsubscribed Address" => &["requests", "drops", "unsubscribe_drops"],
            "Invalid" => &["requests", "drops", "invalid_emails"],
            _ => &["requests", "drops"],
        },
        _ => &[],
    }
}

fn unique(metrics: &[&str]) -> Option<&'static str> {
    match metrics {
        ["opens"] => Some("unique_opens"),
        ["clicks"] => Some("unique_clicks"),
        _ => None,
    }
}

fn digest(event: &Value, metric: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    (metric, text("sg_message_id"), text("email")).hash(&mut hasher);
    hasher.finish()
}
