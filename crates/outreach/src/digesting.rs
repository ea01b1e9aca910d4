//! Tells the weekly digest: once a week in each channel, also across restarts.

use model::{CustomerId, Standing, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::book::How;
use crate::channel::{Channel, Outcome};
use crate::diary::Page;
use crate::digest::{Digest, Sources};
use crate::memory;
use crate::recovery::Place;
use crate::settling::SOON;
use crate::templates::Message;
use crate::worker::Worker;

impl Worker {
    /// Whether a digest is told in this channel.
    pub(crate) fn has_digest(&self, channel: Channel) -> bool {
        Channel::DIGEST.contains(&channel) && self.house.config.tells(channel)
    }

    /// Whether what digests say is kept.
    pub(crate) fn keeps_ledgers(&self) -> bool {
        Channel::DIGEST.into_iter().any(|channel| self.has_digest(channel))
    }

    /// Takes in what the enforcer lets through by now; what was let through before outreach began has no figures.
    pub(crate) fn reconcile(&mut self) {
        if !self.keeps_ledgers() {
            return;
        }
        for (customer, (case, at)) in &self.cases {
            if case.in_force.as_ref().is_some_and(|passed| passed.stage > model::Stage::Watch) {
                self.books.entry(customer.clone()).or_default().ledger.enforce(case.in_force.as_ref(), *at);
            } else if let Some(book) = self.books.get_mut(customer) {
                book.ledger.enforce(case.in_force.as_ref(), *at);
            }
        }
    }

    /// Takes in where a customer stands and how much it sent before it was moved; whether its book has changed.
    pub(crate) fn stand(&mut self, standing: &Standing) -> bool {
        let place = Place::of(standing);
        // Of most customers there is nothing to remember: they send freely.
        if place.stage == model::Stage::Healthy && place.daily_cap.is_none() {
            self.places.remove(&standing.customer);
            return false;
        }
        self.places.insert(standing.customer.clone(), place);
        self.recall(&standing.customer)
    }

    /// What was said of how much it sent, perhaps before its decision was read here; whether its book has changed.
    pub(crate) fn recall(&mut self, customer: &CustomerId) -> bool {
        let place = self.places.get(customer).filter(|place| self.keeps_ledgers() && place.stage > model::Stage::Watch);
        let Some((place, book)) = place.zip(self.books.get_mut(customer)) else { return false };
        place.decision.as_ref().is_some_and(|decision| book.ledger.send(decision, place.sent_24h))
    }

    /// Tells the digest where it is due.
    pub(crate) async fn tell_digests(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        let Some(weekly) = self.house.config.digest else { return Ok(()) };
        for channel in Channel::DIGEST {
            let moment = weekly.last(self.now());
            if !self.has_digest(channel) || shutdown.is_cancelled() || !self.holds_office() {
                continue;
            }
            let Some(page) = self.diary.pages.get(&channel).copied() else {
                // A beginning is kept first, so that no restart moves it.
                self.diary.pages.insert(channel, Page::new(moment));
                self.keep_diary().await?;
                continue;
            };
            if page.is_due(moment, self.now()) && !self.pauses.has(channel, self.now()) {
                self.tell_digest(channel, moment).await?;
            }
        }
        Ok(())
    }

    async fn tell_digest(&mut self, channel: Channel, moment: Timestamp) -> Result<(), Error> {
        let (books, cases, console) = (&self.books, &self.cases, self.house.config.console.as_ref());
        let is_shadow = self.house.config.modes.is_all_shadow();
        let digest = Digest::new(&Sources { books, cases, console, is_shadow }, self.now());
        let message = match self.house.config.templates.digest(&digest) {
            Ok(message) => message,
            Err(fault) => {
                tracing::error!(%fault, "the digest's template can't be filled");
                self.count(channel, "given_up");
                return self.end_digest(channel, moment, How::GivenUp).await;
            }
        };
        let outcome = self.send_digest(channel, moment, &message).await;
        self.settle_digest(channel, moment, outcome).await
    }

    async fn send_digest(&mut self, channel: Channel, moment: Timestamp, message: &Message) -> Outcome {
        let to: Vec<_> = self.house.config.success.clone().into_iter().collect();
        let id = format!("digest-{}.{}", moment.seconds(), channel.name());
        let house = self.house.clone();
        let keep = async || {
            if !self.holds_office() {
                return false;
            }
            if let Some(page) = self.diary.pages.get_mut(&channel) {
                page.start(moment);
            }
            self.is_kept(self.keep_diary().await)
        };
        house.send(channel, (message, &to, &id), keep).await
    }

    async fn settle_digest(&mut self, channel: Channel, moment: Timestamp, outcome: Outcome) -> Result<(), Error> {
        let (now, name) = (self.now(), channel.name());
        let tries = self.diary.pages.get(&channel).map_or(0, |page| page.tries);
        let how = match outcome {
            Outcome::Delivered => {
                self.count(channel, "delivered");
                self.pauses.end(channel);
                How::Delivered
            }
            Outcome::Unknown(said) => {
                self.count(channel, "unknown");
                self.pauses.lengthen(channel, now);
                tracing::warn!(channel = name, said, "it is not known whether the digest arrived; it is not repeated");
                How::Unknown
            }
            Outcome::NotKept => return self.digest_again(channel, now + SOON).await,
            Outcome::Failed(said) => {
                self.count(channel, "failed");
                self.pauses.lengthen(channel, now);
                let Some(wait) = self.wait(tries) else {
                    return self.lose_digest(channel, moment, &said).await;
                };
                tracing::warn!(channel = name, said, tries = tries + 1, "the digest failed and is tried again");
                return self.digest_again(channel, now + wait).await;
            }
            Outcome::Refused(said) => return self.lose_digest(channel, moment, &said).await,
        };
        self.end_digest(channel, moment, how).await
    }

    async fn lose_digest(&mut self, channel: Channel, moment: Timestamp, said: &str) -> Result<(), Error> {
        self.count(channel, "given_up");
        tracing::warn!(channel = channel.name(), said, "the digest is given up; the next one comes in its time");
        self.end_digest(channel, moment, How::GivenUp).await
    }

    async fn digest_again(&mut self, channel: Channel, due: Timestamp) -> Result<(), Error> {
        if let Some(page) = self.diary.pages.get_mut(&channel) {
            page.again(due);
        }
        self.keep_diary().await
    }

    async fn end_digest(&mut self, channel: Channel, moment: Timestamp, how: How) -> Result<(), Error> {
        if let Some(page) = self.diary.pages.get_mut(&channel) {
            page.end(moment, how);
        }
        self.keep_diary().await
    }

    async fn keep_diary(&self) -> Result<(), Error> {
        self.append(vec![memory::diary(&self.diary, self.now())?]).await
    }
}
