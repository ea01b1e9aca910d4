//! Exact tails of the binomial distribution: how surprising a count is.
//!
//! Not the Wilson interval or another approximation: for rare events, as complaints are, their errors are many times the
//! promised ones.

use libm::lgamma;

/// Probability of at least `hits` successes in `trials` draws if the true rate were `limit`.
///
/// The upper binomial tail, summed term by term from `hits` away from the mean until a term no longer matters: about nine
/// standard deviations of terms at the most. Relative error below 1e-9 for up to 10^6 trials, set by the first term's
/// logarithm. Returns 1.0 where `hits` is 0, and 0.0 where there are more hits than trials could give. `limit` is held to
/// 0..=1.
pub fn at_least(hits: u32, trials: u32, limit: f64) -> f64 {
    let limit = limit.clamp(0.0, 1.0);
    if hits == 0 || limit >= 1.0 {
        return if hits > trials { 0.0 } else { 1.0 };
    }
    if hits > trials || limit <= 0.0 {
        return 0.0;
    }
    let odds = limit / (1.0 - limit);
    if f64::from(hits) > f64::from(trials) * limit {
        let upwards = (hits..trials).map(|k| f64::from(trials - k) / f64::from(k + 1) * odds);
        series(probability(hits, trials, limit), upwards)
    } else {
        let downwards = (1..hits).rev().map(|k| f64::from(k) / f64::from(trials - k + 1) / odds);
        1.0 - series(probability(hits - 1, trials, limit), downwards)
    }
}

/// Probability of exactly `hits` in `trials`.
fn probability(hits: u32, trials: u32, limit: f64) -> f64 {
    let (hits, trials) = (f64::from(hits), f64::from(trials));
    let ways = lgamma(trials + 1.0) - lgamma(hits + 1.0) - lgamma(trials - hits + 1.0);
    (ways + hits * limit.ln() + (trials - hits) * (-limit).ln_1p()).exp()
}

/// The sum of terms of which each is the one before times the next ratio.
fn series(first: f64, ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut term) = (first, first);
    for ratio in ratios {
        term *= ratio;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum.min(1.0)
}

/// The largest rate that `hits` of `trials` rule out at the error `alpha`: the true rate is above it, except with
/// probability `alpha`.
///
/// The exact (Clopper-Pearson) lower bound, by bisection of [`at_least`] to within 1e-9. Zero where `hits` is 0.
pub fn lower_bound(hits: u32, trials: u32, alpha: f64) -> f64 {
    if hits == 0 || trials == 0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, f64::from(hits.min(trials)) / f64::from(trials));
    while high - low > 1e-9 {
        let middle = f64::midpoint(low, high);
        if at_least(hits, trials, middle) <= alpha {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
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
        fn the_bound_is_where_the_tail_meets_alpha(trials in 10_u32..100_000, hits in 1_u32..10) {
            let bound = lower_bound(hits, trials, 1e-4);
            prop_assert!(at_least(hits, trials, bound) <= 1e-4);
            prop_assert!(at_least(hits, trials, bound + 1e-8) > 1e-4);
        }
    }
}
