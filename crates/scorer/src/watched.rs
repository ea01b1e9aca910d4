//! How the scorer is seen from outside.

use std::fmt;

use crate::metrics::Metrics;
use crate::{Clock, Troubles};

/// What the scorer's threads tell of themselves, and when.
#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) metrics: Metrics,
    pub(crate) troubles: Troubles,
    pub(crate) clock: Clock,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("troubles", &self.troubles).finish_non_exhaustive()
    }
}
