//! The simulator's platform in real time, and what the test has it do.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::Millis;
use simulator::platform::{Account, Gate, Platform, Scenario, Truth};
use simulator::sendgrid::{HOME, Poster, Retries, SendGrid};
use site::now;
use tokio::task::JoinHandle;

/// How often SendGrid posts.
const EVERY: Duration = Duration::from_millis(250);
/// Events in a POST at most.
const EVENTS: usize = 500;
/// How long the platform has been sending when Weir first hears of it.
const BEFORE: Millis = Millis::minutes(10);

/// The platform whose good customers send all the time. Its first quarter of an hour knows no outage of a provider.
fn platform() -> Platform {
    let scenario = Scenario { customers: 60, good_mails: 40_000, ..Scenario::hour(7, now() - BEFORE) };
    Platform::new(&scenario)
}

/// The same customers, of whom one sends to a bought list for two minutes, as fast as it can.
fn on_fire() -> Platform {
    let scenario = Scenario { customers: 60, length: Millis::minutes(2), ..Scenario::hour(7, now()) };
    Platform::new(&scenario)
}

struct Inner {
    sendgrid: Arc<SendGrid>,
    poster: Poster,
    platform: Mutex<Platform>,
    fire: Mutex<Option<Platform>>,
    is_silent: AtomicBool,
    posted: AtomicU64,
    /// POSTs that are not yet taken, and whether there were any.
    under_way: AtomicU64,
    has_begun: AtomicBool,
}

/// Mail that goes out until this is dropped.
pub(crate) struct Load {
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Who the customers are.
pub(crate) fn accounts() -> Vec<Account> {
    platform().accounts().to_vec()
}

impl Load {
    /// Posts by `poster` what SendGrid's webhook tells.
    pub(crate) fn begin(sendgrid: &Arc<SendGrid>, poster: Poster) -> Self {
        let inner = Arc::new(Inner {
            sendgrid: Arc::clone(sendgrid),
            poster,
            platform: Mutex::new(platform()),
            fire: Mutex::new(None),
            is_silent: AtomicBool::new(false),
            posted: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
            has_begun: AtomicBool::new(false),
        });
        let playing = Arc::clone(&inner);
        let task = tokio::spawn(async move {
            loop {
                Inner::go_on(&playing);
                tokio::time::sleep(EVERY).await;
            }
        });
        Self { inner, task }
    }

    /// As SendGrid posts, but so that no retry outlasts the test by much.
    pub(crate) const RETRIES: Retries =
        Retries { first: Duration::from_secs(1), longest: Duration::from_secs(4), most: 1_000 };

    /// Somebody switches the webhook off, or on again.
    pub(crate) fn set_silent(&self, is_silent: bool) {
        self.inner.is_silent.store(is_silent, Ordering::Relaxed);
    }

    /// A customer begins to send to a bought list, or is stopped by the platform.
    pub(crate) fn set_on_fire(&self, burns: bool) {
        *self.inner.fire.lock().unwrap() = burns.then(on_fire);
    }

    /// Events that were taken so far.
    pub(crate) fn posted(&self) -> u64 {
        self.inner.posted.load(Ordering::Relaxed)
    }

    /// Whether everything was taken that was sent before Weir first heard of the platform.
    pub(crate) fn has_posted_the_past(&self) -> bool {
        let Inner { has_begun, under_way, .. } = &*self.inner;
        has_begun.load(Ordering::Relaxed) && under_way.load(Ordering::Relaxed) < 3
    }

    /// Posts events of somebody's making, and waits until they are taken.
    pub(crate) async fn post(&self, events: &[String]) {
        for batch in events.chunks(EVENTS) {
            self.inner.poster.post(batch).await.unwrap();
        }
    }
}

impl Inner {
    /// Mail leaves as SendGrid lets it, and its events are posted; whoever is not good is not let out.
    fn go_on(inner: &Arc<Self>) {
        let mut events = inner.advance(&mut inner.platform.lock().unwrap(), |account| account.truth.is_good());
        if let Some(fire) = inner.fire.lock().unwrap().as_mut() {
            events.extend(inner.advance(fire, |account| account.truth == Truth::BoughtList));
        }
        if inner.is_silent.load(Ordering::Relaxed) {
            return;
        }
        for batch in events.chunks(EVENTS) {
            let (inner, batch) = (Arc::clone(inner), batch.to_vec());
            inner.under_way.fetch_add(1, Ordering::Relaxed);
            inner.has_begun.store(true, Ordering::Relaxed);
            tokio::spawn(async move {
                inner.poster.post(&batch).await.unwrap();
                inner.under_way.fetch_sub(1, Ordering::Relaxed);
                inner.posted.fetch_add(batch.len() as u64, Ordering::Relaxed);
            });
        }
    }

    fn advance(&self, platform: &mut Platform, may_send: impl Fn(&Account) -> bool) -> Vec<String> {
        let mut world = self.sendgrid.world();
        let arrivals = platform.advance(now(), &mut |account| {
            if may_send(account) { world.gate(account, Gate::Send(Some(HOME.into()))) } else { Gate::Stop }
        });
        arrivals.into_iter().map(|arrival| arrival.event).collect()
    }
}
