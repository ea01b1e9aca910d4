//! Whether Weir has all events that SendGrid counted.

use std::collections::BTreeMap;

use maud::{Markup, html};
use model::figures::count;
use model::{CompletenessReport, Day, MailAccount, Millis, Timestamp};

use super::{DAYS, Overview};
use crate::pages::{parts, words};

/// How long after a day's end its comparison is waited for: SendGrid's own figures of a day come late.
const DUE: Millis = Millis::hours(6);

/// Whether events are being lost, in a line. Nobody is told that none are where an account was not compared of late.
pub(super) fn losing(overview: &Overview) -> (Markup, &'static str) {
    let fresh = html! {
        @match overview.fleet.as_of {
            Some(as_of) => span class="soft" { "Counted up to " (parts::ago(as_of, overview.now)) },
            None => span class="soft" { "Nothing is counted yet" },
        }
    };
    let newest = newest(&overview.reports);
    let Some(oldest) = newest.values().map(|report| report.day).min() else {
        return (html! { "Not compared with SendGrid in the last " (DAYS) " days " (fresh) }, "");
    };
    let incomplete: Vec<_> = newest.values().filter(|report| !report.is_complete()).collect();
    if let Some(worst) = incomplete.iter().max_by(|one, other| gap(one).total_cmp(&gap(other))) {
        let hours: usize = incomplete.iter().map(|report| report.missing_hours.len()).sum();
        let told = html! {
            a href="#completeness" { "Yes: " (words::percent(gap(worst))) " of " (worst.day) } " "
            span class="soft" { (count(hours, "hour", "hours")) " with gaps" }
        };
        return (told, if gap(worst) >= 0.001 || hours > 0 { "alarm" } else { "warn" });
    }
    let overdue: Vec<_> = newest.values().filter(|report| report.day < due(overview.now)).collect();
    match overdue.as_slice() {
        [] => (html! { a href="#completeness" { "No: " (oldest) " is complete" } " " (fresh) }, "good"),
        [first, others @ ..] => {
            let told = html! {
                a href="#completeness" { "Not known since " (oldest) } " "
                span class="soft" {
                    bdi { (first.account) }
                    @if !others.is_empty() { " and " (count(others.len(), "other account", "other accounts")) }
                    " not compared since: does the comparison run?"
                }
            };
            (told, "warn")
        }
    }
}

/// The newest report of each account.
fn newest(reports: &[CompletenessReport]) -> BTreeMap<&MailAccount, &CompletenessReport> {
    let mut newest: BTreeMap<&MailAccount, &CompletenessReport> = BTreeMap::new();
    for report in reports {
        let known = newest.entry(&report.account).or_insert(report);
        if report.day > known.day {
            *known = report;
        }
    }
    newest
}

/// The last day of which there should be a report by now.
fn due(now: Timestamp) -> Day {
    Day::of(now - DUE).before(1)
}

/// The largest share that is missing of any kind of event.
fn gap(report: &CompletenessReport) -> f64 {
    report.figures.iter().map(|figure| figure.share).fold(0.0, f64::max)
}

pub(super) fn reports(overview: &Overview) -> Markup {
    let mut reports: Vec<_> = overview.reports.iter().collect();
    reports.sort_by(|a, b| b.day.cmp(&a.day).then_with(|| a.account.cmp(&b.account)));
    let table = html! {
        table class="figures" {
            caption { "What SendGrid counted and Weir does not have, by day" }
            thead { tr {
                th scope="col" { "Day" } th scope="col" { "Account" }
                th scope="col" class="number" { "Missing" } th scope="col" { "Hours with gaps" }
            } }
            tbody { @for report in reports { tr {
                th scope="row" { (report.day) }
                td { bdi { (report.account) } }
                td class={ "number" @if !report.is_complete() { " high" } } { @if report.is_complete() { "nothing" } @else { (words::percent(gap(report))) } }
                td { (hours(report)) }
            } } }
        }
    };
    html! {
        section aria-labelledby="completeness" data-live="completeness" {
            h2 id="completeness" { "Completeness" }
            @if overview.reports.is_empty() { (parts::nothing("No day has been compared with SendGrid's own figures yet.")) }
            @else { (parts::scrolling("Completeness", &table)) }
            p { a href="/rejects" { "Rejected events" } }
        }
    }
}

/// The hours of which events are missing, by the clock.
fn hours(report: &CompletenessReport) -> Markup {
    const SHOWN: usize = 6;
    let hour = |at: Timestamp| at.to_string().get(11..16).unwrap_or_default().to_owned();
    let names: Vec<_> = report.missing_hours.iter().take(SHOWN).map(|missing| hour(missing.hour)).collect();
    html! {
        @if names.is_empty() { "–" } @else {
            (names.join(", "))
            @if report.missing_hours.len() > SHOWN { " and " (report.missing_hours.len() - SHOWN) " more" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_days_report_is_due_six_hours_after_its_end() {
        let told = |now: &str| due(now.parse().unwrap()).to_string();
        assert_eq!(told("2026-09-21T05:59:59Z"), "2026-09-19");
        assert_eq!(told("2026-09-21T06:00:00Z"), "2026-09-20");
        assert_eq!(told("2026-09-21T23:59:59Z"), "2026-09-20");
    }
}
