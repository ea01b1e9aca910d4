//! Shares of mail.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A share, from 0 (none) to 1 (all).
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = f64, minimum = 0, maximum = 1))]
#[serde(try_from = "f64", into = "f64")]
pub struct Rate(f64);

impl Rate {
    /// None.
    pub const ZERO: Self = Self(0.0);

    /// The share `value`; `None` outside 0..=1 or where it is not a number.
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// `part` of `whole`; zero of nothing is zero, and a part larger than the whole (outcomes that arrived before the
    /// mails they belong to) is all of it.
    pub fn of(part: u32, whole: u32) -> Self {
        if whole == 0 { Self::ZERO } else { Self((f64::from(part) / f64::from(whole)).min(1.0)) }
    }

    /// The share as a number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Rate {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        Self::new(value).ok_or_else(|| format!("a rate is from 0 to 1, not {value}"))
    }
}

impl From<Rate> for f64 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} %", self.0 * 100.0)
    }
}
