//! Exact tails of the binomial distribution: how surprising a count is.
//!
//! Not the Wilson interval or another approximation: for rare events, as complaints are, their errors are many times the
//! promised ones.
//!
//! A tail is its first term (Loader's saddle-point form, see [`crate::saddle`]) over a continued fraction (A. R. DiDonato and
//! A. H. Morris, "Significant Digit Computation of the Incomplete Beta Function Ratios", ACM TOMS 18, 1992): some ten steps
//! where a tail is small, some thousand in the middle of 10^9 trials. Relative error below 1e-9 for every count.

use libm::{exp, expm1, log, log1p, sqrt};

use crate::saddle::{deviance, stirling_error_of_count};

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
            return Tail { ln: hits * log(rate.hit), slope: hits };
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
        let stirling =
            stirling_error_of_count(trials) - stirling_error_of_count(hits) - stirling_error_of_count(misses);
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
