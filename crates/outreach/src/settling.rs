//! What came of a try, and keeping it.

use std::sync::atomic::Ordering;

use log::Append;
use model::{CustomerId, Millis, Timestamp};
use rand::RngExt as _;

use crate::Error;
use crate::book::How;
use crate::channel::{Channel, Line, Outcome};
use crate::memory;
use crate::worker::Worker;

/// How soon something is tried again that could not be kept.
pub(crate) const SOON: Millis = Millis::seconds(1);

impl Worker {
    /// Learns what came of a try.
    pub(crate) async fn settle(
        &mut self,
        customer: &CustomerId,
        line: Line,
        (tries, outcome): (u32, Outcome),
    ) -> Result<(), Error> {
        let (now, channel) = (self.now(), line.channel());
        let name = channel.name();
        match outcome {
            Outcome::Delivered => {
                self.count(channel, "delivered");
                self.pauses.end(channel);
                self.end(customer, line, How::Delivered).await
            }
            Outcome::Unknown(said) => {
                self.count(channel, "unknown");
                // One that hangs must not lose everything that waits, one message after the other.
                self.pauses.lengthen(channel, now);
                tracing::warn!(%customer, channel = name, said, "it is not known whether a message arrived; it is not repeated");
                self.end(customer, line, How::Unknown).await
            }
            Outcome::Refused(said) => {
                self.count(channel, "given_up");
                tracing::warn!(%customer, channel = name, said, "a message is refused for good and not tried again");
                self.end(customer, line, How::GivenUp).await
            }
            Outcome::NotKept => self.again(customer, line, now + SOON).await,
            Outcome::Failed(said) => {
                self.count(channel, "failed");
                self.pauses.lengthen(channel, now);
                let Some(wait) = self.wait(tries) else {
                    self.count(channel, "given_up");
                    tracing::warn!(%customer, channel = name, said, "a message is given up and not tried again");
                    return self.end(customer, line, How::GivenUp).await;
                };
                tracing::warn!(
                    channel = name,
                    said,
                    tries = tries + 1,
                    "a message could not be sent and is tried again"
                );
                self.again(customer, line, now + wait).await
            }
        }
    }

    /// How long what failed `tries` times before waits for its next try; `None` where it is given up.
    pub(crate) fn wait(&self, tries: u32) -> Option<Millis> {
        let wait = usize::try_from(tries).ok().and_then(|tries| self.house.config.waits.get(tries))?.get();
        Some(Millis::new(rand::rng().random_range(wait / 5 * 4..=wait / 5 * 6)))
    }

    pub(crate) async fn again(&mut self, customer: &CustomerId, line: Line, due: Timestamp) -> Result<(), Error> {
        if let Some(state) = self.books.get_mut(customer).and_then(|book| book.lines.get_mut(&line)) {
            // A failure before it went on its way.
            if state.sending.is_none() {
                state.start(false);
            }
            state.again(due);
        }
        self.keep(customer).await
    }

    pub(crate) async fn end(&mut self, customer: &CustomerId, line: Line, how: How) -> Result<(), Error> {
        let now = self.now();
        if let Some(state) = self.books.get_mut(customer).and_then(|book| book.lines.get_mut(&line)) {
            state.end(how, now);
        }
        self.keep(customer).await
    }

    /// Leaves what waits untold.
    pub(crate) async fn leave(&mut self, customer: &CustomerId, line: Line) -> Result<(), Error> {
        if let Some(state) = self.books.get_mut(customer).and_then(|book| book.lines.get_mut(&line)) {
            state.waiting = None;
        }
        self.keep(customer).await
    }

    /// Drops the message that a decision came into force, because it no longer is; it is queued again when it is.
    pub(crate) async fn take_back(&mut self, customer: &CustomerId, line: Line) -> Result<(), Error> {
        if let Some(state) = self.books.get_mut(customer).and_then(|book| book.lines.get_mut(&line)) {
            state.go_out_of_force();
        }
        self.keep(customer).await
    }

    pub(crate) async fn keep(&self, customer: &CustomerId) -> Result<(), Error> {
        let Some(book) = self.books.get(customer) else { return Ok(()) };
        self.append(vec![memory::book(customer, book, self.now())?]).await
    }

    pub(crate) async fn append(&self, appends: Vec<Append>) -> Result<(), Error> {
        if appends.is_empty() {
            return Ok(());
        }
        // Whoever has the office since knows more than this process: nothing is written over it.
        if !self.holds_office() {
            return Err(Error::OfficeLost);
        }
        let failed = |source| Error::Log { doing: "keeping whom was told", source };
        self.house.producer.append(appends).await.map_err(failed)
    }

    /// Whether it was kept by who still has the office; where the log failed, that is said.
    pub(crate) fn is_kept(&self, kept: Result<(), Error>) -> bool {
        match kept {
            // The append may have taken so long that another process sends the same by now.
            Ok(()) => self.holds_office(),
            Err(Error::OfficeLost) => false,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a message waits for the log");
                false
            }
        }
    }

    /// Whether this process has had the office all along: one that lost it in between knows less than the log.
    pub(crate) fn holds_office(&self) -> bool {
        if !self.house.candidacy.holds_office() {
            self.has_lost_office.store(true, Ordering::Relaxed);
        }
        !self.has_lost_office.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, channel: Channel, outcome: &str) {
        self.house.metrics.deliveries.with_label_values(&[channel.name(), outcome]).inc();
    }
}
