//! How many bytes of bodies may be in memory at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The budget of bytes.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    budget: Arc<Semaphore>,
    gauge: prometheus::IntGauge,
}

/// Bytes that were granted; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    held: Option<OwnedSemaphorePermit>,
    gauge: prometheus::IntGauge,
}

impl Admission {
    pub(crate) fn new(bytes: usize, gauge: prometheus::IntGauge) -> Self {
        Self { budget: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))), gauge }
    }

    /// An empty permit, to be grown.
    pub(crate) fn permit(&self) -> Permit {
        Permit { held: None, gauge: self.gauge.clone() }
    }

    /// Grows `permit` by `bytes`; whether they were there. Never waits: who is refused comes again.
    #[must_use]
    pub(crate) fn grow(&self, permit: &mut Permit, bytes: usize) -> bool {
        let Ok(wanted) = u32::try_from(bytes) else { return false };
        let Ok(more) = Arc::clone(&self.budget).try_acquire_many_owned(wanted) else { return false };
        self.gauge.add(i64::from(wanted));
        match &mut permit.held {
            Some(held) => held.merge(more),
            None => permit.held = Some(more),
        }
        true
    }
}

impl Permit {
    /// How many bytes it grants.
    pub(crate) fn bytes(&self) -> usize {
        self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gauge.sub(i64::try_from(self.bytes()).unwrap_or(i64::MAX));
    }
}
