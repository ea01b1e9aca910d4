//! A day's numbers by kind, SendGrid's and Weir's.
//!
//! | kind | SendGrid's `/v3/stats` | Weir's events |
//! |---|---|---|
//! | `processed` | `processed` | `processed` |
//! | `dropped` | `requests` less `processed` | `dropped` |
//! | `delivered` | `delivered` | `delivered` |
//! | `hard_bounce` | `bounces` | `bounce` that are no blocks |
//! | `block` | `blocks` | `bounce` of type `blocked` |
//! | `spam_report` | `spam_reports` | `spamreport` |
//!
//! SendGrid counts drops by some of their reasons only, so the requests that it did not process stand for all of them.
//! Deferrals are left out: SendGrid counts mails, and events are attempts. So are opens, clicks and unsubscribes: what SendGrid
//! counts of machines, of repetitions and of groups is not documented.
//!
//! Neither is it what time zone SendGrid's days are in: it is taken to be UTC, as is that an event counts on the day that it
//! happened.

use std::collections::BTreeMap;

use model::{Counter, Counts, Day, Figure};
use sendgrid::api::Metrics;

use crate::Hour;

/// The kinds that are compared.
pub const KINDS: [Counter; 6] = [
    Counter::Processed,
    Counter::Dropped,
    Counter::Delivered,
    Counter::HardBounce,
    Counter::Block,
    Counter::SpamReport,
];

/// The counts of a day.
pub fn of_day(day: Day, hours: &BTreeMap<Hour, Counts>) -> Counts {
    Hour::of_day(day).filter_map(|hour| hours.get(&hour)).sum()
}

/// What SendGrid counted, and what Weir did, kind by kind.
pub fn figures(sendgrid: &Metrics, weir: &Counts) -> Vec<Figure> {
    let told = |kind| match kind {
        Counter::Processed => sendgrid.processed,
        Counter::Dropped => sendgrid.requests.saturating_sub(sendgrid.processed),
        Counter::Delivered => sendgrid.delivered,
        Counter::HardBounce => sendgrid.bounces,
        Counter::Block => sendgrid.blocks,
        Counter::SpamReport => sendgrid.spam_reports,
        _ => 0,
    };
    KINDS.into_iter().map(|kind| Figure::new(kind, told(kind), weir[kind].into())).collect()
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;

    #[test]
    fn each_kind_is_held_against_its_own_number() {
        let sendgrid = Metrics {
            requests: 110,
            processed: 100,
            delivered: 80,
            bounces: 7,
            blocks: 5,
            spam_reports: 2,
            deferred: 40,
            ..Metrics::default()
        };
        let mut weir = Counts::ZERO;
        for (kind, count) in
            [(Counter::Processed, 100), (Counter::Dropped, 9), (Counter::Delivered, 60), (Counter::HardBounce, 8)]
        {
            weir[kind] = count;
        }
        let gaps: Vec<_> =
            figures(&sendgrid, &weir).into_iter().map(|figure| (figure.kind.name(), figure.gap)).collect();
        let expected = [
            ("processed", 0),
            ("dropped", 1),
            ("delivered", 20),
            ("hard_bounce", -1),
            ("block", 5),
            ("spam_report", 2),
        ];
        assert_eq!(gaps, expected);
    }

    #[test]
    fn a_day_is_its_hours_and_no_others() {
        let day = Day::of(Timestamp::from_seconds(1_790_000_000));
        let first = Hour::of(day.start());
        let mut one = Counts::ZERO;
        one.count(Counter::Delivered);
        let hours = (-2..30).map(|hour| (first.plus(hour), one)).collect();
        assert_eq!(of_day(day, &hours)[Counter::Delivered], 24);
    }
}
