//! What must hold for the likelihood ratio of clusters, whatever the counts.

use policy::likelihood::{Contrast, Shape, ShapeError};
use proptest::prelude::*;

/// A null hypothesis and an alternative, both sound.
#[derive(Debug, Clone, Copy)]
struct Pair {
    null: f64,
    alternative: f64,
    concentration: f64,
}

impl Pair {
    fn contrast(self) -> Contrast {
        let shape = |mean| Shape::new(mean, self.concentration).unwrap();
        Contrast::new(shape(self.null), shape(self.alternative)).unwrap()
    }
}

fn pairs() -> impl Strategy<Value = Pair> {
    (-12.0..-1.5_f64, 1.01..16.0_f64, -5.0..16.1_f64).prop_map(|(ln_null, factor, ln_concentration)| Pair {
        null: ln_null.exp(),
        alternative: (factor * ln_null.exp()).min(0.95),
        concentration: ln_concentration.exp(),
    })
}

/// Hits of mails, of every order of magnitude.
fn counts() -> impl Strategy<Value = (u32, u32)> {
    let count = || (any::<u32>(), 0_u32..32).prop_map(|(most, halved)| most >> halved);
    (count(), count()).prop_map(|(hits, misses)| (hits, hits.saturating_add(misses)))
}

/// How much the sum of the two factors' logarithms may be off by rounding.
fn rounding(contrast: &Contrast, hits: u32, mails: u32) -> f64 {
    1e-14 * (contrast.ln_ratio(hits, hits) - contrast.ln_ratio(0, mails - hits))
}

proptest! {
    #[test]
    fn one_more_hit_never_speaks_less_for_the_higher_rate(pair in pairs(), (hits, mails) in counts()) {
        prop_assume!(hits < mails);
        let contrast = pair.contrast();
        let (before, after) = (contrast.ln_ratio(hits, mails), contrast.ln_ratio(hits + 1, mails));
        prop_assert!(after >= before - rounding(&contrast, hits, mails), "{before} {after}");
    }

    #[test]
    fn one_more_mail_without_a_hit_never_speaks_more_for_the_higher_rate(pair in pairs(), (hits, mails) in counts()) {
        prop_assume!(mails < u32::MAX);
        let contrast = pair.contrast();
        let (before, after) = (contrast.ln_ratio(hits, mails), contrast.ln_ratio(hits, mails + 1));
        prop_assert!(after <= before + rounding(&contrast, hits, mails), "{before} {after}");
    }

    #[test]
    fn polyas_urn_mail_by_mail_gives_the_same(pair in pairs(), outcomes in prop::collection::vec(prop::bool::weighted(0.2), 0..600)) {
        let (mut hits, mut mails, mut sum) = (0_u32, 0_u32, 0.0);
        for hit in outcomes {
            let next = |mean: f64| {
                let rate = (mean * pair.concentration + f64::from(hits)) / (pair.concentration + f64::from(mails));
                if hit { rate.ln() } else { (-rate).ln_1p() }
            };
            sum += next(pair.alternative) - next(pair.null);
            hits += u32::from(hit);
            mails += 1;
        }
        let contrast = pair.contrast();
        let found = contrast.ln_ratio(hits, mails);
        let larger = contrast.ln_ratio(hits, hits).abs().max(contrast.ln_ratio(0, mails - hits).abs());
        prop_assert!((found - sum).abs() <= 1e-9 * larger.max(1.0), "{found} {sum}");
    }

    #[test]
    fn clusters_that_hardly_differ_are_independent_mails(pair in pairs(), hits in 0_u32..200, misses in 0_u32..200) {
        let Pair { null, alternative, .. } = pair;
        let pair = Pair { concentration: 1e7, ..pair };
        let (h, m) = (f64::from(hits), f64::from(misses));
        let binomial = h * (alternative / null).ln() + m * ((1.0 - alternative) / (1.0 - null)).ln();
        let found = pair.contrast().ln_ratio(hits, hits + misses);
        let still_between = (h * h / null + m * m / (1.0 - alternative)) / 2.0 / pair.concentration;
        prop_assert!((found - binomial).abs() <= still_between + 1e-9 * (h + m), "{found} {binomial}");
    }

    #[test]
    fn a_customer_at_the_limit_is_expected_to_gain_nothing(pair in pairs(), mails in 0_u32..60) {
        let contrast = pair.contrast();
        let (a, b) = (pair.null * pair.concentration, (1.0 - pair.null) * pair.concentration);
        // The beta-binomial probability of no hit, then of one more hit each.
        let mut chance: f64 = (0..mails).map(|n| (b + f64::from(n)) / (a + b + f64::from(n))).product();
        let mut expected = 0.0;
        for hits in 0..=mails {
            expected += chance * contrast.ln_ratio(hits, mails).exp();
            let (h, m) = (f64::from(hits), f64::from(mails - hits));
            chance *= m / (h + 1.0) * (a + h) / (b + m - 1.0);
        }
        prop_assert!((expected - 1.0).abs() < 1e-8, "{expected}");
    }
}

#[test]
fn mails_that_are_alike_say_less_than_as_many_independent_ones() {
    let weight = |correlation| {
        let shape = |mean| Shape::correlated(mean, correlation).unwrap();
        Contrast::new(shape(0.003), shape(0.012)).unwrap().ln_ratio(30, 1_000)
    };
    assert!(weight(1e-6) > 20.0 && weight(0.1) < 5.0 && weight(0.1) > 0.0, "{} {}", weight(1e-6), weight(0.1));
}

#[test]
fn more_hits_than_mails_count_as_so_many_mails() {
    let contrast = Pair { null: 0.01, alternative: 0.04, concentration: 50.0 }.contrast();
    assert!(contrast.ln_ratio(40, 3).total_cmp(&contrast.ln_ratio(40, 40)).is_eq());
}

#[test]
fn what_is_out_of_range_is_refused() {
    for mean in [0.0, 1.0, -0.1, f64::NAN] {
        assert!(matches!(Shape::new(mean, 10.0), Err(ShapeError::Mean(_))), "{mean}");
    }
    for concentration in [0.0, -1.0, 2e7, f64::INFINITY, f64::NAN] {
        assert!(matches!(Shape::new(0.5, concentration), Err(ShapeError::Concentration(_))), "{concentration}");
    }
    for correlation in [0.0, 1.0, -0.1, f64::NAN] {
        assert!(matches!(Shape::correlated(0.5, correlation), Err(ShapeError::Correlation(_))), "{correlation}");
    }
    let shape = |concentration| Shape::new(0.5, concentration).unwrap();
    assert!(matches!(Contrast::new(shape(5.0), shape(6.0)), Err(ShapeError::Concentrations { .. })));
}

#[test]
fn the_correlation_of_a_shape_is_the_one_it_was_made_of() {
    for correlation in [1e-6, 0.01, 0.5, 0.99] {
        let found = Shape::correlated(0.2, correlation).unwrap().correlation();
        assert!((found - correlation).abs() < 1e-12, "{found}");
    }
}
