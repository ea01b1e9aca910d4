//! How many connections may be open at once, and who loses its place where there are no more.
//!
//! A connection keeps its place while a request on it is worked on. One that is waited for, for a head or for a body, yields
//! it to a newcomer once it is behind: connections that bring a byte now and then keep nobody out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use telemetry::{IntCounter, IntGauge};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::pace::Pace;

/// The places.
#[derive(Clone, Debug)]
pub(crate) struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    open: Mutex<Open>,
    freed: Notify,
    gauge: IntGauge,
    evicted: IntCounter,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    by_number: HashMap<u64, Arc<Activity>>,
}

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    number: u64,
    activity: Arc<Activity>,
}

impl Places {
    /// So many places, of which `gauge` shows those that are taken; `evicted` counts connections that lost theirs.
    pub(crate) fn new(most: usize, gauge: IntGauge, evicted: IntCounter) -> Self {
        Self(Arc::new(Shared { most, open: Mutex::default(), freed: Notify::new(), gauge, evicted }))
    }

    /// A place, once there is one.
    pub(crate) async fn take(&self) -> Place {
        loop {
            let freed = self.0.freed.notified();
            match self.try_take() {
                Ok(place) => return place,
                Err(Some(yields_at)) => {
                    // Either is a reason to try again.
                    let _either = tokio::time::timeout_at(yields_at, freed).await;
                }
                // Whoever ends its work, or its connection, says so.
                Err(None) => freed.await,
            }
        }
    }

    /// A place; otherwise when the next connection yields its own, if nothing changes.
    fn try_take(&self) -> Result<Place, Option<Instant>> {
        let (mut open, now) = (self.lock(), Instant::now());
        if open.by_number.len() >= self.0.most {
            let waited_for = open.by_number.iter().filter_map(|(number, held)| Some((held.yields_at()?, *number)));
            let (yields_at, slowest) = waited_for.min().ok_or(None)?;
            if yields_at > now {
                return Err(Some(yields_at));
            }
            if let Some(activity) = open.by_number.remove(&slowest) {
                self.0.evicted.inc();
                activity.evicted.cancel();
            }
        }
        let (number, activity) = (open.next, Arc::new(Activity::new(Arc::clone(&self.0))));
        open.next += 1;
        open.by_number.insert(number, Arc::clone(&activity));
        self.show(&open);
        Ok(Place { places: self.clone(), number, activity })
    }

    fn show(&self, open: &Open) {
        self.0.gauge.set(i64::try_from(open.by_number.len()).unwrap_or(i64::MAX));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// What happens on the connection.
    pub(crate) const fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.lock();
        open.by_number.remove(&self.number);
        self.places.show(&open);
        drop(open);
        self.places.0.freed.notify_waiters();
    }
}

/// What happens on a connection.
#[derive(Debug)]
pub(crate) struct Activity {
    state: Mutex<State>,
    evicted: CancellationToken,
    places: Arc<Shared>,
}

#[derive(Debug)]
struct State {
    opened: Instant,
    /// When the last request was answered.
    answered: Option<Instant>,
    /// Requests whose bodies are not whole.
    waited_for: usize,
    /// Requests that are worked on.
    worked_on: usize,
    /// Whether a request with a good signature came: its client is waited for anew with each request. Refusals earn nobody
    /// time, or whoever is refused often enough would keep its place.
    is_genuine: bool,
    pace: Pace,
}

impl State {
    /// Between two requests of a genuine client it is owed nothing.
    fn rest(&mut self, now: Instant) {
        if self.is_genuine && self.waited_for + self.worked_on == 0 {
            self.pace = Pace::new(now);
        }
    }
}

/// A request in flight.
#[derive(Debug)]
pub(crate) struct InFlight {
    activity: Arc<Activity>,
    is_whole: bool,
}

impl Activity {
    fn new(places: Arc<Shared>) -> Self {
        let opened = Instant::now();
        let state =
            State { opened, answered: None, waited_for: 0, worked_on: 0, is_genuine: false, pace: Pace::new(opened) };
        Self { state: Mutex::new(state), evicted: CancellationToken::new(), places }
    }

    /// A request's head came.
    pub(crate) fn request(self: &Arc<Self>) -> InFlight {
        let mut state = self.lock();
        state.rest(Instant::now());
        state.waited_for += 1;
        drop(state);
        InFlight { activity: Arc::clone(self), is_whole: false }
    }

    /// Resolves once the connection has lost its place.
    pub(crate) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// Resolves once no head came for too long: for `first` after it was opened, for `idle` after an answer.
    pub(crate) async fn ended(&self, first: Duration, idle: Duration) {
        loop {
            let deadline = {
                let state = self.lock();
                match state.answered {
                    _ if state.waited_for + state.worked_on > 0 => Instant::now() + idle,
                    None => state.opened + first,
                    Some(answered) => answered + idle,
                }
            };
            if deadline <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }

    /// From when on another may have the connection's place; `None` while a request is worked on.
    fn yields_at(&self) -> Option<Instant> {
        let state = self.lock();
        (state.worked_on == 0).then(|| state.pace.yields_at())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InFlight {
    /// `bytes` of the body came.
    pub(crate) fn brought(&self, bytes: usize) {
        self.activity.lock().pace.brought(bytes, Instant::now());
    }

    /// The request's signature is good.
    pub(crate) fn genuine(&self) {
        self.activity.lock().is_genuine = true;
    }

    /// All of the body came.
    pub(crate) fn whole(&mut self) {
        if !std::mem::replace(&mut self.is_whole, true) {
            let mut state = self.activity.lock();
            state.waited_for -= 1;
            state.worked_on += 1;
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.activity.lock();
        if self.is_whole {
            state.worked_on -= 1;
        } else {
            state.waited_for -= 1;
        }
        let now = Instant::now();
        state.answered = Some(now);
        state.rest(now);
        drop(state);
        self.activity.places.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(10);
    const IDLE: Duration = Duration::from_secs(60);

    fn places(most: usize) -> Places {
        let gauge = IntGauge::new("open", "open").unwrap();
        Places::new(most, gauge, IntCounter::new("evicted", "evicted").unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_has_the_time_of_one_head() {
        let place = places(1).take().await;
        let opened = Instant::now();
        place.activity().ended(FIRST, IDLE).await;
        assert_eq!(opened.elapsed(), FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_not_idle_while_a_request_is_in_flight() {
        let place = places(1).take().await;
        let (opened, request) = (Instant::now(), place.activity().request());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(200)).await;
            drop(request);
        });
        place.activity().ended(FIRST, IDLE).await;
        assert_eq!(opened.elapsed().as_secs(), 260);
    }

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_has_the_place_of_who_is_furthest_behind() {
        let (places, began) = (places(2), Instant::now());
        let slowest = places.take().await;
        tokio::time::advance(Duration::from_millis(100)).await;
        let slow = places.take().await;
        let request = slow.activity().request();
        request.brought(1);
        let _newcomer = places.take().await;
        slowest.activity().evicted().await;
        assert_eq!((began.elapsed().as_millis(), places.0.gauge.get(), places.0.evicted.get()), (1_000, 2, 1));
        drop(slowest);
        assert_eq!(places.0.gauge.get(), 2, "its place was given away before");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_worked_on_keeps_its_place_and_the_newcomer_waits_for_the_answer() {
        let places = places(1);
        let busy = places.take().await;
        let mut request = busy.activity().request();
        request.whole();
        request.genuine();
        let began = Instant::now();
        let answered = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(30)).await;
            drop(request);
        });
        let _newcomer = places.take().await;
        assert_eq!(began.elapsed().as_secs(), 31, "the answer, and a second without another request");
        answered.await.unwrap();
        busy.activity().evicted().await;
    }

    #[tokio::test(start_paused = true)]
    async fn refused_requests_keep_no_place() {
        let places = places(1);
        let (refused, began) = (places.take().await, Instant::now());
        let activity = Arc::clone(refused.activity());
        let asking = tokio::spawn(async move {
            loop {
                drop(activity.request());
                tokio::time::sleep(Duration::from_millis(900)).await;
            }
        });
        let _newcomer = places.take().await;
        assert_eq!(began.elapsed().as_secs(), 1);
        asking.abort();
    }
}
