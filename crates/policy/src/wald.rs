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
fn divergence(rate: f64, limit: f64) -> f64 {
    deviance(rate, limit, limit - rate) + deviance(1.0 - rate, 1.0 - limit, rate - limit)
}
