//! The report as one page that needs nothing from anywhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use model::figures::thousands;
use model::{Stage, Timestamp};

use super::chart::{Frame, Mark, Shape, lines, stacked};
use super::words;
use crate::compare::{Tally, differences, findings};
use crate::outcome::{Outcome, Run};

/// Rows of a table; a browser holds no more in comfort.
const ROWS: usize = 5_000;
const STYLE: &str = include_str!("style.css");
/// The stages that are drawn: the healthy ones would hide all others.
const DRAWN: [(Stage, &str); 5] = [
    (Stage::Watch, "watch"),
    (Stage::Throttled, "throttled"),
    (Stage::Quarantined, "quarantined"),
    (Stage::Suspended, "suspended"),
    (Stage::Banned, "banned"),
];
/// The figures of the summary.
const HEADS: [&str; 5] =
    ["decisions", "only said (shadow)", "customers found", "bad mail", "of it from customers not found by then"];
/// How the runs are drawn, in their order.
const RUNS: [&str; 2] = ["first", "second"];

/// A page with a summary, the differences, charts, and every decision.
pub fn html(outcome: &Outcome) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Backtest" }
                style { (PreEscaped(STYLE)) }
            }
            body { main {
                h1 { "Backtest" }
                (summary(outcome))
                @if let (Some(live), Some(run)) = (&outcome.live, outcome.runs.first()) { (compared(&live.run, run)) }
                @if let [first, second, ..] = outcome.runs.as_slice() { (compared(first, second)) }
                (over_time(&outcome.runs))
                (before_being_found(&outcome.runs))
                @for run in &outcome.runs { (moves(run)) }
            } }
        }
    };
    page.into_string()
}

fn summary(outcome: &Outcome) -> Markup {
    html! {
        @for line in words::read(&outcome.read) { p { (line) } }
        @for line in words::beside_life(outcome) { p { (line) } }
        div class="scroll" { table {
            caption { "Found means throttled or worse. Bad mail: hard bounces, complaints and blocks for conduct." }
            thead { tr {
                th scope="col" { "policy" }
                @for head in HEADS {
                    th scope="col" class="number" { (head) }
                }
            } }
            tbody { @for run in &outcome.runs {
                @let (bad, unfound) = words::bad(run).unwrap_or_default();
                tr {
                    th scope="row" { (run.name) br; code { (run.digest) } }
                    td class="number" { (thousands(run.moves().count())) }
                    td class="number" { (thousands(run.would_be())) }
                    td class="number" { (findings(run).len()) }
                    td class="number" { (thousands(bad)) }
                    td class="number" { (thousands(unfound)) }
                }
            } }
        } }
    }
}

fn compared(first: &Run, second: &Run) -> Markup {
    let differences = differences(first, second);
    html! {
        h2 { (second.name) " beside " (first.name) }
        p { (words::tally(Tally::of(&differences), first, second)) }
        @if !differences.is_empty() { div class="scroll" { table {
            (cut(differences.len(), "differences"))
            thead { tr { th scope="col" { "customer" } th scope="col" { "difference" } } }
            tbody { @for difference in differences.iter().take(ROWS) {
                tr { th scope="row" { (difference.customer) } td { (words::difference(difference, first, second)) } }
            } }
        } } }
    }
}

fn over_time(runs: &[Run]) -> Markup {
    html! {
        h2 { "Over time" }
        @for run in runs {
            (stages(run))
            (stage_table(run))
        }
        (bad_mail(runs))
    }
}

fn stages(run: &Run) -> Markup {
    let seen = DRAWN.into_iter().filter(|(stage, _)| words::extent(run, *stage)[1] > 0);
    let area = |(stage, class): (Stage, &'static str)| {
        let counts = words::counts(run, stage).into_iter().map(number);
        Shape { name: stage.to_string(), class, points: moments(run).zip(counts).collect() }
    };
    let shapes: Vec<_> = seen.map(area).collect();
    stacked(&frame(format!("Customers by stage, the healthy ones left out: {}", run.name), run), &shapes)
}

fn stage_table(run: &Run) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "stage" }
                @for head in ["at first", "at most", "in the end"] { th scope="col" class="number" { (head) } }
            } }
            tbody { @for stage in Stage::ALL { @let extent = words::extent(run, stage); @if extent[1] > 0 {
                tr { th scope="row" { (stage) } @for count in extent { td class="number" { (thousands(count)) } } }
            } } }
        }
    }
}

fn bad_mail(runs: &[Run]) -> Markup {
    let Some(first) = runs.first() else { return html! {} };
    let line = |run: &Run, class, name: String, figure: &dyn Fn(&crate::Sample) -> u64| {
        let figures = run.samples.iter().map(|sample| number(figure(sample)));
        Shape { name, class, points: moments(run).zip(figures).collect() }
    };
    let mut shapes = vec![line(first, "all", "all bad mail".to_owned(), &|sample| sample.bad)];
    shapes.extend(runs.iter().zip(RUNS).map(|(run, class)| {
        line(run, class, format!("from customers not found by then: {}", run.name), &|sample| sample.unfound)
    }));
    lines(&frame("Bad mail so far".to_owned(), first), &shapes)
}

/// How many customers were found before they had sent so many mails; the mails on a logarithmic axis.
fn before_being_found(runs: &[Run]) -> Markup {
    let shape = |(run, class): (&Run, &'static str)| {
        let mut mails: Vec<u32> = findings(run).values().filter_map(|finding| finding.first.mails).collect();
        mails.sort_unstable();
        let mut points = vec![(0.0, 0.0)];
        for (before, mails) in (0..).zip(mails) {
            let x = f64::from(mails.max(1)).log10();
            points.extend([(x, number(before)), (x, number(before + 1))]);
        }
        Shape { name: run.name.clone(), class, points }
    };
    let mut shapes: Vec<_> = runs.iter().zip(RUNS).map(shape).collect();
    let ends = shapes.iter().filter_map(|shape| shape.points.last()).map(|point| point.0);
    let most = ends.fold(1.0, f64::max).ceil();
    for shape in &mut shapes {
        let found = shape.points.last().map_or(0.0, |point| point.1);
        shape.points.push((most, found));
    }
    let powers = [0_u8, 1, 2, 3, 4, 5, 6, 7, 8, 9].into_iter().filter(|power| f64::from(*power) <= most);
    let mark = |power: u8| Mark { at: f64::from(power), label: thousands(10_u64.pow(power.into())) };
    let title = "Customers found by the time they had sent so many mails".to_owned();
    html! {
        h2 { "Mails before being found" }
        (lines(&Frame { title, x: (0.0, most), marks: powers.map(mark).collect() }, &shapes))
    }
}

/// Says that a table doesn't show everything, where it doesn't.
fn cut(rows: usize, what: &str) -> Markup {
    html! { @if rows > ROWS { caption { "The first " (thousands(ROWS)) " of " (thousands(rows)) " " (what) "." } } }
}

fn moves(run: &Run) -> Markup {
    html! {
        h2 { "Decisions of " (run.name) }
        div class="scroll" { table {
            (cut(run.made.len(), "decisions; --json has all"))
            thead { tr {
                @for head in ["time", "customer", "move", "rule"] { th scope="col" { (head) } }
                th scope="col" class="number" { "mails before" }
                th scope="col" { "why" }
            } }
            tbody { @for made in run.made.iter().take(ROWS) {
                @let decision = &made.decision;
                tr {
                    td { (decision.at) }
                    th scope="row" { (decision.customer) }
                    td { (words::step(made)) }
                    td { (decision.rule) }
                    td class="number" { (words::mails(made)) }
                    td { (words::why(decision)) }
                }
            } }
        } }
    }
}

/// A frame from the run's first moment to its last.
fn frame(title: String, run: &Run) -> Frame {
    let ends = run.samples.first().zip(run.samples.last()).map(|(first, last)| (first.at, last.at));
    let (first, last) = ends.unwrap_or_default();
    let mark = |at: Timestamp| Mark { at: moment(at), label: at.to_string() };
    Frame { title, x: (moment(first), moment(last)), marks: vec![mark(first), mark(last)] }
}

fn moments(run: &Run) -> impl Iterator<Item = f64> {
    run.samples.iter().map(|sample| moment(sample.at))
}

#[expect(clippy::cast_precision_loss, reason = "a picture is coarser")]
const fn moment(at: Timestamp) -> f64 {
    at.millis() as f64
}

#[expect(clippy::cast_precision_loss, reason = "a picture is coarser")]
const fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_cut_says_so() {
        assert_eq!(cut(ROWS, "differences").into_string(), "");
        assert_eq!(
            cut(ROWS + 1, "differences").into_string(),
            "<caption>The first 5,000 of 5,001 differences.</caption>"
        );
    }
}
