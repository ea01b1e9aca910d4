//! What is posted, and what must be counted in the end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use log::Topic;
use model::{Counts, CustomerId, Millis, Offset, PartitionId, Window};
use simulator::platform::{Gate, Platform, Scenario};
use simulator::sendgrid::{Poster, Retries, Signer};
use site::now;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::process::{Fleet, PATIENCE, Process};
use super::reference;

/// How long all partitions may take to be at rest.
const SHOWING: Duration = Duration::from_secs(60);

/// A platform's hour in batches, posted again and again until it is enough.
pub(crate) struct Load {
    platform: Platform,
    batches: Arc<Vec<Vec<String>>>,
    next: Arc<AtomicUsize>,
    /// How many batches may be posted before the end is near.
    allowed: watch::Sender<usize>,
    taken: Arc<AtomicUsize>,
    is_enough: Arc<AtomicBool>,
    /// When the latest batch was taken, and the longest time between two.
    pauses: Arc<Mutex<(Instant, Duration)>>,
    posters: Vec<JoinHandle<()>>,
}

impl Load {
    /// An hour of so many customers, of whom the good ones send so many mails together, in batches of so many events.
    pub(crate) fn new(customers: u16, mails: u32, events_a_batch: usize) -> Self {
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
            batches: Arc::new(events.chunks(events_a_batch).map(<[String]>::to_vec).collect()),
            next: Arc::default(),
            allowed: watch::Sender::new(usize::MAX),
            taken: Arc::default(),
            is_enough: Arc::default(),
            pauses: Arc::new(Mutex::new((Instant::now(), Duration::ZERO))),
            posters: Vec::new(),
        }
    }

    /// From now on no more than what [`Load::allow`] allows is posted: so that what is new does not run out.
    pub(crate) fn hold_back(&self) {
        self.allowed.send_replace(0);
    }

    /// Allows so many batches more.
    pub(crate) fn allow(&self, batches: usize) {
        self.allowed.send_modify(|allowed| *allowed = allowed.saturating_add(batches));
    }

    /// Whether there is something left that was never posted.
    pub(crate) fn has_more(&self) -> bool {
        self.next.load(Ordering::Relaxed) < self.batches.len()
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
        let mut allowed = self.allowed.subscribe();
        async move {
            loop {
                // It lives as long as the load.
                allowed.wait_for(|allowed| next.load(Ordering::Relaxed) < *allowed).await.unwrap();
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
        self.allowed.send_replace(usize::MAX);
        for poster in self.posters.drain(..) {
            let finished = tokio::time::timeout(PATIENCE, poster).await;
            finished.unwrap_or_else(|_| panic!("a batch is not taken within {PATIENCE:?}")).unwrap();
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

    /// Waits until everything that is in the log was folded; then every customer's every counter must be what was posted.
    pub(crate) async fn check(&self, fleet: &Fleet, scorers: &[Process]) {
        wait_until_folded(fleet, scorers).await;
        let deadline = Instant::now() + SHOWING;
        for (id, wanted) in self.expected() {
            let mut found = counts(scorers, &id).await;
            // A partition that is just moving shows nothing.
            while found.is_none() && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(100)).await;
                found = counts(scorers, &id).await;
            }
            assert_eq!(found, Some(wanted), "{id}\n{}", told(scorers));
        }
    }
}

fn told(scorers: &[Process]) -> String {
    scorers.iter().map(Process::told).collect::<Vec<_>>().join("\n")
}

/// Waits until the scorers have taken every record that is in the log now.
async fn wait_until_folded(fleet: &Fleet, scorers: &[Process]) {
    let log = reference::log(fleet);
    let ends = tokio::task::spawn_blocking(move || {
        let end = |partition| (partition, log.reach(Topic::Events, partition).unwrap().end);
        log.partitions().all().map(end).collect::<BTreeMap<_, _>>()
    });
    let ends = ends.await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut folded: BTreeMap<PartitionId, Offset> = BTreeMap::new();
        for scorer in scorers {
            for (partition, next) in scorer.folded().await {
                let furthest = folded.entry(partition).or_default();
                *furthest = next.max(*furthest);
            }
        }
        if ends.iter().all(|(partition, end)| folded.get(partition).copied().unwrap_or_default() >= *end) {
            return;
        }
        assert!(Instant::now() < deadline, "folded up to {folded:?} of {ends:?}\n{}", told(scorers));
        tokio::time::sleep(Duration::from_millis(200)).await;
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
