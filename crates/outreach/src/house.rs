//! What telling needs.

use std::sync::Arc;

use log::{Candidacy, Log, Producer};

use crate::metrics::Metrics;
use crate::{Clock, Config};

/// Where it is read and kept, by what it is told, and how that is counted.
#[derive(Clone, Debug)]
pub(crate) struct House {
    pub(crate) config: Config,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) producer: Arc<dyn Producer>,
    pub(crate) candidacy: Arc<dyn Candidacy>,
    pub(crate) clock: ClockOf,
    pub(crate) metrics: Metrics,
    pub(crate) client: reqwest::Client,
}

/// A clock that can be shown.
#[derive(Clone)]
pub(crate) struct ClockOf(pub(crate) Clock);

impl std::fmt::Debug for ClockOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
