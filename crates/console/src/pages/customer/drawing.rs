//! A rate over time, drawn as SVG, with its figures as a table behind it.

use maud::{Markup, html};
use model::figures::thousands;
use model::{Millis, Timestamp};
use policy::Fraction;

use super::chart::{BOTTOM, Chart, FEW, HEIGHT, LEFT, Move, Point, RIGHT, TOP, WIDTH};
use crate::pages::words;

/// Radius of a dot, and of a flag.
const DOT: f64 = 2.25;
const FLAG: f64 = 3.5;

/// The picture, with its figures as a table behind it.
pub(super) fn figure(chart: &Chart) -> Markup {
    let all = chart.points.iter().map(|point| point.seen).fold(Fraction::default(), Fraction::plus);
    let (from, until) = (words::moment(chart.from), words::moment(chart.until));
    let told = format!("{} by the {} from {from} to {until}: {} of all.", chart.title, chart.bucket, words::rate(all));
    html! {
        figure class="chart" {
            figcaption {
                strong { (chart.title) } " "
                span class="soft" { (words::rate(all)) " of " (thousands(all.mails)) }
            }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label={ (told) " The figures stand below as a table." } {
                (grid(chart))
                (bars(chart))
                (limits(chart))
                @for one in &chart.moves { (flag(chart, one)) }
                path class="line" d=(chart.path()) {}
                @for point in chart.filled() { (dot(chart, point)) }
            }
            (figures(chart))
        }
    }
}

/// What the lines and marks of all pictures mean.
pub(super) fn key() -> Markup {
    let sample = |drawn: &Markup, words: &str| {
        html! { li { svg viewBox="0 0 24 10" aria-hidden="true" focusable="false" { (drawn) } (words) } }
    };
    html! {
        ul class="key chart-key" {
            (sample(&html! { path class="line" d="M1 7L23 4" {} circle class="dot" cx="12" cy="5.5" r="2.5" {} }, "rate"))
            (sample(&html! { circle class="dot few" cx="12" cy="5" r="2.5" {} }, "of few mails"))
            (sample(&html! { line class="limit" x1="1" x2="23" y1="5" y2="5" {} }, "limit of a rule, and where it leads"))
            (sample(&html! { line class="fleet" x1="1" x2="23" y1="5" y2="5" {} }, "all customers"))
            (sample(&html! { rect class="volume" x="4" y="2" width="7" height="8" {} rect class="volume" x="13" y="5" width="7" height="5" {} }, "mails"))
            (sample(&html! { g class="watch" { line class="mark" x1="12" x2="12" y1="0" y2="10" {} circle class="flag" cx="12" cy="4" r="3.5" {} } }, "decision"))
        }
    }
}

fn fixed(place: f64) -> String {
    format!("{place:.1}")
}

fn grid(chart: &Chart) -> Markup {
    let rates = [0.0, chart.top() / 2.0, chart.top()];
    html! {
        @for rate in rates {
            @let y = chart.y(rate);
            line class="grid" x1=(LEFT) x2=(WIDTH - RIGHT) y1=(fixed(y)) y2=(fixed(y)) {}
            text x=(LEFT - 6.0) y=(fixed(y + 3.5)) text-anchor="end" { (short(rate)) }
        }
        @for (x, at) in chart.ticks() {
            line class="grid" x1=(fixed(x)) x2=(fixed(x)) y1=(HEIGHT - BOTTOM) y2=(HEIGHT - BOTTOM + 3.0) {}
            text x=(fixed(x)) y=(HEIGHT - 5.0) text-anchor="middle" { (tick(at, chart)) }
        }
    }
}

/// A rate at the edge of a picture, without needless zeros.
fn short(rate: f64) -> String {
    let percent = format!("{:.3}", rate * 100.0);
    format!("{} %", percent.trim_end_matches('0').trim_end_matches('.'))
}

/// The hour, or the day where a bucket is one.
fn tick(at: Timestamp, chart: &Chart) -> String {
    let text = at.to_string();
    let part = if chart.width < Millis::days(1) { 11..16 } else { 5..10 };
    text.get(part).unwrap_or_default().to_owned()
}

fn bars(chart: &Chart) -> Markup {
    html! {
        @for bar in chart.bars() {
            rect class="volume" x=(fixed(bar.x)) y=(fixed(bar.y)) width=(fixed(bar.width)) height=(fixed(bar.height)) {}
        }
    }
}

fn limits(chart: &Chart) -> Markup {
    html! {
        @if let Some(fleet) = chart.fleet {
            @let y = fixed(chart.y(fleet));
            line class="fleet" x1=(LEFT) x2=(WIDTH - RIGHT) y1=(y) y2=(y) { title { "all customers: " (words::percent(fleet)) } }
        }
        @for ((y, stage, has_name), (limit, _)) in chart.lines().into_iter().zip(&chart.limits) {
            line class="limit" x1=(LEFT) x2=(WIDTH - RIGHT) y1=(fixed(y)) y2=(fixed(y)) { title { (stage.name()) " above " (words::percent(*limit)) } }
            @if has_name { text class="limit-name" x=(LEFT + 3.0) y=(fixed(y - 2.5)) { (stage.name()) " " (short(*limit)) } }
        }
    }
}

fn flag(chart: &Chart, one: &Move) -> Markup {
    let x = fixed(chart.x(one.at));
    html! {
        g class=(one.to.name()) {
            line class="mark" x1=(x) x2=(x) y1=(TOP - 5.0) y2=(HEIGHT - BOTTOM) {}
            circle class={ "flag" @if one.is_said { " said" } } cx=(x) cy=(TOP - 8.0) r=(FLAG) { title { (moved(one)) } }
        }
    }
}

fn moved(one: &Move) -> String {
    let what = if one.is_said { "a rule in shadow would have put it to" } else { "put to" };
    format!("{what} {}, {}", one.to, words::moment(one.at))
}

fn dot(chart: &Chart, point: &Point) -> Markup {
    let (x, y) = chart.place(point);
    html! {
        circle class={ "dot" @if point.seen.mails < FEW { " few" } } r=(DOT) cx=(fixed(x)) cy=(fixed(y)) {
            title { (words::moment(point.at)) ": " (words::rate(point.seen)) ", " (thousands(point.seen.hits)) " of " (thousands(point.seen.mails)) }
        }
    }
}

fn figures(chart: &Chart) -> Markup {
    html! {
        details {
            summary { "Figures" span class="unseen" { ": " (chart.title) " by the " (chart.bucket) } }
            @if chart.filled().next().is_none() { p class="soft" { "No mail." } } @else {
                table class="figures" {
                    thead { tr { th scope="col" { "From, UTC" } th scope="col" class="number" { "Rate" } th scope="col" class="number" { "Of mails" } } }
                    tbody { @for point in chart.points.iter().rev().filter(|point| point.seen.mails > 0) { tr {
                        th scope="row" { (words::moment(point.at).trim_end_matches(":00 UTC")) }
                        td class="number" { (words::rate(point.seen)) }
                        td class="number" { (thousands(point.seen.hits)) " of " (thousands(point.seen.mails)) }
                    } } }
                }
            }
            @if !chart.limits.is_empty() || chart.fleet.is_some() {
                ul {
                    @for (limit, stage) in &chart.limits { li { "Limit: above " (words::percent(*limit)) " to " (stage.name()) } }
                    @if let Some(fleet) = chart.fleet { li { "All customers: " (words::percent(fleet)) } }
                }
            }
            @if !chart.moves.is_empty() { ul { @for one in &chart.moves { li { (moved(one)) } } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chart::tests::chart;
    use super::*;

    #[test]
    fn what_is_drawn_stands_beside_it_as_a_table() {
        let shown = figure(&chart(&[(1, 10), (0, 0), (1_005, 2_010)], &[0.05])).into_string();
        for told in
            ["50.00 %", "1,005 of 2,010", "Limit: above 5.00 % to watch", "All customers: 1.00 %", "put to watch"]
        {
            assert!(shown.contains(told), "{told} in {shown}");
        }
        assert_eq!(shown.matches("<tr>").count(), 3, "a head and a row for each bucket with mail");
        assert!(!shown.contains("style="), "{shown}");
    }

    #[test]
    fn a_rate_at_the_edge_is_said_as_it_is() {
        assert_eq!([0.0, 0.025, 0.000_5, 0.075, 1.0].map(short), ["0 %", "2.5 %", "0.05 %", "7.5 %", "100 %"]);
    }
}
