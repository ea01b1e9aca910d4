//! What SendGrid counted that Weir does not have, asked of the Weir that runs, as a table and in words.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use model::{CompletenessReport, Counter, Millis, MissingHour, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cli::{CompletenessOptions, print};
use crate::running_weir::RunningWeir;

const HOUR: Millis = Millis::hours(1);

/// What the API answers.
#[derive(Deserialize, Serialize)]
struct Answer {
    reports: Vec<CompletenessReport>,
}

/// Asks, and prints what is missing.
pub(crate) async fn show(options: CompletenessOptions) -> anyhow::Result<()> {
    let CompletenessOptions { days, asking } = options;
    let weir = RunningWeir::named(&asking.at)?;
    let answer: Answer = weir.answer(weir.get("/v1/completeness").query(&[("days", days)])).await?;
    print(&if asking.json { serde_json::to_string_pretty(&answer)? } else { in_words(&answer.reports, days) });
    Ok(())
}

fn in_words(reports: &[CompletenessReport], days: u32) -> String {
    if reports.is_empty() {
        return format!(
            "None of the last {days} days was compared with SendGrid. A day is compared some hours after its end, and only if \
             Weir had its sources from its first moment on; [completeness] says whether and when, and the log what failed."
        );
    }
    let mut text = format!("{}\n", table(reports));
    for report in reports {
        // Writing to a string can't fail.
        let _unfailing = write!(text, "\n{}", sentences(report));
    }
    text
}

fn table(reports: &[CompletenessReport]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    table.set_header(["day", "account", "kind", "SendGrid's", "Weir's", "gap", "share"]);
    for report in reports {
        for figure in &report.figures {
            table.add_row([
                report.day.to_string(),
                report.account.to_string(),
                figure.kind.name().to_owned(),
                figure.sendgrid.to_string(),
                figure.weir.to_string(),
                figure.gap.to_string(),
                format!("{:.2} %", figure.share * 100.0),
            ]);
        }
    }
    for column in 3..=6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The hours of a day of which events are missing, a line for each stretch.
fn sentences(report: &CompletenessReport) -> String {
    let CompletenessReport { day, account, .. } = report;
    if report.is_complete() {
        return format!("{day} {account}: nothing is missing.\n");
    }
    if report.missing_hours.is_empty() {
        return format!("{day} {account}: events are missing, and nothing tells of which hours.\n");
    }
    let mut text = format!("{day} {account}: events are missing of these hours (UTC):\n");
    for (from, until, what) in stretches(&report.missing_hours) {
        // Writing to a string can't fail.
        let _unfailing = writeln!(text, "  {} to {}: {what}", clock(from), clock(until));
    }
    text
}

/// Hours that follow each other and of which the same is to be said, together.
fn stretches(hours: &[MissingHour]) -> Vec<(Timestamp, Timestamp, String)> {
    let mut stretches: Vec<(Timestamp, Timestamp, String)> = Vec::new();
    for missing in hours {
        let what = what(missing);
        match stretches.last_mut() {
            Some((_, until, said)) if *until == missing.hour && *said == what => *until = missing.hour + HOUR,
            _ => stretches.push((missing.hour, missing.hour + HOUR, what)),
        }
    }
    stretches
}

fn what(missing: &MissingHour) -> String {
    let silent = missing.silent.then(|| "no event at all".to_owned());
    let fewer = missing.fewer.iter().map(|fewer| {
        let kind =
            if fewer.sendgrid == 1 { singular(fewer.kind).to_owned() } else { format!("{}s", singular(fewer.kind)) };
        format!("{} {kind} at SendGrid, {} here", fewer.sendgrid, fewer.weir)
    });
    silent.into_iter().chain(fewer).collect::<Vec<_>>().join("; ")
}

const fn singular(kind: Counter) -> &'static str {
    match kind {
        Counter::HardBounce => "hard bounce",
        Counter::SpamReport => "spam report",
        other => other.name(),
    }
}

/// The time of day, in UTC.
fn clock(at: Timestamp) -> String {
    let minutes = at.seconds().div_euclid(60).rem_euclid(24 * 60);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use model::{Day, Fewer, Figure, MailAccount};

    use super::*;

    fn report(missing_hours: Vec<MissingHour>, weir: u64) -> CompletenessReport {
        let day = Day::of(Timestamp::from_seconds(1_790_000_000));
        CompletenessReport {
            account: MailAccount::of(Some("acme")),
            sources: vec!["acme".to_owned()],
            day,
            compared_at: day.end() + Millis::hours(6),
            figures: vec![Figure::new(Counter::Delivered, 400, weir)],
            missing_hours,
        }
    }

    #[test]
    fn the_hours_are_told_in_words_and_those_alike_together() {
        let day = Day::of(Timestamp::from_seconds(1_790_000_000));
        let hour = |hour, silent, bounces| {
            let fewer = Fewer { kind: Counter::HardBounce, sendgrid: bounces, weir: 0 };
            let fewer = if bounces > 0 { vec![fewer] } else { Vec::new() };
            MissingHour { hour: day.start() + Millis::hours(hour), silent, fewer }
        };
        let hours = vec![hour(7, true, 0), hour(8, true, 0), hour(9, true, 3), hour(23, false, 1)];
        let text = in_words(&[report(hours, 300), report(Vec::new(), 399), report(Vec::new(), 400)], 7);
        for line in [
            "2026-09-21 subuser:acme: events are missing of these hours (UTC):",
            "  07:00 to 09:00: no event at all",
            "  09:00 to 10:00: no event at all; 3 hard bounces at SendGrid, 0 here",
            "  23:00 to 00:00: 1 hard bounce at SendGrid, 0 here",
            "2026-09-21 subuser:acme: events are missing, and nothing tells of which hours.",
            "2026-09-21 subuser:acme: nothing is missing.",
        ] {
            assert!(text.lines().any(|told| told == line), "{line}\n{text}");
        }
        let row = text.lines().find(|line| line.contains("delivered")).unwrap();
        let cells: Vec<_> = row.split_whitespace().filter(|cell| *cell != "│").collect();
        assert_eq!(cells, ["2026-09-21", "subuser:acme", "delivered", "400", "300", "100", "25.00", "%"]);
    }

    #[test]
    fn where_nothing_was_compared_it_says_so() {
        assert!(in_words(&[], 7).starts_with("None of the last 7 days"));
    }
}
