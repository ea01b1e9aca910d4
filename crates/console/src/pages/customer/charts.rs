//! How a customer's rates went: by the hour over a day, and by the day over a month.

use maud::{Markup, html};
use model::{Bucket, CustomerView, Fleet, Millis, Mode, Phase, Provider, SeriesPoint, Stage, Timestamp, Window};
use policy::{Fraction, Policy, Signal};

use super::Customer;
use super::chart::{Chart, Move, Point};
use super::drawing;
use crate::pages::words;

/// The signals that are drawn.
const DRAWN: [Signal; 3] = [Signal::HardBounce, Signal::Block, Signal::SpamReport];

/// What a row of pictures reaches over.
#[derive(Clone, Copy, Debug)]
struct Span {
    title: &'static str,
    /// Its buckets are those of the window's grain.
    window: Window,
    bucket: &'static str,
    tick: Millis,
}

const SPANS: [Span; 2] = [
    Span { title: "By the hour, the last day", window: Window::Day, bucket: "hour", tick: Millis::hours(6) },
    Span { title: "By the day, the last 30 days", window: Window::Month, bucket: "day", tick: Millis::days(7) },
];

pub(super) fn charts(view: &CustomerView, customer: &Customer) -> Markup {
    html! {
        section aria-labelledby="rates" {
            h2 id="rates" { "Rates" }
            (drawing::key())
            @for span in SPANS {
                h3 { (span.title) }
                div class="charts" { @for signal in DRAWN { (drawing::figure(&chart(view, customer, span, signal))) } }
            }
        }
    }
}

fn chart(view: &CustomerView, customer: &Customer, span: Span, signal: Signal) -> Chart {
    let grain = span.window.grain();
    let points = if span.window == Window::Day { &view.series.hours } else { &view.series.days };
    // What is filling now is shown as a whole bucket.
    let (first, newest) = (span.window.first_bucket(customer.now), Bucket::of(grain, customer.now));
    let (from, until) = (first.start(grain), newest.next().start(grain));
    let policy = customer.policy.as_ref();
    Chart {
        title: words::signal(signal),
        bucket: span.bucket,
        width: grain.width(),
        from,
        until,
        tick: span.tick,
        points: points.iter().filter_map(|point| seen(point, signal, from)).collect(),
        limits: policy.map(|policy| limits(policy, view.standing.phase, signal, span.window)).unwrap_or_default(),
        fleet: fleet(&customer.fleet, signal, span.window),
        moves: moves(customer, from),
    }
}

fn seen(point: &SeriesPoint, signal: Signal, from: Timestamp) -> Option<Point> {
    let [hits, mails] = *point.signals.get(signal.name())?;
    (point.at >= from).then_some(Point { at: point.at, seen: Fraction { hits, mails } })
}

/// All customers' rate; nothing where there is no mail to tell by.
fn fleet(fleet: &Fleet, signal: Signal, window: Window) -> Option<f64> {
    let parts = Provider::ALL.map(|provider| signal.fraction(provider, &fleet.provider(window, provider)));
    let all = parts.into_iter().fold(Fraction::default(), Fraction::plus);
    (all.mails > 0).then(|| all.rate())
}

fn moves(customer: &Customer, from: Timestamp) -> Vec<Move> {
    let decisions = customer.history.iter().map(|decided| &decided.decision);
    let moved = decisions.filter(|decision| decision.at >= from && decision.from != decision.to);
    let one = |decision: &model::Decision| {
        let is_said = decision.mode == Mode::Shadow;
        Move { at: decision.at, to: decision.to, is_said }
    };
    moved.map(one).collect()
}

/// The limits that rules over windows of such buckets hold the signal against, the lowest first: for each stage its lowest.
fn limits(policy: &Policy, phase: Phase, signal: Signal, window: Window) -> Vec<(f64, Stage)> {
    let is_of_days = |window: Window| window >= Window::Week;
    let rules = policy.rules_for(phase).iter();
    let rules = rules.filter(|rule| rule.signal == signal && is_of_days(rule.window) == is_of_days(window));
    let rules: Vec<_> = rules.collect();
    let lowest = |stage: Stage| {
        let of_stage = rules.iter().filter(|rule| rule.stage == stage).map(|rule| rule.enter);
        of_stage.reduce(f64::min).map(|limit| (limit, stage))
    };
    let mut limits: Vec<_> = Stage::ALL.into_iter().filter_map(lowest).collect();
    limits.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_by_the_hour_has_the_limits_of_short_windows_and_one_by_the_day_those_of_long_ones() {
        let policy = Policy::parse(policy::DEFAULT).unwrap();
        let of = |window| limits(&policy, Phase::Active, Signal::HardBounce, window);
        for (window, is_asked) in
            [(Window::Day, [Window::Hour, Window::Day]), (Window::Month, [Window::Week, Window::Month])]
        {
            let drawn = of(window);
            assert!(!drawn.is_empty() && drawn.is_sorted_by_key(|(limit, _)| *limit), "{drawn:?}");
            for (limit, stage) in drawn {
                let mut rules = policy.rules().iter().filter(|rule| rule.signal == Signal::HardBounce);
                let is_of = |rule: &policy::Rule| rule.stage == stage && is_asked.contains(&rule.window);
                assert!(rules.any(|rule| is_of(rule) && (rule.enter - limit).abs() < f64::EPSILON), "{limit} {stage}");
            }
        }
    }
}
