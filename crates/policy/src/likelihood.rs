//! How strongly a cluster of mails speaks for one rate against another when the mails of a cluster are alike.
//!
//! Mails sent together share a list, a content and a pool, so that their outcomes are correlated: the hits of a cluster are
//! beta-binomial, not binomial (J. G. Skellam, "A Probability Distribution Derived from the Binomial Distribution by
//! Regarding the Probability of Success as Variable between the Sets of Trials", JRSS B 10, 1948). A binomial likelihood would
//! take one bad list for proof.

use libm::{log, log1p};

use crate::saddle::deviance;

/// Why two distributions of clusters cannot be had or compared.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ShapeError {
    /// The mean rate is out of range.
    #[error("a mean rate of {0} is not between 1e-12 and 1 - 1e-12")]
    Mean(f64),
    /// The concentration is out of range.
    #[error("a concentration of {0} is not between 1e-6 and 1e7")]
    Concentration(f64),
    /// The correlation is out of range.
    #[error("a correlation of {0} is not between 1e-7 and 0.999999")]
    Correlation(f64),
    /// The two sides of a contrast are not of the same concentration.
    #[error("the concentrations differ: {null} under the null hypothesis, {alternative} under the alternative")]
    Concentrations {
        /// That of the null hypothesis.
        null: f64,
        /// That of the alternative.
        alternative: f64,
    },
}

/// The distribution of a cluster's own rate: Beta(`mean * concentration`, `(1 - mean) * concentration`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    mean: f64,
    concentration: f64,
}

impl Shape {
    /// Clusters of the rate `mean` (1e-12 to 1 - 1e-12) on the average; the higher the `concentration` (1e-6 to 1e7), the
    /// less they differ. It is the number of mails that would say as much about a cluster as is known beforehand.
    ///
    /// # Errors
    ///
    /// A value is out of its range.
    pub fn new(mean: f64, concentration: f64) -> Result<Self, ShapeError> {
        if !(1e-12..=1.0 - 1e-12).contains(&mean) {
            return Err(ShapeError::Mean(mean));
        }
        if !(1e-6..=1e7).contains(&concentration) {
            return Err(ShapeError::Concentration(concentration));
        }
        Ok(Self { mean, concentration })
    }

    /// The same by the correlation of two mails of one cluster (1e-7 to 0.999999): `1 / (concentration + 1)`.
    ///
    /// # Errors
    ///
    /// A value is out of its range.
    pub fn correlated(mean: f64, correlation: f64) -> Result<Self, ShapeError> {
        let fault = |_| ShapeError::Correlation(correlation);
        let shape = Self::new(0.5, (1.0 - correlation) / correlation).map_err(fault)?;
        Self::new(mean, shape.concentration)
    }

    /// The average rate of a cluster.
    pub fn mean(self) -> f64 {
        self.mean
    }

    /// How little clusters differ, in mails.
    pub fn concentration(self) -> f64 {
        self.concentration
    }

    /// The correlation of two mails of one cluster.
    pub fn correlation(self) -> f64 {
        1.0 / (self.concentration + 1.0)
    }
}

/// Two hypotheses about the mean rate of clusters that differ equally under both.
///
/// With one concentration for both, all that holds the cluster's size cancels out of the likelihood ratio; what is left is a
/// factor for the hits and one for the misses, each with its constants at hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Contrast {
    hits: RisingRatio,
    misses: RisingRatio,
}

impl Contrast {
    /// The `alternative` against the `null` hypothesis.
    ///
    /// # Errors
    ///
    /// The two are not of the same concentration.
    pub fn new(null: Shape, alternative: Shape) -> Result<Self, ShapeError> {
        if null.concentration.total_cmp(&alternative.concentration).is_ne() {
            return Err(ShapeError::Concentrations {
                null: null.concentration,
                alternative: alternative.concentration,
            });
        }
        let apart = (alternative.mean - null.mean) * null.concentration;
        let misses = |shape: Shape| (1.0 - shape.mean) * shape.concentration;
        Ok(Self {
            hits: RisingRatio::new(alternative.mean * alternative.concentration, null.mean * null.concentration, apart),
            misses: RisingRatio::new(misses(alternative), misses(null), -apart),
        })
    }

    /// What a cluster of `mails` with so many `hits` says for the alternative, in nats: the logarithm of its beta-binomial
    /// likelihood under the alternative over that under the null hypothesis.
    ///
    /// Negative where it speaks for the null hypothesis; 0 for no mails. More hits than mails count as so many mails.
    /// Relative error below 1e-9 of the larger of the two factors' logarithms.
    pub fn ln_ratio(&self, hits: u32, mails: u32) -> f64 {
        self.hits.ln(hits) + self.misses.ln(mails.saturating_sub(hits))
    }
}

/// `x (x+1) .. (x+k-1)` over `y (y+1) .. (y+k-1)`: how Pólya's urn multiplies up `k` draws of one colour under two fillings.
#[derive(Debug, Clone, PartialEq)]
struct RisingRatio {
    /// Its logarithm for up to 32 draws, looked up and not computed: most clusters have no hit or a few.
    first: [f64; 33],
    /// The most draws that are looked up.
    looked_up: f64,
    /// The numerator's next factor after those.
    x: f64,
    /// The denominator's next factor after those.
    y: f64,
    /// `x - y`, which has digits that the difference of the two has lost.
    apart: f64,
    /// What is added to the Stirling form for more draws to be the logarithm.
    constant: f64,
}

impl RisingRatio {
    fn new(x: f64, y: f64, apart: f64) -> Self {
        let mut ratio = Self { first: [0.0; 33], looked_up: 0.0, x, y, apart, constant: 0.0 };
        for logarithm in &mut ratio.first[1..] {
            ratio.constant += ln_quotient(ratio.x, ratio.y, apart);
            *logarithm = ratio.constant;
            ratio.looked_up += 1.0;
            ratio.x += 1.0;
            ratio.y += 1.0;
        }
        ratio.constant -= stirling(ratio.x, ratio.y, apart);
        ratio
    }

    /// The logarithm for `count` draws.
    fn ln(&self, count: u32) -> f64 {
        match usize::try_from(count).ok().and_then(|count| self.first.get(count)) {
            Some(logarithm) => *logarithm,
            None => self.beyond(f64::from(count) - self.looked_up),
        }
    }

    /// The logarithm for so many draws `more` than are looked up.
    fn beyond(&self, more: f64) -> f64 {
        self.apart * log1p(more / self.x) + stirling(self.x + more, self.y + more, self.apart) + self.constant
    }
}

/// `ln Γ(x) - ln Γ(y) - (x - y) ln x` by Stirling's series, for `x` and `y` of at least 32; `apart` is `x - y`.
///
/// In this form every term shrinks with `apart`, so that hypotheses that lie close together lose no digits.
fn stirling(x: f64, y: f64, apart: f64) -> f64 {
    let deviance = deviance(y, x, apart);
    let half_ln_quotient = 0.5 * (apart - deviance) / y;
    -deviance - half_ln_quotient - apart * series_falling(1.0 / x, 1.0 / y)
}

/// By how much the series `p/12 - p^3/360 + p^5/1260` falls from `1/y` to `1/x`, over `x - y`; `p` is `1/x` and `q` is `1/y`.
fn series_falling(p: f64, q: f64) -> f64 {
    let (product, squares) = (p * q, p * p + q * q);
    let cubes = squares + product;
    let fifths = squares * cubes - product * product;
    product * (1.0 / 12.0 - cubes / 360.0 + fifths / 1260.0)
}

/// `ln(x / y)`, where `apart` is `x - y`.
fn ln_quotient(x: f64, y: f64, apart: f64) -> f64 {
    if apart.abs() < 0.5 * y { log1p(apart / y) } else { log(x / y) }
}
