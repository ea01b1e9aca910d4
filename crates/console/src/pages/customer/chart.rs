//! A rate over time, drawn: its limits as lines, decisions as flags, and how much mail there was as bars.

use maud::{Markup, html};
use model::{Millis, Stage, Timestamp};
use policy::Fraction;

use crate::pages::words;

/// The picture, in its own units.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 168.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 6.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 20.0;
/// How high the bars of the mail may grow, as a share of the plot.
const BARS: f64 = 0.3;
/// A rate of fewer mails than these says little.
const FEW: u32 = 20;
/// Lines across.
const LINES: u32 = 4;

/// The mail that was sent in a bucket of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    /// When the bucket begins.
    pub(super) at: Timestamp,
    /// The bad events, of the mails that they are held against.
    pub(super) seen: Fraction,
}

/// A rate over time.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// The signal.
    pub(super) title: &'static str,
    /// What a bucket is: `hour`, `day`.
    pub(super) bucket: &'static str,
    pub(super) width: Millis,
    /// Where the picture begins, and ends.
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// Oldest first.
    pub(super) points: Vec<Point>,
    /// The policy's limits, and where they lead.
    pub(super) limits: Vec<(f64, Stage)>,
    /// When the customer was put where.
    pub(super) moves: Vec<(Timestamp, Stage)>,
}

impl Chart {
    /// The greatest rate that is shown: a round one above all that is drawn.
    fn top(&self) -> f64 {
        const STEPS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0];
        let rates = self.points.iter().map(|point| point.seen.rate());
        let limits = self.limits.iter().map(|(limit, _)| limit * 1.1);
        let greatest = rates.chain(limits).fold(0.0, f64::max);
        STEPS.into_iter().find(|step| *step >= greatest).unwrap_or(1.0)
    }

    /// Where a moment is, from the left; what lies outside is at the edge.
    fn x(&self, at: Timestamp) -> f64 {
        let share = seconds(at.since(self.from)) / seconds(self.until.since(self.from)).max(1.0);
        share.clamp(0.0, 1.0).mul_add(WIDTH - LEFT - RIGHT, LEFT)
    }

    /// Where a rate is, from the top.
    fn y(&self, rate: f64) -> f64 {
        let share = (rate / self.top()).clamp(0.0, 1.0);
        share.mul_add(-(HEIGHT - TOP - BOTTOM), HEIGHT - BOTTOM)
    }

    /// The middle of a point's bucket.
    fn middle(&self, point: &Point) -> f64 {
        self.x(point.at + Millis::new(self.width.get() / 2))
    }

    /// The rates as a path; buckets without mail leave a gap no wider than they are.
    fn path(&self) -> String {
        let mut path = String::new();
        for point in self.points.iter().filter(|point| point.seen.mails > 0) {
            let letter = if path.is_empty() { 'M' } else { 'L' };
            path += &format!("{letter}{:.1} {:.1}", self.middle(point), self.y(point.seen.rate()));
        }
        path
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture is coarser")]
const fn seconds(span: Millis) -> f64 {
    span.get() as f64 / 1_000.0
}

/// The picture, with its figures as a table behind it.
pub(super) fn figure(chart: &Chart, now: Timestamp) -> Markup {
    let all = chart.points.iter().map(|point| point.seen).fold(Fraction::default(), Fraction::plus);
    let told = format!(
        "{} by the {}: {} of all, from {} to {}",
        chart.title,
        chart.bucket,
        words::rate(all),
        words::moment(chart.from),
        words::moment(chart.until)
    );
    html! {
        figure class="chart" {
            figcaption { strong { (chart.title) } span class="soft" { "by the " (chart.bucket) ", " (words::rate(all)) " of all" } }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(told) {
                (grid(chart, now))
                (bars(chart))
                (limits(chart))
                (moves(chart))
                path class="line" d=(chart.path()) {}
                @for point in chart.points.iter().filter(|point| point.seen.mails > 0) {
                    circle class={ "dot" @if point.seen.mails < FEW { " few" } } r="2.5"
                        cx=(format!("{:.1}", chart.middle(point))) cy=(format!("{:.1}", chart.y(point.seen.rate()))) {}
                }
            }
            (figures(chart))
        }
    }
}

fn grid(chart: &Chart, now: Timestamp) -> Markup {
    let rate = |line: u32| chart.top() * f64::from(line) / f64::from(LINES);
    let times = [(chart.from, "start"), (chart.until, "end")];
    html! {
        @for line in 0..=LINES {
            @let y = chart.y(rate(line));
            line class="grid" x1=(LEFT) x2=(WIDTH - RIGHT) y1=(format!("{y:.1}")) y2=(format!("{y:.1}")) {}
            text x=(LEFT - 6.0) y=(format!("{:.1}", y + 3.5)) text-anchor="end" { (short(rate(line))) }
        }
        @for (at, anchor) in times {
            text x=(format!("{:.1}", chart.x(at))) y=(HEIGHT - 5.0) text-anchor=(anchor) { (words::clock(at, now)) }
        }
    }
}

/// A rate at the edge of a picture.
fn short(rate: f64) -> String {
    let percent = rate * 100.0;
    if percent >= 1.0 || percent == 0.0 { format!("{percent:.0} %") } else { format!("{percent:.2} %") }
}

fn bars(chart: &Chart) -> Markup {
    let most = chart.points.iter().map(|point| point.seen.mails).max().unwrap_or(0).max(1);
    let whole = (HEIGHT - TOP - BOTTOM) * BARS;
    html! {
        @for point in &chart.points {
            @let height = f64::from(point.seen.mails) / f64::from(most) * whole;
            @let (left, right) = (chart.x(point.at), chart.x(point.at + chart.width));
            rect class="volume" x=(format!("{left:.1}")) width=(format!("{:.1}", (right - left - 1.0).max(1.0)))
                y=(format!("{:.1}", HEIGHT - BOTTOM - height)) height=(format!("{height:.1}")) {}
        }
    }
}

fn limits(chart: &Chart) -> Markup {
    html! {
        @for (limit, stage) in &chart.limits {
            @let y = chart.y(*limit);
            line class="limit" x1=(LEFT) x2=(WIDTH - RIGHT) y1=(format!("{y:.1}")) y2=(format!("{y:.1}")) {}
            text class="limit-name" x=(WIDTH - RIGHT) y=(format!("{:.1}", y - 3.0)) text-anchor="end" { (stage.name()) }
        }
    }
}

fn moves(chart: &Chart) -> Markup {
    html! {
        @for (at, stage) in &chart.moves {
            @let x = format!("{:.1}", chart.x(*at));
            g class=(stage.name()) {
                line class="mark" x1=(x) x2=(x) y1=(TOP) y2=(HEIGHT - BOTTOM) {}
                circle class="flag" cx=(x) cy=(TOP - 6.0) r="4" { title { (stage.name()) ", " (words::moment(*at)) } }
            }
        }
    }
}

fn figures(chart: &Chart) -> Markup {
    html! {
        details {
            summary { "Figures" span class="unseen" { ": " (chart.title) " by the " (chart.bucket) } }
            @if chart.points.is_empty() { p class="soft" { "No mail." } } @else {
                table class="figures" {
                    thead { tr { th scope="col" { "From" } th scope="col" class="number" { "Rate" } th scope="col" class="number" { "Of mails" } } }
                    tbody { @for point in chart.points.iter().rev() { tr {
                        th scope="row" { (words::moment(point.at)) }
                        td class="number" { (words::rate(point.seen)) }
                        td class="number" { (point.seen.hits) " of " (point.seen.mails) }
                    } } }
                }
            }
            @if !chart.moves.is_empty() {
                ul { @for (at, stage) in &chart.moves { li { "Put to " (stage.name()) " on " (words::moment(*at)) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chart(rates: &[(u32, u32)], limit: f64) -> Chart {
        let from = Timestamp::from_seconds(1_790_000_000);
        let hour = Millis::hours(1);
        let point = |(index, (hits, mails)): (i64, &(u32, u32))| Point {
            at: from + Millis::hours(index),
            seen: Fraction { hits: *hits, mails: *mails },
        };
        Chart {
            title: "Hard bounces",
            bucket: "hour",
            width: hour,
            from,
            until: from + Millis::hours(24),
            points: (0..).zip(rates).map(point).collect(),
            limits: vec![(limit, Stage::Watch)],
            moves: vec![(from + hour, Stage::Watch)],
        }
    }

    proptest! {
        #[test]
        fn everything_is_drawn_inside_of_the_picture(
            rates in prop::collection::vec((0_u32..500).prop_flat_map(|mails| (0..=mails, Just(mails))), 0..40),
            limit in 0.0001_f64..1.0,
        ) {
            let chart = chart(&rates, limit);
            prop_assert!(chart.top() >= limit.min(1.0));
            for point in &chart.points {
                let (x, y) = (chart.middle(point), chart.y(point.seen.rate()));
                prop_assert!((LEFT..=WIDTH - RIGHT).contains(&x) && (TOP..=HEIGHT - BOTTOM).contains(&y), "{x} {y}");
            }
        }

        #[test]
        fn a_greater_rate_is_never_drawn_lower(a in 0.0_f64..1.0, b in 0.0_f64..1.0) {
            let chart = chart(&[(1, 2)], 0.05);
            prop_assert_eq!(a <= b, chart.y(a) >= chart.y(b) || (a - b).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn buckets_without_mail_are_passed_over_and_the_figures_stand_beside() {
        let chart = chart(&[(1, 10), (0, 0), (5, 10)], 0.05);
        assert_eq!(chart.path().matches(['M', 'L']).count(), 2);
        let shown = figure(&chart, chart.until).into_string();
        assert!(shown.contains("50.00 %") && shown.contains("5 of 10") && shown.contains("Put to watch"), "{shown}");
        assert!(!shown.contains("style="), "{shown}");
    }
}
