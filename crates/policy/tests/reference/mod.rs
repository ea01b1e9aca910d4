//! The numerical routines against exact arithmetic and against another library.

use policy::{
    likelihood::{Contrast, Shape},
    tail,
};
use proptest::prelude::*;
use statrs::{
    distribution::{Binomial, DiscreteCDF},
    function::beta::{beta_reg, ln_beta},
};

mod exact;

/// Whether two values agree to 1e-9.
fn agree(found: f64, expected: f64) -> bool {
    found.total_cmp(&expected).is_eq() || (found - expected).abs() <= 1e-9 * expected.abs()
}

fn contrast(null: f64, alternative: f64, concentration: f64) -> Contrast {
    let shape = |mean| Shape::new(mean, concentration).unwrap();
    Contrast::new(shape(null), shape(alternative)).unwrap()
}

#[test]
fn tails_are_those_of_exact_arithmetic() {
    for &(hits, trials, limit, expected) in exact::LN_TAILS {
        let (ln, plain) = (tail::ln_at_least(hits, trials, limit), tail::at_least(hits, trials, limit));
        assert!(agree(ln, expected), "{hits} of {trials} at {limit}: ln {ln}, not {expected}");
        // Where an f64 has lost digits or all, only the logarithm speaks.
        let held = expected > f64::MIN_POSITIVE.ln();
        assert!(!held || agree(plain, expected.exp()), "{hits} of {trials} at {limit}: {plain}, not e^{expected}");
    }
}

#[test]
fn a_tail_too_small_for_an_f64_is_zero_and_its_logarithm_tells_how_small() {
    assert!(tail::at_least(300, 1_000, 0.001).total_cmp(&0.0).is_eq());
    assert!(tail::ln_at_least(301, 1_000, 0.001) < tail::ln_at_least(300, 1_000, 0.001));
}

#[test]
fn counts_that_must_be_and_counts_that_cannot_be_are_certain() {
    for (hits, trials, limit, expected) in [
        (0, 0, 0.5, 0.0),
        (0, u32::MAX, 0.0, 0.0),
        (0, 5, 1.0, 0.0),
        (5, 5, 1.0, 0.0),
        (5, 5, 2.0, 0.0),
        (1, 0, 0.5, f64::NEG_INFINITY),
        (6, 5, 1.0, f64::NEG_INFINITY),
        (1, u32::MAX, 0.0, f64::NEG_INFINITY),
        (1, 5, -0.5, f64::NEG_INFINITY),
    ] {
        assert!(agree(tail::ln_at_least(hits, trials, limit), expected), "{hits} of {trials} at {limit}");
        assert!(agree(tail::at_least(hits, trials, limit), expected.exp()), "{hits} of {trials} at {limit}");
    }
}

#[test]
fn bounds_are_those_of_exact_arithmetic() {
    for &(hits, trials, alpha, expected) in exact::LOWER_BOUNDS {
        let found = tail::lower_bound(hits, trials, alpha);
        assert!(agree(found, expected), "lower, {hits} of {trials} at {alpha}: {found}, not {expected}");
    }
    for &(hits, trials, alpha, expected) in exact::UPPER_BOUNDS {
        let found = tail::upper_bound(hits, trials, alpha);
        assert!(agree(found, expected), "upper, {hits} of {trials} at {alpha}: {found}, not {expected}");
    }
}

#[test]
fn likelihood_ratios_are_those_of_exact_arithmetic() {
    for &([null, alternative, concentration], [hits, mails], expected) in exact::LN_RATIOS {
        let contrast = contrast(null, alternative, concentration);
        let found = contrast.ln_ratio(hits, mails);
        // Of the larger factor: the two may all but cancel.
        let scale = expected.abs().max(contrast.ln_ratio(hits, hits));
        assert!(
            (found - expected).abs() <= 1e-9 * scale,
            "{hits} of {mails}, {alternative} against {null}, {concentration}: {found}, not {expected}"
        );
    }
}

proptest! {
    // The other library's own error, of log-gamma, stays below 1e-10 for counts such as these.

    #[test]
    fn tails_are_those_of_another_library(trials in 1_u32..2_000, part in 0.0..1.0_f64, ln_limit in -9.0..-0.01_f64) {
        let (hits, limit) = (below(trials, part), ln_limit.exp());
        let expected = Binomial::new(limit, u64::from(trials)).unwrap().sf(u64::from(hits) - 1);
        let found = tail::at_least(hits, trials, limit);
        // Near the smallest f64 the other library has lost digits.
        prop_assert!(agree(found, expected) || found.max(expected) < 1e-290, "{found}, not {expected}");
    }

    #[test]
    fn bounds_are_where_another_library_meets_alpha(trials in 1_u32..2_000, part in 0.0..1.0_f64, ln_alpha in -9.0..-0.1_f64) {
        let (hits, alpha) = (below(trials, part), ln_alpha.exp());
        let (a, b) = (f64::from(hits), f64::from(trials - hits + 1));
        let lower = beta_reg(a, b, tail::lower_bound(hits, trials, alpha));
        prop_assert!(agree(lower, alpha), "{lower}, not {alpha}");
        let upper = beta_reg(a, b, tail::upper_bound(hits - 1, trials, alpha));
        prop_assert!(agree(upper, 1.0 - alpha), "{upper}, not 1 - {alpha}");
    }

    #[test]
    fn likelihood_ratios_are_those_of_another_library(
        mails in 1_u32..5_000,
        part in 0.0..1.0_f64,
        null in 0.001..0.3_f64,
        factor in 1.5..3.0_f64,
        ln_concentration in -3.0..7.0_f64,
    ) {
        let (hits, concentration) = (below(mails, part), ln_concentration.exp());
        let ln = |mean: f64| {
            let (a, b) = (mean * concentration, (1.0 - mean) * concentration);
            ln_beta(a + f64::from(hits), b + f64::from(mails - hits)) - ln_beta(a, b)
        };
        let (found, expected) =
            (contrast(null, factor * null, concentration).ln_ratio(hits, mails), ln(factor * null) - ln(null));
        prop_assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found}, not {expected}");
    }
}

/// A count of 1 to `most`: mostly a small part of it.
fn below(most: u32, part: f64) -> u32 {
    (1..=most).find(|count| f64::from(*count) >= f64::from(most) * part.powi(3)).unwrap_or(most)
}
