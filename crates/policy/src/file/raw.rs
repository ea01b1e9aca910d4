//! The policy file as it is written.

use std::collections::BTreeSet;

use model::{CustomerId, Mode, PoolName, Stage, Test};
use serde::Deserialize;
use toml::Spanned;

use crate::Signal;
use crate::limit::Whole;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPolicy {
    pub(super) version: Spanned<u32>,
    #[serde(default)]
    pub(super) mode: Mode,
    pub(super) budget: RawBudget,
    pub(super) pools: RawPools,
    #[serde(default)]
    pub(super) stage: RawStages,
    pub(super) ladder: RawLadder,
    pub(super) pilot: RawPilot,
    pub(super) maturity: RawMaturity,
    pub(super) incident: RawIncident,
    pub(super) rule: Vec<RawRule>,
    #[serde(default)]
    pub(super) limit: Vec<RawLimit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBudget {
    pub(super) mails_a_year: Spanned<u64>,
    pub(super) wrongly_moved_a_year: Spanned<f64>,
    pub(super) wrongly_watched_a_year: Spanned<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPools {
    pub(super) home: Option<PoolName>,
    pub(super) quarantine: PoolName,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStages {
    pub(super) watch: Option<RawRung>,
    pub(super) throttled: Option<RawRung>,
    pub(super) quarantined: Option<RawRung>,
    pub(super) suspended: Option<RawRung>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRung {
    pub(super) dwell: Option<Spanned<String>>,
    pub(super) daily_cap: Option<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLadder {
    pub(super) memory: Spanned<String>,
    pub(super) slower: Spanned<u32>,
    pub(super) longest: Spanned<String>,
    pub(super) person_after: Spanned<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPilot {
    pub(super) newcomers: bool,
    pub(super) strictness: Spanned<String>,
    pub(super) daily_caps: Spanned<Vec<u32>>,
    pub(super) proof: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMaturity {
    pub(super) complaints: Spanned<String>,
    pub(super) bounces: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIncident {
    pub(super) rate: Spanned<String>,
    pub(super) deferral_rate: Spanned<String>,
    pub(super) minimum_mails: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) name: Spanned<String>,
    pub(super) signal: Signal,
    pub(super) test: Spanned<Test>,
    pub(super) window: Spanned<String>,
    pub(super) enter: Spanned<String>,
    pub(super) exit: Spanned<String>,
    pub(super) minimum: Spanned<u32>,
    /// Only of `bound`.
    pub(super) spread: Option<Spanned<u32>>,
    /// Only of `sequential`.
    pub(super) correlation: Option<Spanned<String>>,
    pub(super) stage: Spanned<Stage>,
    #[serde(default = "enforced")]
    pub(super) mode: Mode,
    pub(super) enforce_for: Option<Spanned<RawSlice>>,
}

const fn enforced() -> Mode {
    Mode::Enforce
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum RawSlice {
    Share(String),
    These(BTreeSet<CustomerId>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimit {
    pub(super) name: Spanned<String>,
    pub(super) of: Whole,
    pub(super) signal: Signal,
    pub(super) enter: Spanned<String>,
    pub(super) ahead: Spanned<String>,
    pub(super) stage: Spanned<Stage>,
    pub(super) at_most: Spanned<usize>,
}
