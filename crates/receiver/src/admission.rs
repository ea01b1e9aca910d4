//! How many bytes of bodies may be in memory at once.
//!
//! A body is charged with what has come of it, chunk by chunk, and with the records that are made of it; it never waits for
//! room. Where there is none, bodies whose clients are behind lose their place, and if that is not enough the newcomer is
//! answered 503 and comes again. Charging a `Content-Length` in full would let a few connections that promise much and send
//! nothing keep everyone else out.

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
    /// `None` once all of it came.
    pace: Option<Pace>,
    evicted: CancellationToken,
}

/// A body's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Admission,
    number: u64,
    evicted: CancellationToken,
}

/// Why a body can't have more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no room for them just now.
    Full,
    /// The body was too slow and lost its place.
    Evicted,
}

impl Admission {
    /// A budget of `bytes`, shown by `gauge` as far as it is used; `evicted` counts bodies that lost their place.
    pub(crate) fn new(bytes: usize, gauge: IntGauge, evicted: IntCounter) -> Self {
        Self { limit: bytes, bodies: Arc::default(), gauge, evicted }
    }

    /// The budget, in bytes.
    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// An empty permit for a body of which `promised` bytes were announced, where there is room for them now.
    pub(crate) fn permit(&self, promised: usize) -> Result<Permit, Refused> {
        let (mut bodies, now) = (self.lock(), Instant::now());
        self.make_room(&mut bodies, promised, now)?;
        let (number, evicted) = (bodies.next, CancellationToken::new());
        bodies.next += 1;
        let body = Body { bytes: 0, pace: Some(Pace::new(now)), evicted: evicted.clone() };
        bodies.by_number.insert(number, body);
        Ok(Permit { admission: self.clone(), number, evicted })
    }

    /// Takes their places from those who are furthest behind until `wanted` bytes are free; from nobody where that would not
    /// do.
    fn make_room(&self, bodies: &mut Bodies, wanted: usize, now: Instant) -> Result<(), Refused> {
        let missing = bodies.used.saturating_add(wanted).saturating_sub(self.limit);
        if missing == 0 {
            return Ok(());
        }
        let held = bodies.by_number.iter().filter(|(_, body)| body.bytes > 0);
        let behind = held.filter_map(|(number, body)| Some((body.pace?.yields_at(), *number, body.bytes)));
        let mut slowest: Vec<_> = behind.filter(|(yields_at, ..)| *yields_at <= now).collect();
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
    /// `bytes` more came.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Refused> {
        let now = Instant::now();
        let mut bodies = self.admission.lock();
        if let Some(pace) = bodies.by_number.get_mut(&self.number).and_then(|body| body.pace.as_mut()) {
            pace.brought(bytes, now);
        }
        self.admission.make_room(&mut bodies, bytes, now)?;
        let body = bodies.by_number.get_mut(&self.number).ok_or(Refused::Evicted)?;
        body.bytes += bytes;
        bodies.used += bytes;
        self.admission.show(&bodies);
        Ok(())
    }

    /// All of the body came: it keeps its place.
    pub(crate) fn whole(&mut self) -> Result<(), Refused> {
        let mut bodies = self.admission.lock();
        bodies.by_number.get_mut(&self.number).ok_or(Refused::Evicted)?.pace = None;
        Ok(())
    }

    /// When the body is cut off if nothing more comes; `None` once it came.
    pub(crate) fn is_cut_off_at(&self) -> Option<Instant> {
        self.admission.lock().by_number.get(&self.number)?.pace.map(Pace::is_cut_off_at)
    }

    /// Resolves once the body has lost its place.
    pub(crate) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// How many bytes there can be at all.
    pub(crate) const fn limit(&self) -> usize {
        self.admission.limit()
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
    async fn a_promise_takes_no_room_and_what_came_is_given_back() {
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
    async fn who_is_furthest_behind_loses_its_place_first_and_who_brought_all_keeps_it() {
        let (admission, gauge) = admission(100);
        let mut whole = admission.permit(0).unwrap();
        whole.grow(30).unwrap();
        whole.whole().unwrap();
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
