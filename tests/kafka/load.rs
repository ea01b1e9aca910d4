//! What is posted, and what must be counted in the end.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use model::{Counts, CustomerId, Millis, Timestamp, Window};
use simulator::platform::{Gate, Platform, Scenario};
use simulator::sendgrid::{Poster, Retries, Signer};
use tokio::task::JoinHandle;

use crate::process::{PATIENCE, Process};

const EVENTS: usize = 100;

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since.as_millis().try_into().unwrap())
}

/// A platform's hour in batches, posted again and again until it is enough.
pub(crate) struct Load {
    platform: Platform,
    batches: Arc<Vec<Vec<String>>>,
    next: Arc<AtomicUsize>,
    taken: Arc<AtomicUsize>,
    is_enough: Arc<AtomicBool>,
    /// When the latest batch was taken, and the longest time between two.
    pauses: Arc<Mutex<(Instant, Duration)>>,
    posters: Vec<JoinHandle<()>>,
}

impl Load {
    pub(crate) fn new(customers: u16, mails: u32) -> Self {
        let start = now() - Millis::minutes(80);
        let scenario =
            Scenario { customers: customers.into(), good_mails: mails.try_into().unwrap(), ..Scenario::hour(7, start) };
        let mut platform = Platform::new(&scenario);
        let mut events = Vec::new();
        while !platform.is_finished() {
            events.extend(platform.advance(start + Millis::days(1), &mut |_| Gate::Send(Some("good-1".into()))));
        }
        let events: Vec<String> = events.into_iter().map(|arrival| arrival.event).collect();
        Self {
            platform,
            batches: Arc::new(events.chunks(EVENTS).map(<[String]>::to_vec).collect()),
            next: Arc::default(),
            taken: Arc::default(),
            is_enough: Arc::default(),
            pauses: Arc::new(Mutex::new((Instant::now(), Duration::ZERO))),
            posters: Vec::new(),
        }
    }

    /// Begins to post to `urls`, `posters` at each, with a pause between their batches.
    pub(crate) fn begin(&mut self, urls: &[String], signer: &Arc<Signer>, posters: usize, pause: Duration) {
        let retries = Retries { first: Duration::from_millis(50), longest: Duration::from_millis(500), most: 100_000 };
        for url in urls {
            let poster = Poster::new(url, Arc::clone(signer), retries, Arc::new(now)).unwrap();
            for _ in 0..posters {
                self.posters.push(tokio::spawn(self.post_all(poster.clone(), pause)));
            }
        }
    }

    /// Posts every batch at least once, each until it is taken; goes round again until it is enough.
    fn post_all(&self, poster: Poster, pause: Duration) -> impl Future<Output = ()> + Send + 'static {
        let (batches, next, taken) = (Arc::clone(&self.batches), Arc::clone(&self.next), Arc::clone(&self.taken));
        let (is_enough, pauses) = (Arc::clone(&self.is_enough), Arc::clone(&self.pauses));
        async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= batches.len() && is_enough.load(Ordering::Relaxed) {
                    return;
                }
                poster.post(&batches[number % batches.len()]).await.unwrap();
                taken.fetch_add(1, Ordering::Relaxed);
                {
                    let mut pauses = pauses.lock().unwrap();
                    *pauses = (Instant::now(), pauses.1.max(pauses.0.elapsed()));
                }
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// Batches that were answered 2xx so far.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    pub(crate) fn batches(&self) -> usize {
        self.batches.len()
    }

    /// The longest time between two batches that were taken.
    pub(crate) fn longest_pause(&self) -> Duration {
        self.pauses.lock().unwrap().1
    }

    /// Lets every batch be taken that was begun, and each at least once.
    pub(crate) async fn finish(&mut self) {
        self.is_enough.store(true, Ordering::Relaxed);
        for poster in self.posters.drain(..) {
            poster.await.unwrap();
        }
    }

    /// What each customer's counters must be.
    pub(crate) fn expected(&self) -> Vec<(CustomerId, Counts)> {
        let ledger = self.platform.ledger();
        let mut expected: Vec<_> =
            self.platform.accounts().iter().map(|a| (a.id.clone(), ledger.customer(&a.id))).collect();
        expected.push((CustomerId::unattributed("test"), *ledger.nobodys()));
        expected.retain(|(_, counts)| !counts.is_zero());
        expected
    }

    /// Waits until every customer's every counter is what was posted, and stays so.
    pub(crate) async fn check(&self, scorers: &[Process]) {
        let deadline = Instant::now() + PATIENCE;
        for (id, wanted) in self.expected() {
            let mut found = counts(scorers, &id).await;
            while found != Some(wanted) && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(100)).await;
                found = counts(scorers, &id).await;
            }
            let told = || scorers.iter().map(Process::told).collect::<Vec<_>>().join("\n");
            assert_eq!(found, Some(wanted), "{id}\n{}", told());
        }
    }
}

/// The customer's counts of the last 24 hours, from the scorer whose customer it is.
async fn counts(scorers: &[Process], id: &CustomerId) -> Option<Counts> {
    for scorer in scorers {
        if let Some(customer) = scorer.json(&format!("/v1/customers/{id}")).await
            && let Ok(counts) = serde_json::from_value(customer["windows"][Window::Day.name()].clone())
        {
            return Some(counts);
        }
    }
    None
}
