//! A rate over time as a picture: what is where. Pure: times and rates in, places out.

use model::{Millis, Stage, Timestamp};
use policy::Fraction;

/// The picture, in its own units.
pub(super) const WIDTH: f64 = 360.0;
pub(super) const HEIGHT: f64 = 156.0;
pub(super) const LEFT: f64 = 44.0;
pub(super) const RIGHT: f64 = 8.0;
pub(super) const TOP: f64 = 16.0;
pub(super) const BOTTOM: f64 = 20.0;
/// How high the bars of the mail may grow, as a share of the plot.
const BARS: f64 = 0.3;
/// A rate of fewer mails than these says little: it does not stretch the picture, and its dot is hollow.
pub(super) const FEW: u32 = 20;
/// Names of limits that are nearer to each other than this can't be read.
const LINE: f64 = 11.0;
/// Times at the bottom keep so far away from the picture's edges.
const EDGE: f64 = 16.0;

/// The mail that was sent in a bucket of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    /// When the bucket begins.
    pub(super) at: Timestamp,
    /// The bad events, of the mails that they are held against.
    pub(super) seen: Fraction,
}

/// A customer was put elsewhere, or a rule in shadow said that it should be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    pub(super) at: Timestamp,
    pub(super) to: Stage,
    /// Whether it was only said.
    pub(super) is_said: bool,
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
    /// How far apart the times at the bottom are.
    pub(super) tick: Millis,
    /// Oldest first.
    pub(super) points: Vec<Point>,
    /// The policy's limits, the lowest first, and where they lead.
    pub(super) limits: Vec<(f64, Stage)>,
    /// All customers' rate over the same time; nothing where it is not known.
    pub(super) fleet: Option<f64>,
    pub(super) moves: Vec<Move>,
}

/// A rectangle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Chart {
    /// The points of which there is any mail.
    pub(super) fn filled(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|point| point.seen.mails > 0)
    }

    /// The greatest rate that is shown: a round one above the limits and the rates that say something.
    pub(super) fn top(&self) -> f64 {
        const STEPS: [f64; 13] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.8, 1.0];
        let rates = self.points.iter().filter(|point| point.seen.mails >= FEW).map(|point| point.seen.rate());
        let limits = self.limits.iter().map(|(limit, _)| limit * 1.1);
        let greatest = rates.chain(limits).chain(self.fleet).fold(0.0, f64::max);
        STEPS.into_iter().find(|step| *step >= greatest).unwrap_or(1.0)
    }

    /// Where a moment is, from the left; what lies outside is at the edge.
    pub(super) fn x(&self, at: Timestamp) -> f64 {
        let share = seconds(at.since(self.from)) / seconds(self.until.since(self.from)).max(1.0);
        share.clamp(0.0, 1.0).mul_add(WIDTH - LEFT - RIGHT, LEFT)
    }

    /// Where a rate is, from the top; what is above the greatest is at the edge.
    pub(super) fn y(&self, rate: f64) -> f64 {
        let share = (rate / self.top()).clamp(0.0, 1.0);
        share.mul_add(-(HEIGHT - TOP - BOTTOM), HEIGHT - BOTTOM)
    }

    /// The middle of a point's bucket, at its rate.
    pub(super) fn place(&self, point: &Point) -> (f64, f64) {
        (self.x(point.at + Millis::new(self.width.get() / 2)), self.y(point.seen.rate()))
    }

    /// The rates as a path, which is broken where there was no mail.
    pub(super) fn path(&self) -> String {
        let (mut path, mut last) = (String::new(), None);
        for point in self.filled() {
            let (x, y) = self.place(point);
            let letter = if last == Some(point.at) { 'L' } else { 'M' };
            path += &format!("{letter}{x:.1} {y:.1}");
            last = Some(point.at + self.width);
        }
        path
    }

    /// How much mail there was in each bucket.
    pub(super) fn bars(&self) -> impl Iterator<Item = Bar> {
        let most = self.points.iter().map(|point| point.seen.mails).max().unwrap_or(0).max(1);
        let whole = (HEIGHT - TOP - BOTTOM) * BARS;
        self.filled().map(move |point| {
            let (left, right) = (self.x(point.at), self.x(point.at + self.width));
            let height = f64::from(point.seen.mails) / f64::from(most) * whole;
            Bar { x: left, y: HEIGHT - BOTTOM - height, width: (right - left - 1.0).max(0.5), height }
        })
    }

    /// The limits from the lowest on: how high each is, and whether there is room for its name.
    pub(super) fn lines(&self) -> Vec<(f64, Stage, bool)> {
        let mut free = f64::INFINITY;
        let line = |(limit, stage): &(f64, Stage)| {
            let y = self.y(*limit);
            let has_room = y <= free;
            if has_room {
                free = y - LINE;
            }
            (y, *stage, has_room)
        };
        self.limits.iter().map(line).collect()
    }

    /// The times that stand at the bottom.
    pub(super) fn ticks(&self) -> Vec<(f64, Timestamp)> {
        let tick = self.tick.get().max(1);
        let first = (self.from.millis() + tick - 1).div_euclid(tick) * tick;
        let moments = (0..).map(|number| Timestamp::from_millis(first + number * tick));
        let inside = moments.take_while(|at| *at < self.until).map(|at| (self.x(at), at));
        inside.filter(|(x, _)| (LEFT + EDGE..=WIDTH - RIGHT - EDGE).contains(x)).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture is coarser")]
const fn seconds(span: Millis) -> f64 {
    span.get() as f64 / 1_000.0
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An hour a rate: bad events of mails.
    pub(in crate::pages::customer) fn chart(rates: &[(u32, u32)], limits: &[f64]) -> Chart {
        let from = Timestamp::from_seconds(1_790_000_000 / 3_600 * 3_600);
        let hour = Millis::hours(1);
        let point = |(index, (hits, mails)): (i64, &(u32, u32))| Point {
            at: from + Millis::hours(index),
            seen: Fraction { hits: *hits, mails: *mails },
        };
        let mut limits = limits.to_vec();
        limits.sort_by(f64::total_cmp);
        Chart {
            title: "Hard bounces",
            bucket: "hour",
            width: hour,
            from,
            until: from + Millis::hours(25),
            tick: Millis::hours(6),
            points: (0..).zip(rates).map(point).collect(),
            limits: limits.into_iter().map(|limit| (limit, Stage::Watch)).collect(),
            fleet: Some(0.01),
            moves: vec![Move { at: from + hour, to: Stage::Watch, is_said: false }],
        }
    }

    fn rates() -> impl Strategy<Value = Vec<(u32, u32)>> {
        let one = prop_oneof![0_u32..60, 0_u32..1_000_000].prop_flat_map(|mails| (0..=mails, Just(mails)));
        prop::collection::vec(one, 0..40)
    }

    proptest! {
        #[test]
        fn everything_is_drawn_inside_of_the_picture(
            rates in rates(), limits in prop::collection::vec(0.0001_f64..1.0, 0..5),
        ) {
            let chart = chart(&rates, &limits);
            let (across, down) = (LEFT..=WIDTH - RIGHT, TOP..=HEIGHT - BOTTOM);
            for point in chart.filled() {
                let (x, y) = chart.place(point);
                prop_assert!(across.contains(&x) && down.contains(&y), "{x} {y}");
            }
            for bar in chart.bars() {
                prop_assert!(across.contains(&bar.x) && down.contains(&(bar.y + bar.height)) && down.contains(&bar.y));
                prop_assert!(bar.x + bar.width <= WIDTH, "{bar:?}");
            }
            for (x, _) in chart.ticks() {
                prop_assert!(across.contains(&x));
            }
            for (y, ..) in chart.lines() {
                prop_assert!(down.contains(&y));
            }
        }

        #[test]
        fn a_rate_that_says_something_and_every_limit_is_shown_true_to_scale(
            rates in rates(), limits in prop::collection::vec(0.0001_f64..0.9, 0..5),
        ) {
            let chart = chart(&rates, &limits);
            let of_points = chart.points.iter().filter(|point| point.seen.mails >= FEW).map(|point| point.seen.rate());
            for rate in of_points.chain(limits) {
                let drawn = (HEIGHT - BOTTOM - chart.y(rate)) / (HEIGHT - TOP - BOTTOM) * chart.top();
                prop_assert!((drawn - rate).abs() < 1e-9, "{rate} is drawn as {drawn}");
            }
        }

        #[test]
        fn what_is_more_is_never_drawn_lower_and_what_is_later_never_further_left(
            a in 0.0_f64..1.0, b in 0.0_f64..1.0, c in 0_i64..100_000, d in 0_i64..100_000,
        ) {
            let chart = chart(&[(1, 2)], &[0.05]);
            let (less, more) = (a.min(b), a.max(b));
            prop_assert!(chart.y(less) >= chart.y(more));
            let x = |at: i64| chart.x(chart.from + Millis::seconds(at));
            prop_assert!(x(c.min(d)) <= x(c.max(d)));
        }

        #[test]
        fn names_of_limits_never_stand_over_each_other(limits in prop::collection::vec(0.0001_f64..1.0, 0..8)) {
            let lines = chart(&[(90, 100)], &limits).lines();
            let named: Vec<_> = lines.iter().filter(|(_, _, has_name)| *has_name).map(|(y, ..)| *y).collect();
            prop_assert!(named.windows(2).all(|pair| pair[0] - pair[1] >= LINE), "{named:?}");
            prop_assert!(limits.is_empty() || lines[0].2, "the lowest has its name");
        }
    }

    #[test]
    fn the_line_is_broken_where_there_was_no_mail() {
        assert_eq!(chart(&[(1, 10), (2, 10), (0, 0), (5, 10)], &[]).path().matches('M').count(), 2);
        assert_eq!(chart(&[], &[]).path(), "");
    }

    #[test]
    fn a_bounce_of_one_mail_does_not_flatten_the_rest() {
        let chart = chart(&[(1, 1), (3, 1_000)], &[0.03]);
        assert!(chart.top() < 0.1, "{}", chart.top());
        let (_, y) = chart.place(&chart.points[0]);
        assert!((y - TOP).abs() < f64::EPSILON, "it is at the edge");
    }
}
