//! Exact tails of the binomial distribution: how surprising a count is.
//!
//! Not the Wilson interval or another approximation: for rare events, as complaints are, their errors are many times the
//! promised ones.
//!
//! A tail is its first term (Loader's saddle-point form, see `saddle`) over a continued fraction (A. R. DiDonato and
//! A. H. Morris, "Significant Digit Computation of the Incomplete Beta Function Ratios", ACM TOMS 18, 1992): some ten steps
//! where a tail is small, some thousand in the middle of 10^9 trials. Relative error below 1e-9 for every count.

use libm::{exp, expm1, log, log1p, sqrt};

use crate::saddle::{deviance, stirling_error};

/// Probability of at least `hits` successes in `trials` draws if the true rate were `limit`.
///
/// Returns 1.0 where `hits` is 0, and 0.0 where there are more hits than trials could give or where the probability is below
/// what an `f64` holds (10^-323): [`ln_at_least`] tells those apart. `limit` is held to 0..=1.
pub fn at_least(hits: u32, trials: u32, limit: f64) -> f64 {
    exp(ln_at_least(hits, trials, limit))
}

/// The natural logarithm of [`at_least`], right also where the probability itself is too small for an `f64`.
///
/// Its negative is the evidence against `limit` in nats. Negative infinity where the count cannot be: more hits than trials,
/// or a hit at a `limit` of 0.
pub fn ln_at_least(hits: u32, trials: u32, limit: f64) -> f64 {
    if hits > trials || (hits > 0 && limit <= 0.0) {
        return f64::NEG_INFINITY;
    }
    if hits == 0 || limit >= 1.0 {
        return 0.0;
    }
    Count::new(hits, trials).tail(Rate { hit: limit, miss: 1.0 - limit }).ln
}

/// The largest rate that `hits` of `trials` rule out at the error `alpha`: the true rate is above it, except with
/// probability `alpha`.
///
/// The exact (Clopper-Pearson) lower bound, to a relative error below 1e-9. Zero where `hits` is 0. `alpha` is between 0 and
/// 1, both excluded; more hits than trials count as all.
pub fn lower_bound(hits: u32, trials: u32, alpha: f64) -> f64 {
    if hits == 0 || trials == 0 {
        return 0.0;
    }
    exp(Count::new(hits.min(trials), trials).ln_rate_at(alpha))
}

/// The smallest rate that `hits` of `trials` rule out at the error `alpha`: the true rate is below it, except with
/// probability `alpha`.
///
/// The exact (Clopper-Pearson) upper bound, to a relative error below 1e-9. One where every trial hit, or where there was
/// none. `alpha` as for [`lower_bound`].
pub fn upper_bound(hits: u32, trials: u32, alpha: f64) -> f64 {
    if hits >= trials {
        return 1.0;
    }
    // At most so many hits is at least so many misses.
    -expm1(Count::new(trials - hits, trials).ln_rate_at(alpha))
}

/// A rate and its complement, both to all digits: for a rate near 1, the one cannot be had from the other.
#[derive(Clone, Copy)]
struct Rate {
    hit: f64,
    miss: f64,
}

impl Rate {
    fn ln_hit(self) -> f64 {
        if self.miss < 0.5 { log1p(-self.miss) } else { log(self.hit) }
    }
}

/// How likely a count or a higher one is at some rate.
struct Tail {
    /// Natural logarithm of the probability.
    ln: f64,
    /// Change of `ln` per change of the rate's logarithm.
    slope: f64,
}

/// What was counted: at least one hit.
struct Count {
    hits: f64,
    misses: f64,
}

impl Count {
    fn new(hits: u32, trials: u32) -> Self {
        Self { hits: f64::from(hits), misses: f64::from(trials - hits) }
    }

    /// The probability of this many hits or more.
    ///
    /// The side that does not hold the mean is computed, so that nothing cancels.
    fn tail(&self, rate: Rate) -> Tail {
        let Self { hits, misses } = *self;
        if misses <= 0.0 {
            return Tail { ln: hits * rate.ln_hit(), slope: hits };
        }
        let ln_edge = self.ln_edge(rate);
        if hits * rate.miss > misses * rate.hit {
            let fraction = continued_fraction(hits, misses + 1.0, rate);
            return Tail { ln: ln_edge - log(fraction), slope: fraction / rate.miss };
        }
        let edge = exp(ln_edge);
        let fewer = edge / continued_fraction(misses + 1.0, hits, Rate { hit: rate.miss, miss: rate.hit });
        Tail { ln: log1p(-fewer), slope: edge / rate.miss / (1.0 - fewer) }
    }

    /// ln of `hits` times the probability of exactly this count and of one miss more: the common factor of both tails.
    fn ln_edge(&self, rate: Rate) -> f64 {
        let Self { hits, misses } = *self;
        let trials = hits + misses;
        let (hits_due, misses_due) = (trials * rate.hit, trials * rate.miss);
        let stirling = stirling_error(trials) - stirling_error(hits) - stirling_error(misses);
        let surprise = deviance(hits, hits_due, hits_due - hits) + deviance(misses, misses_due, misses_due - misses);
        stirling - surprise + log(rate.miss * sqrt(hits * trials / (std::f64::consts::TAU * misses)))
    }

    /// ln of the rate at which this many hits or more have the probability `alpha`.
    ///
    /// Newton's method. The tail's logarithm is a concave function of the rate's logarithm, so that from the second step on
    /// each comes nearer from below: four to nine steps.
    fn ln_rate_at(&self, alpha: f64) -> f64 {
        let ln_alpha = log(alpha);
        let mut ln_rate = log(self.hits / (self.hits + self.misses + 1.0));
        for _ in 0..100 {
            let tail = self.tail(Rate { hit: exp(ln_rate), miss: -expm1(ln_rate) });
            let step = (ln_alpha - tail.ln) / tail.slope;
            ln_rate += step;
            if step.abs() <= 1e-11 * ln_rate.abs().min(1.0) {
                break;
            }
        }
        ln_rate
    }
}

/// `x^a (1-x)^b / B(a, b)` over the regularized incomplete beta function `I_x(a, b)`, where `x = rate.hit <= a / (a + b)`.
///
/// By the modified Lentz method.
fn continued_fraction(a: f64, b: f64, rate: Rate) -> f64 {
    let x = rate.hit;
    let lead = a * rate.miss - b * x + 1.0;
    let mut value = a * lead / (a + 1.0);
    let (mut above, mut below) = (value, 0.0);
    for step in 1..=1_000_000_u32 {
        let m = f64::from(step);
        let odd = a + 2.0 * m - 1.0;
        let shared = m * (b - m) * x / odd;
        let numerator = shared * (a + m - 1.0) * (a + b + m - 1.0) * x / odd;
        let denominator = m + shared + (a + m) * (lead + m * (1.0 + rate.miss)) / (odd + 2.0);
        below = 1.0 / (denominator + numerator * below);
        above = denominator + numerator / above;
        let change = above * below;
        value *= change;
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The fewest hits in `trials` that are too many for `limit` at the error `alpha`.
    fn fewest_convicting(trials: u32, limit: f64, alpha: f64) -> u32 {
        (1..=trials).find(|hits| at_least(*hits, trials, limit) <= alpha).unwrap()
    }

    #[test]
    fn convicting_counts_are_those_of_exact_arithmetic() {
        // Smallest k with P(X >= k | n, limit) <= alpha, computed with rational arithmetic.
        for (limit, trials, hits) in [
            (0.05, 100, [10, 14, 17]),
            (0.05, 500, [34, 42, 49]),
            (0.05, 1_000, [63, 74, 83]),
            (0.05, 10_000, [537, 570, 596]),
            (0.001, 1_000, [4, 6, 9]),
            (0.001, 50_000, [63, 74, 84]),
            (0.003, 5_000, [23, 29, 35]),
            (0.003, 50_000, [171, 190, 206]),
        ] {
            let found = [0.05, 0.001, 1e-5].map(|alpha| fewest_convicting(trials, limit, alpha));
            assert_eq!(found, hits, "limit {limit}, {trials} trials");
        }
    }

    #[test]
    fn lower_bounds_are_those_of_exact_arithmetic() {
        for (hits, trials, alpha, bound) in
            [(1, 13, 0.05, 0.0039), (5, 50, 0.001, 0.015), (20, 200, 0.05, 0.067), (6, 1_000, 0.001, 0.0011)]
        {
            let found = lower_bound(hits, trials, alpha);
            assert!((found - bound).abs() < 0.0006, "{hits}/{trials}: {found}");
        }
    }

    /// The same by another way: the chance of each count, built up draw by draw.
    fn by_convolution(hits: u32, trials: u32, limit: f64) -> f64 {
        let mut chances = vec![1.0];
        for _ in 0..trials {
            let mut next = vec![0.0; chances.len() + 1];
            for (k, chance) in chances.iter().enumerate() {
                next[k] += chance * (1.0 - limit);
                next[k + 1] += chance * limit;
            }
            chances = next;
        }
        chances[hits as usize..].iter().sum()
    }

    proptest! {
        #[test]
        fn the_tail_is_what_draw_by_draw_gives(trials in 1_u32..400, hits in 1_u32..400, limit in 0.0005..0.3_f64) {
            let hits = hits.min(trials);
            let expected = by_convolution(hits, trials, limit);
            let found = at_least(hits, trials, limit);
            prop_assert!((found - expected).abs() <= expected * 1e-9 + 1e-14, "{found} {expected}");
        }

        #[test]
        fn one_more_hit_is_never_less_surprising(trials in 1_u32..1_000_000, hits in 0_u32..5_000, limit in 0.0..1.0_f64) {
            prop_assert!(at_least(hits + 1, trials, limit) <= at_least(hits, trials, limit) + 1e-12);
        }

        #[test]
        fn the_bounds_are_where_the_tails_meet_alpha(trials in 10_u32..100_000, hits in 1_u32..10) {
            let lower = lower_bound(hits, trials, 1e-4);
            prop_assert!(at_least(hits, trials, lower * (1.0 - 1e-9)) < 1e-4);
            prop_assert!(at_least(hits, trials, lower * (1.0 + 1e-9)) > 1e-4);
            let upper = upper_bound(hits - 1, trials, 1e-4);
            prop_assert!(1.0 - at_least(hits, trials, upper * (1.0 - 1e-9)) > 1e-4);
            prop_assert!(1.0 - at_least(hits, trials, upper * (1.0 + 1e-9)) < 1e-4);
        }
    }
}
