//! The platform's side: sends the mail that is due, posts what SendGrid reports, and records what Weir decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use model::{CustomerId, Decision, Evidence, Stage, Timestamp};
use simulator::platform::{Gate, Platform};
use simulator::sendgrid::{Posted, Poster, PosterError, SendGrid};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::screen::Screen;
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

    /// The platform.
    pub(crate) const fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The platform, to change what happens to it.
    pub(crate) const fn platform_mut(&mut self) -> &mut Platform {
        &mut self.platform
    }

    /// Mails that left.
    pub(crate) const fn mails(&self) -> usize {
        self.mails
    }

    /// Events that Weir has accepted.
    pub(crate) const fn posted(&self) -> usize {
        self.posted
    }

    /// The decisions about a customer, in order.
    pub(crate) fn decisions(&self, customer: &CustomerId) -> &[Reached] {
        self.reached.get(customer).map_or(&[], Vec::as_slice)
    }

    /// Advances to `now`: mail leaves as far as SendGrid lets it, and its events are posted.
    pub(crate) async fn advance(&mut self, now: Timestamp, sendgrid: &SendGrid, screen: &Screen) -> anyhow::Result<()> {
        self.show_decisions(screen);
        let events = self.send(now, sendgrid);
        for batch in events.chunks(EVENTS) {
            self.post(batch.to_vec()).await?;
        }
        self.collect()
    }

    /// Sends the mail that is due by `now`, and returns SendGrid's events.
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
        format!("{} mails, {} events, {} customers quarantined", self.mails, self.posted, poor.count())
    }

    /// Waits until every event that was sent has been accepted, and shows what was decided until then.
    pub(crate) async fn finish_posts(&mut self, screen: &Screen) -> anyhow::Result<()> {
        while let Some(posted) = self.posting.join_next().await {
            self.posted += posted.context("a POST panicked")??.events;
        }
        self.show_decisions(screen);
        Ok(())
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

    /// Takes the decisions that came, and shows those that are more than a watch.
    fn show_decisions(&mut self, screen: &Screen) {
        for decision in self.watch.take_decisions() {
            let sent = self.platform.sent(&decision.customer);
            if decision.from.max(decision.to) >= Stage::Throttled {
                let Decision { customer, from, to, .. } = &decision;
                screen.say(&format!("{customer}: {from} -> {to}: {}", reason(&decision)));
            }
            self.reached.entry(decision.customer.clone()).or_default().push(Reached { decision, sent });
        }
    }
}

/// The signal and its figures, short enough for a line; the rule where no signal is behind it.
fn reason(decision: &Decision) -> String {
    let Some(evidence) = &decision.evidence else { return decision.rule.clone() };
    let Evidence { signal, window, numerator, denominator, rate, threshold, .. } = evidence;
    let signal = signal.replace('_', " ");
    format!("{signal} {numerator} of {denominator} in {}: {rate}, limit {threshold}", window.name())
}
