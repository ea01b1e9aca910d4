//! Limits how many connections are open at once, and evicts slow ones when all slots are taken.
//!
//! A connection keeps its slot while a request on it is being processed. While the receiver waits for its client, for a head
//! or for the rest of a body, a new connection may take its slot once the client is behind ([`Pace`]). Connections that send
//! a byte now and then therefore cannot keep SendGrid out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use telemetry::{IntCounter, IntGauge};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::pace::Pace;

/// The slots for open connections.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionSlots(Arc<Shared>);

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

/// One connection's slot. Dropping it frees the slot.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    slots: ConnectionSlots,
    number: u64,
    activity: Arc<Activity>,
}

impl ConnectionSlots {
    /// Creates `most` slots. `gauge` shows how many are taken; `evicted` counts evicted connections.
    pub(crate) fn new(most: usize, gauge: IntGauge, evicted: IntCounter) -> Self {
        Self(Arc::new(Shared { most, open: Mutex::default(), freed: Notify::new(), gauge, evicted }))
    }

    /// Waits for a slot. Evicts the slowest connection if that frees one sooner.
    pub(crate) async fn acquire(&self) -> ConnectionSlot {
        loop {
            let freed = self.0.freed.notified();
            match self.try_acquire() {
                Ok(slot) => return slot,
                Err(Some(evictable_at)) => {
                    // Both outcomes mean: try again.
                    let _either = tokio::time::timeout_at(evictable_at, freed).await;
                }
                // A finished request and a closed connection both send this notification.
                Err(None) => freed.await,
            }
        }
    }

    /// Returns a slot, or the moment at which the next connection becomes evictable. `None` if requests are being processed on
    /// all connections.
    fn try_acquire(&self) -> Result<ConnectionSlot, Option<Instant>> {
        let (mut open, now) = (self.lock(), Instant::now());
        if open.by_number.len() >= self.0.most {
            let receiving = open.by_number.iter().filter_map(|(number, held)| Some((held.evictable_at()?, *number)));
            let (evictable_at, slowest) = receiving.min().ok_or(None)?;
            if evictable_at > now {
                return Err(Some(evictable_at));
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
        Ok(ConnectionSlot { slots: self.clone(), number, activity })
    }

    fn show(&self, open: &Open) {
        self.0.gauge.set(i64::try_from(open.by_number.len()).unwrap_or(i64::MAX));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionSlot {
    /// The state of the connection.
    pub(crate) const fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut open = self.slots.lock();
        open.by_number.remove(&self.number);
        self.slots.show(&open);
        drop(open);
        self.slots.0.freed.notify_waiters();
    }
}

/// The state of a connection: whether its client is waited for, and how far behind it is.
#[derive(Debug)]
pub(crate) struct Activity {
    state: Mutex<State>,
    evicted: CancellationToken,
    slots: Arc<Shared>,
}

#[derive(Debug)]
struct State {
    opened: Instant,
    /// When the last response was sent.
    answered: Option<Instant>,
    /// Requests whose bodies are incomplete.
    receiving: usize,
    /// Requests that are being processed.
    processing: usize,
    /// Whether a request with a valid signature was received. Only then does each further request begin with a fresh pace:
    /// otherwise a client could keep its slot by sending requests that are refused.
    is_authenticated: bool,
    pace: Pace,
}

impl State {
    /// Starts a fresh pace between two requests of an authenticated client.
    fn restart_pace(&mut self, now: Instant) {
        if self.is_authenticated && self.receiving + self.processing == 0 {
            self.pace = Pace::new(now);
        }
    }
}

/// A request in flight.
#[derive(Debug)]
pub(crate) struct InFlight {
    activity: Arc<Activity>,
    is_complete: bool,
}

impl Activity {
    fn new(slots: Arc<Shared>) -> Self {
        let opened = Instant::now();
        let state = State {
            opened,
            answered: None,
            receiving: 0,
            processing: 0,
            is_authenticated: false,
            pace: Pace::new(opened),
        };
        Self { state: Mutex::new(state), evicted: CancellationToken::new(), slots }
    }

    /// Records that a request's head was received.
    pub(crate) fn request(self: &Arc<Self>) -> InFlight {
        let mut state = self.lock();
        state.restart_pace(Instant::now());
        state.receiving += 1;
        drop(state);
        InFlight { activity: Arc::clone(self), is_complete: false }
    }

    /// Resolves when the connection is evicted.
    pub(crate) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// Resolves when no head arrives in time: within `first` after opening, or within `idle` after a response.
    pub(crate) async fn ended(&self, first: Duration, idle: Duration) {
        loop {
            let deadline = {
                let state = self.lock();
                match state.answered {
                    _ if state.receiving + state.processing > 0 => Instant::now() + idle,
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

    /// When the connection becomes evictable; `None` while a request is being processed.
    fn evictable_at(&self) -> Option<Instant> {
        let state = self.lock();
        (state.processing == 0).then(|| state.pace.evictable_at())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InFlight {
    /// Records `bytes` of the body.
    pub(crate) fn record_bytes(&self, bytes: usize) {
        self.activity.lock().pace.record_bytes(bytes, Instant::now());
    }

    /// Records that the request's signature is valid.
    pub(crate) fn mark_authenticated(&self) {
        self.activity.lock().is_authenticated = true;
    }

    /// Records that the body is complete.
    pub(crate) fn mark_complete(&mut self) {
        if !std::mem::replace(&mut self.is_complete, true) {
            let mut state = self.activity.lock();
            state.receiving -= 1;
            state.processing += 1;
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.activity.lock();
        if self.is_complete {
            state.processing -= 1;
        } else {
            state.receiving -= 1;
        }
        let now = Instant::now();
        state.answered = Some(now);
        state.restart_pace(now);
        drop(state);
        self.activity.slots.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(10);
    const IDLE: Duration = Duration::from_secs(60);

    fn slots(most: usize) -> ConnectionSlots {
        let gauge = IntGauge::new("open", "open").unwrap();
        ConnectionSlots::new(most, gauge, IntCounter::new("evicted", "evicted").unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_has_the_time_of_one_head() {
        let slot = slots(1).acquire().await;
        let opened = Instant::now();
        slot.activity().ended(FIRST, IDLE).await;
        assert_eq!(opened.elapsed(), FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_not_idle_while_a_request_is_in_flight() {
        let slot = slots(1).acquire().await;
        let (opened, request) = (Instant::now(), slot.activity().request());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(200)).await;
            drop(request);
        });
        slot.activity().ended(FIRST, IDLE).await;
        assert_eq!(opened.elapsed().as_secs(), 260);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_evicts_the_one_that_is_furthest_behind() {
        let (slots, began) = (slots(2), Instant::now());
        let slowest = slots.acquire().await;
        tokio::time::advance(Duration::from_millis(100)).await;
        let slow = slots.acquire().await;
        let request = slow.activity().request();
        request.record_bytes(1);
        let _newcomer = slots.acquire().await;
        slowest.activity().evicted().await;
        assert_eq!((began.elapsed().as_millis(), slots.0.gauge.get(), slots.0.evicted.get()), (1_000, 2, 1));
        drop(slowest);
        assert_eq!(slots.0.gauge.get(), 2, "its slot was reassigned before");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_whose_request_is_being_processed_keeps_its_slot() {
        let slots = slots(1);
        let busy = slots.acquire().await;
        let mut request = busy.activity().request();
        request.mark_complete();
        request.mark_authenticated();
        let began = Instant::now();
        let answered = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(30)).await;
            drop(request);
        });
        let _newcomer = slots.acquire().await;
        assert_eq!(began.elapsed().as_secs(), 31, "the answer, and a second without another request");
        answered.await.unwrap();
        busy.activity().evicted().await;
    }

    #[tokio::test(start_paused = true)]
    async fn refused_requests_do_not_keep_a_slot() {
        let slots = slots(1);
        let (refused, began) = (slots.acquire().await, Instant::now());
        let activity = Arc::clone(refused.activity());
        let asking = tokio::spawn(async move {
            loop {
                drop(activity.request());
                tokio::time::sleep(Duration::from_millis(900)).await;
            }
        });
        let _newcomer = slots.acquire().await;
        assert_eq!(began.elapsed().as_secs(), 1);
        asking.abort();
    }
}
