//! Limits the memory of request bodies and of the records made from them.
//!
//! A body is charged chunk by chunk as it arrives, and then for its records; it never waits for memory. If there is none, bodies
//! of slow clients ([`Pace`]) are evicted. If that does not free enough, the request is answered 503 and SendGrid retries.
//! Charging the whole `Content-Length` at once would let a few connections that announce much and send nothing block all
//! others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use telemetry::{IntCounter, IntGauge};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::pace::Pace;

/// The budget of bytes.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    limit: usize,
    bodies: Arc<Mutex<Bodies>>,
    gauge: IntGauge,
    evicted: IntCounter,
}

#[derive(Debug, Default)]
struct Bodies {
    used: usize,
    next: u64,
    by_number: HashMap<u64, Body>,
}

#[derive(Debug)]
struct Body {
    bytes: usize,
    /// `None` once the body is complete.
    pace: Option<Pace>,
    evicted: CancellationToken,
}

/// The memory charged to one body. Dropping it frees the memory.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Admission,
    number: u64,
    /// When the body is cut off, if no more bytes arrive.
    cut_off_at: Instant,
    evicted: CancellationToken,
}

/// Why a body was refused more memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The budget is used up.
    Full,
    /// The body was evicted because its client was too slow.
    Evicted,
}

impl Admission {
    /// Creates a budget of `bytes`. `gauge` shows how much is used; `evicted` counts evicted bodies.
    pub(crate) fn new(bytes: usize, gauge: IntGauge, evicted: IntCounter) -> Self {
        Self { limit: bytes, bodies: Arc::default(), gauge, evicted }
    }

    /// Returns an empty permit for a body that announced `promised` bytes, if that much memory is free now.
    pub(crate) fn permit(&self, promised: usize) -> Result<Permit, Refused> {
        let (mut bodies, now) = (self.lock(), Instant::now());
        self.make_room(&mut bodies, promised, now)?;
        let (number, evicted) = (bodies.next, CancellationToken::new());
        bodies.next += 1;
        let pace = Pace::new(now);
        bodies.by_number.insert(number, Body { bytes: 0, pace: Some(pace), evicted: evicted.clone() });
        Ok(Permit { admission: self.clone(), number, cut_off_at: pace.cut_off_at(), evicted })
    }

    /// Evicts the slowest bodies until `wanted` bytes are free. Evicts none if that would not free enough.
    fn make_room(&self, bodies: &mut Bodies, wanted: usize, now: Instant) -> Result<(), Refused> {
        let missing = bodies.used.saturating_add(wanted).saturating_sub(self.limit);
        if missing == 0 {
            return Ok(());
        }
        let held = bodies.by_number.iter().filter(|(_, body)| body.bytes > 0);
        let behind = held.filter_map(|(number, body)| Some((body.pace?.evictable_at(), *number, body.bytes)));
        let mut slowest: Vec<_> = behind.filter(|(evictable_at, ..)| *evictable_at <= now).collect();
        if slowest.iter().map(|(_, _, bytes)| bytes).sum::<usize>() < missing {
            return Err(Refused::Full);
        }
        slowest.sort_unstable();
        let mut freed = 0;
        for (_, number, bytes) in slowest {
            if freed >= missing {
                break;
            }
            freed += bytes;
            if let Some(body) = self.remove(bodies, number) {
                self.evicted.inc();
                body.evicted.cancel();
            }
        }
        Ok(())
    }

    fn remove(&self, bodies: &mut Bodies, number: u64) -> Option<Body> {
        let body = bodies.by_number.remove(&number)?;
        bodies.used -= body.bytes;
        self.show(bodies);
        Some(body)
    }

    fn show(&self, bodies: &Bodies) {
        self.gauge.set(i64::try_from(bodies.used).unwrap_or(i64::MAX));
    }

    fn lock(&self) -> MutexGuard<'_, Bodies> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Charges `bytes` more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Refused> {
        let now = Instant::now();
        let mut bodies = self.admission.lock();
        if let Some(pace) = bodies.by_number.get_mut(&self.number).and_then(|body| body.pace.as_mut()) {
            pace.record_bytes(bytes, now);
            self.cut_off_at = pace.cut_off_at();
        }
        self.admission.make_room(&mut bodies, bytes, now)?;
        let body = bodies.by_number.get_mut(&self.number).ok_or(Refused::Evicted)?;
        body.bytes += bytes;
        bodies.used += bytes;
        self.admission.show(&bodies);
        Ok(())
    }

    /// Records that the body is complete: from now on it is not evicted.
    pub(crate) fn mark_complete(&mut self) -> Result<(), Refused> {
        let mut bodies = self.admission.lock();
        bodies.by_number.get_mut(&self.number).ok_or(Refused::Evicted)?.pace = None;
        Ok(())
    }

    /// When the body is cut off, if no more bytes arrive.
    pub(crate) const fn cut_off_at(&self) -> Instant {
        self.cut_off_at
    }

    /// Resolves when the body is evicted.
    pub(crate) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// The whole budget, in bytes.
    pub(crate) const fn limit(&self) -> usize {
        self.admission.limit
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.admission.remove(&mut self.admission.lock(), self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn admission(bytes: usize) -> (Admission, IntGauge) {
        let gauge = IntGauge::new("bytes", "bytes").unwrap();
        (Admission::new(bytes, gauge.clone(), IntCounter::new("evicted", "evicted").unwrap()), gauge)
    }

    #[tokio::test(start_paused = true)]
    async fn an_announcement_takes_no_memory_and_a_dropped_permit_frees_it() {
        let (admission, gauge) = admission(100);
        let mut first = admission.permit(100).unwrap();
        first.grow(60).unwrap();
        assert_eq!(admission.permit(41).unwrap_err(), Refused::Full);
        let mut second = admission.permit(40).unwrap();
        first.grow(30).unwrap();
        assert_eq!(second.grow(40), Err(Refused::Full));
        assert_eq!(gauge.get(), 90);
        drop(first);
        assert_eq!(second.grow(40), Ok(()));
        drop(second);
        assert_eq!(gauge.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_slowest_body_is_evicted_first_and_a_complete_one_never() {
        let (admission, gauge) = admission(100);
        let mut whole = admission.permit(0).unwrap();
        whole.grow(30).unwrap();
        whole.mark_complete().unwrap();
        let mut slowest = admission.permit(0).unwrap();
        slowest.grow(30).unwrap();
        tokio::time::advance(Duration::from_millis(600)).await;
        let mut slow = admission.permit(0).unwrap();
        slow.grow(30).unwrap();
        assert_eq!(admission.permit(30).unwrap_err(), Refused::Full, "nobody is far behind yet");
        tokio::time::advance(Duration::from_millis(600)).await;
        let mut newcomer = admission.permit(30).unwrap();
        slowest.evicted().await;
        assert_eq!((slowest.grow(1), slow.grow(1), gauge.get()), (Err(Refused::Evicted), Ok(()), 61));
        assert_eq!(newcomer.grow(30), Ok(()));
        drop(slowest);
        assert_eq!((gauge.get(), admission.evicted.get()), (91, 1));
    }
}
