//! How many bytes of bodies may be in memory at once.
//!
//! A body is charged with what has come of it, chunk by chunk, and never waits for room: who is refused is answered 503
//! and comes again. Charging a `Content-Length` in full would let a few connections that promise much and send nothing
//! keep everyone else out.

use std::sync::Arc;

use telemetry::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The budget of bytes.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    budget: Arc<Semaphore>,
    gauge: IntGauge,
}

/// Bytes that were granted; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Admission,
    held: Option<OwnedSemaphorePermit>,
}

/// There is no room for that many bytes just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Admission {
    /// A budget of `bytes`, shown by `gauge` as far as it is used.
    pub(crate) fn new(bytes: usize, gauge: IntGauge) -> Self {
        Self { budget: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))), gauge }
    }

    /// An empty permit for a body of which `promised` bytes were announced, where there is room for them now.
    pub(crate) fn permit(&self, promised: usize) -> Result<Permit, Full> {
        if promised > self.budget.available_permits() {
            return Err(Full);
        }
        Ok(Permit { admission: self.clone(), held: None })
    }
}

impl Permit {
    /// Takes `bytes` more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let wanted = u32::try_from(bytes).map_err(|_| Full)?;
        let more = Arc::clone(&self.admission.budget).try_acquire_many_owned(wanted).map_err(|_| Full)?;
        self.admission.gauge.add(i64::from(wanted));
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let bytes = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        self.admission.gauge.sub(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_takes_no_room_and_what_came_is_given_back() {
        let gauge = IntGauge::new("bytes", "bytes").unwrap();
        let admission = Admission::new(100, gauge.clone());
        let mut first = admission.permit(100).unwrap();
        first.grow(60).unwrap();
        assert_eq!(admission.permit(41).unwrap_err(), Full);
        let mut second = admission.permit(40).unwrap();
        first.grow(30).unwrap();
        assert_eq!(second.grow(40), Err(Full));
        assert_eq!(gauge.get(), 90);
        drop(first);
        assert_eq!(second.grow(40), Ok(()));
        drop(second);
        assert_eq!(gauge.get(), 0);
    }
}
