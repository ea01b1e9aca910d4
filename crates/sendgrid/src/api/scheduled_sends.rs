//! Batches of mails that wait for their time: they can be paused and cancelled until ten minutes before it.
//!
//! Only mails that were given a batch's id and a time to be sent are reached. SendGrid holds a few batches back at once only.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::account::Account;
use super::endpoint::Endpoint;
use super::error::{Error, found};
use super::refusal::Refusal;

/// A batch's id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(String);

impl BatchId {
    /// The id `id`.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as mails name it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a batch is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stop {
    /// Its mails wait; what is still paused at its time is lost some time after.
    Pause,
    /// Its mails are thrown away at their time.
    Cancel,
}

/// A batch that is held back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ScheduledSend {
    /// The batch.
    pub batch_id: BatchId,
    /// How.
    pub status: Stop,
}

#[derive(Deserialize)]
struct Batch {
    batch_id: BatchId,
}

impl Account {
    /// Makes an id for a batch of mails.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] where nobody knows whether one was made; one that is never used does no harm.
    pub async fn new_batch(&self) -> Result<BatchId, Error> {
        let Batch { batch_id } = self.http.json(self.ask(Endpoint::NewBatch)).await?;
        Ok(batch_id)
    }

    /// The batches that are held back.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn scheduled_sends(&self) -> Result<Vec<ScheduledSend>, Error> {
        self.http.json(self.ask(Endpoint::ScheduledSends)).await
    }

    /// How a batch is held back; `None` where it is not.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn scheduled_send(&self, batch: &BatchId) -> Result<Option<Stop>, Error> {
        let ask = self.ask_of(Endpoint::ScheduledSend, &[batch.as_str()])?;
        let sends: Option<Vec<ScheduledSend>> = found(self.http.json(ask).await)?;
        Ok(sends.unwrap_or_default().into_iter().find(|send| send.batch_id == *batch).map(|send| send.status))
    }

    /// Holds a batch back in this way, however it was before.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn stop_batch(&self, batch: &BatchId, stop: Stop) -> Result<(), Error> {
        let body = json!({ "batch_id": batch, "status": stop });
        let refused = match self.http.done(self.ask(Endpoint::StopBatch).body(body)).await {
            Err(error) if error.refusal() == Some(Refusal::Invalid) => error,
            other => return other,
        };
        // It may be held back already: by someone else, or by a call whose answer was lost.
        match self.scheduled_send(batch).await? {
            Some(now) if now == stop => Ok(()),
            Some(_) => self.change_batch(batch, stop).await,
            None => Err(refused),
        }
    }

    /// Holds a batch that is held back already back in this way.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn change_batch(&self, batch: &BatchId, stop: Stop) -> Result<(), Error> {
        let ask = self.ask_of(Endpoint::ChangeBatch, &[batch.as_str()])?;
        self.http.done(ask.body(json!({ "status": stop }))).await
    }

    /// Lets a batch be sent; one that is not held back is not touched.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn resume_batch(&self, batch: &BatchId) -> Result<(), Error> {
        let answer = self.http.done(self.ask_of(Endpoint::ResumeBatch, &[batch.as_str()])?).await;
        found(answer).map(|_| ())
    }
}
