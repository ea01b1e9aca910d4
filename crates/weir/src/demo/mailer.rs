//! The platform's side: sends what is due, posts what SendGrid reports, and notes what Weir decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use indicatif::ProgressBar;
use model::{CustomerId, Decision, Stage, Timestamp};
use simulator::platform::{Gate, Platform};
use simulator::sendgrid::{Posted, Poster, PosterError, SendGrid};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::watch::Watch;

/// Events in one POST: about 768 kB, at which SendGrid flushes.
const EVENTS: usize = 1_500;
/// POSTs at once.
const AT_ONCE: usize = 4;

/// A platform that is watched by Weir.
#[derive(Debug)]
pub(crate) struct Mailer {
    platform: Platform,
    poster: Poster,
    watch: Watch,
    posting: JoinSet<Result<Posted, PosterError>>,
    at_once: Arc<Semaphore>,
    posted: usize,
    mails: usize,
    reached: BTreeMap<CustomerId, Vec<Reached>>,
}

/// A decision, and how many mails the customer had sent when the platform heard of it.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    pub(crate) decision: Decision,
    pub(crate) sent: usize,
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Stayed {
    pub(crate) platform: Platform,
    pub(crate) reached: BTreeMap<CustomerId, Vec<Reached>>,
    pub(crate) mails: usize,
    pub(crate) posted: usize,
}

impl Mailer {
    pub(crate) fn new(platform: Platform, poster: Poster, watch: Watch) -> Self {
        Self {
            platform,
            poster,
            watch,
            posting: JoinSet::new(),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            posted: 0,
            mails: 0,
            reached: BTreeMap::new(),
        }
    }

    /// Goes on to `now`: mail leaves as SendGrid lets it, and its events are posted.
    pub(crate) async fn go_on(&mut self, now: Timestamp, sendgrid: &SendGrid, bar: &ProgressBar) -> anyhow::Result<()> {
        self.note(bar);
        let events = self.send(now, sendgrid);
        for batch in events.chunks(EVENTS) {
            self.post(batch.to_vec()).await?;
        }
        self.collect()
    }

    /// Sends the mail that is due until `now`; what SendGrid reports meanwhile.
    fn send(&mut self, now: Timestamp, sendgrid: &SendGrid) -> Vec<String> {
        let mut world = sendgrid.world();
        let (watch, mails) = (&self.watch, &mut self.mails);
        let arrivals = self.platform.advance(now, &mut |account| {
            let gate = world.gate(account, watch.gate(&account.id));
            *mails += usize::from(gate != Gate::Stop);
            gate
        });
        arrivals.into_iter().map(|arrival| arrival.event).collect()
    }

    /// In a few words, for the progress bar.
    pub(crate) fn summary(&self) -> String {
        let poor = self
            .reached
            .values()
            .filter(|reached| reached.last().is_some_and(|latest| latest.decision.to >= Stage::Quarantined));
        format!("{} mails, {} events taken, {} customers quarantined", self.mails, self.posted, poor.count())
    }

    /// Waits for the last POSTs and what they bring about.
    pub(crate) async fn finish(mut self) -> anyhow::Result<Stayed> {
        while let Some(posted) = self.posting.join_next().await {
            self.posted += posted.context("a POST panicked")??.events;
        }
        self.note(&ProgressBar::hidden());
        let Self { platform, reached, mails, posted, .. } = self;
        Ok(Stayed { platform, reached, mails, posted })
    }

    async fn post(&mut self, events: Vec<String>) -> anyhow::Result<()> {
        let permit = Arc::clone(&self.at_once).acquire_owned().await?;
        let poster = self.poster.clone();
        self.posting.spawn(async move {
            let posted = poster.post(&events).await;
            drop(permit);
            posted
        });
        Ok(())
    }

    fn collect(&mut self) -> anyhow::Result<()> {
        while let Some(posted) = self.posting.try_join_next() {
            self.posted += posted.context("a POST panicked")??.events;
        }
        Ok(())
    }

    /// Notes and shows the decisions that came.
    fn note(&mut self, bar: &ProgressBar) {
        for decision in self.watch.take_decisions() {
            let sent = self.platform.sent(&decision.customer);
            if decision.to >= Stage::Throttled {
                let why = decision.evidence.as_ref().map(ToString::to_string).unwrap_or_default();
                bar.println(format!("{} {} -> {}: {why}", decision.customer, decision.from, decision.to));
            }
            self.reached.entry(decision.customer.clone()).or_default().push(Reached { decision, sent });
        }
    }
}
