//! The middle and the upper end of some figures.

use serde::Serialize;

/// The median and the 95th percentile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    /// Half of the figures are at most this.
    pub median: f64,
    /// 95 of 100 are at most this.
    pub p95: f64,
}

impl Quantiles {
    /// Those of `figures`, by nearest rank; `None` of none.
    pub fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        Some(Self { median: *figures.get(rank(figures.len(), 50))?, p95: *figures.get(rank(figures.len(), 95))? })
    }
}

/// Where the figure stands that `percent` of `number` do not exceed.
const fn rank(number: usize, percent: usize) -> usize {
    (number * percent).div_ceil(100).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        assert_eq!(Quantiles::of(Vec::new()), None);
        assert_eq!(Quantiles::of(vec![7.0]), Some(Quantiles { median: 7.0, p95: 7.0 }));
        let hundred = (1..=100).rev().map(f64::from).collect();
        assert_eq!(Quantiles::of(hundred), Some(Quantiles { median: 50.0, p95: 95.0 }));
    }
}
