//! How a customer's rates went.

use maud::{Markup, html};
use model::{CustomerView, Grain, Millis, Phase, SeriesPoint, Stage, Timestamp};
use policy::{Fraction, Policy, Signal};

use super::Customer;
use super::chart::{self, Chart, Point};
use crate::pages::words;

/// The signals that are drawn.
const DRAWN: [Signal; 3] = [Signal::HardBounce, Signal::Block, Signal::SpamReport];
/// By the hour over a day, and by the day over a month.
const SPANS: [(Grain, &str, Millis); 2] =
    [(Grain::Hour, "hour", Millis::days(1)), (Grain::Day, "day", Millis::days(30))];

pub(super) fn charts(view: &CustomerView, customer: &Customer) -> Markup {
    let of = |(grain, bucket, span): (Grain, &'static str, Millis)| {
        DRAWN.map(|signal| chart(view, customer, (grain, bucket, span), signal))
    };
    html! {
        section aria-labelledby="rates" {
            h2 id="rates" { "Rates" }
            p class="key" {
                span { "Line: the rate. " } span { "Hollow dots: few mails. " } span { "Dashed: a limit of the policy, by where it leads. " }
                span { "Bars: how much mail. " } span { "Flags: it was put elsewhere." }
            }
            div class="charts" { @for figure in SPANS.into_iter().flat_map(of) { (chart::figure(&figure, customer.now)) } }
        }
    }
}

fn chart(
    view: &CustomerView,
    customer: &Customer,
    (grain, bucket, span): (Grain, &'static str, Millis),
    signal: Signal,
) -> Chart {
    let points = if grain == Grain::Hour { &view.series.hours } else { &view.series.days };
    let (from, until) = (customer.now - span, customer.now);
    let moves = customer.history.iter().map(|decided| &decided.decision);
    let moves = moves.filter(|decision| decision.at >= from && decision.from != decision.to);
    Chart {
        title: words::signal(signal),
        bucket,
        width: grain.width(),
        from,
        until,
        points: points.iter().filter_map(|point| seen(point, signal, from)).collect(),
        limits: customer
            .policy
            .as_ref()
            .map(|policy| limits(policy, view.standing.phase, signal, grain))
            .unwrap_or_default(),
        moves: moves.map(|decision| (decision.at, decision.to)).collect(),
    }
}

fn seen(point: &SeriesPoint, signal: Signal, from: Timestamp) -> Option<Point> {
    let [hits, mails] = *point.signals.get(signal.name())?;
    (point.at >= from).then_some(Point { at: point.at, seen: Fraction { hits, mails } })
}

/// The limits that rules over windows of such buckets hold the signal against: for each stage the lowest.
fn limits(policy: &Policy, phase: Phase, signal: Signal, grain: Grain) -> Vec<(f64, Stage)> {
    let is_drawn =
        |rule: &&policy::Rule| rule.signal == signal && (grain == Grain::Day) == (rule.window.grain() == Grain::Day);
    let rules: Vec<_> = policy.rules_for(phase).iter().filter(is_drawn).collect();
    let lowest = |stage: Stage| {
        let of_stage = rules.iter().filter(|rule| rule.stage == stage).map(|rule| rule.enter);
        of_stage.reduce(f64::min).map(|limit| (limit, stage))
    };
    Stage::ALL.into_iter().filter_map(lowest).collect()
}
