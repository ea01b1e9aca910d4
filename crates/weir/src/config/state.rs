//! Where the scorer's state lies, and where copies of it go.

use std::path::PathBuf;
use std::time::Duration;

use model::Millis;
use scorer::Checkpoints;

use super::check::Check;
use super::raw::RawState;

/// Where the scorer's state lies.
#[derive(Clone, Debug)]
pub(crate) struct StateSettings {
    /// Here.
    pub(crate) path: PathBuf,
    /// Where copies go.
    pub(crate) checkpoints: Option<Checkpoints>,
    /// How often a copy is made.
    pub(crate) checkpoint_interval: Duration,
    /// How long the state of a partition is kept that another scorer has.
    pub(crate) grace: Duration,
}

impl StateSettings {
    /// State at `path`, without copies.
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        let (checkpoint_interval, grace) = (Duration::from_secs(300), Duration::from_secs(3_600));
        Self { path: path.into(), checkpoints: None, checkpoint_interval, grace }
    }
}

pub(super) fn check(check: &mut Check<'_>, raw: &RawState) -> StateSettings {
    let mut settings = StateSettings::at(raw.path.as_deref().unwrap_or("data/state"));
    if let Some(url) = &raw.checkpoints {
        match Checkpoints::open(url.get_ref()) {
            Ok(checkpoints) => settings.checkpoints = Some(checkpoints),
            Err(error) => {
                let error = anyhow::Error::from(error);
                check.fault(url, format!("{error:#}"));
            }
        }
    }
    settings.checkpoint_interval = check.span(raw.checkpoint_interval.as_ref(), Millis::minutes(5));
    settings.grace = check.span(raw.grace.as_ref(), Millis::hours(1));
    settings
}
