//! What no test can beat: the yardstick for how soon a bad customer is found.

use libm::log;

use crate::saddle::deviance;

/// The fewest mails, on the average, after which any test whatever can tell a customer of the hit rate `rate` from one at the
/// `limit`, if it takes a customer at the limit for one above it with probability `alpha` and misses none above it.
///
/// `ln(1 / alpha)` nats are needed and each mail brings KL(`rate` || `limit`) of them. Holds for independent mails and any
/// rule for when to stop: A. Wald, "Sequential Tests of Statistical Hypotheses", Ann. Math. Stat. 16 (1945). For a test that
/// watches on until a change comes, with one false alarm in `1 / alpha` mails, it is the limit for small `alpha` of the mean
/// delay after the change: G. Lorden, "Procedures for Reacting to a Change in Distribution", Ann. Math. Stat. 42 (1971).
///
/// `limit` is between 0 and 1 and `alpha` too. Infinite where `rate` is not above `limit`.
pub fn fewest_mails(limit: f64, rate: f64, alpha: f64) -> f64 {
    if rate <= limit {
        return f64::INFINITY;
    }
    -log(alpha) / divergence(rate, limit)
}

/// The Kullback-Leibler divergence of a draw at `rate` from one at `limit`, in nats.
pub fn divergence(rate: f64, limit: f64) -> f64 {
    deviance(rate, limit, limit - rate) + deviance(1.0 - rate, 1.0 - limit, rate - limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean number of mails until the likelihood ratio of `rate` against `limit` reaches `1 / alpha`, counted out: the
    /// chance of each number of hits among those not found yet, mail by mail.
    fn mails_of_walds_own_test(limit: f64, rate: f64, alpha: f64) -> f64 {
        let (hit, miss) = ((rate / limit).ln(), ((1.0 - rate) / (1.0 - limit)).ln());
        let (mut chances, mut mean) = (vec![1.0], 0.0);
        for mails in 0..20_000_u32 {
            mean += chances.iter().sum::<f64>();
            let mut next = vec![0.0; chances.len() + 1];
            for (hits, chance) in chances.iter().enumerate() {
                next[hits] += chance * (1.0 - rate);
                next[hits + 1] += chance * rate;
            }
            let found = |hits: usize| {
                let hits = f64::from(u32::try_from(hits).unwrap());
                hits * hit + (f64::from(mails + 1) - hits) * miss >= -alpha.ln()
            };
            next.truncate((0..next.len()).find(|hits| found(*hits)).unwrap_or(next.len()));
            chances = next;
        }
        mean
    }

    #[test]
    fn walds_own_test_needs_more_but_at_most_one_hit_more() {
        for (limit, rate, alpha) in [(0.05, 0.2, 1e-6), (0.05, 0.8, 1e-9), (0.003, 0.05, 1e-6), (0.5, 0.6, 1e-3)] {
            let (fewest, needed) = (fewest_mails(limit, rate, alpha), mails_of_walds_own_test(limit, rate, alpha));
            let overshoot = (rate / limit).ln() / divergence(rate, limit);
            assert!(fewest <= needed && needed <= fewest + overshoot, "{limit} {rate}: {fewest} {needed} {overshoot}");
        }
    }

    #[test]
    fn a_rate_that_is_not_above_the_limit_is_never_found() {
        assert!(fewest_mails(0.05, 0.05, 1e-6).is_infinite());
        assert!(fewest_mails(0.05, 0.01, 1e-6).is_infinite());
    }

    #[test]
    fn when_every_mail_hits_each_brings_the_logarithm_of_the_limit() {
        assert!((fewest_mails(0.05, 1.0, 0.05_f64.powi(4)) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn rates_that_lie_close_together_lose_no_digits() {
        // ln(1e6) / (d^2 / 2 / (0.5 * 0.5)) for d = 2^-20, but for a part of d^2.
        let (apart, alpha) = (2.0_f64.powi(-20), 1e-6_f64);
        let expected = -alpha.ln() / (2.0 * apart * apart);
        assert!((fewest_mails(0.5, 0.5 + apart, alpha) / expected - 1.0).abs() < 1e-9);
    }
}
