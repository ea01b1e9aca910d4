//! Questions to a running scorer.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::time::Duration;

use model::{CustomerId, CustomerView, PolicyView};
use tokio::sync::oneshot;

/// The scorer can't answer just now: it is starting, stopping, or has too many questions waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scorer can't answer just now; try again in a moment")]
pub struct Unavailable;

/// A question, and where the answer goes.
#[derive(Debug)]
pub(crate) enum Question {
    /// Where does the customer stand?
    Customer(CustomerId, oneshot::Sender<Option<CustomerView>>),
    /// Which policy is in force?
    Policy(oneshot::Sender<PolicyView>),
}

/// Asks a running scorer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    questions: SyncSender<Question>,
}

/// How many questions may wait: each is answered between two polls of the log, within some 50 ms.
const WAITING: usize = 256;

/// How long an answer is waited for: a scorer that publishes or takes partitions over answers nobody meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn questions() -> (Handle, Receiver<Question>) {
    let (questions, receiver) = std::sync::mpsc::sync_channel(WAITING);
    (Handle { questions }, receiver)
}

impl Handle {
    /// The customer's standing and counts at this moment; `None` for one that was never seen.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] where the scorer does not answer.
    pub async fn customer(&self, customer: CustomerId) -> Result<Option<CustomerView>, Unavailable> {
        self.ask(|answer| Question::Customer(customer, answer)).await
    }

    /// The policy in force, as the first partition of this scorer has it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] where the scorer does not answer, or has no partition.
    pub async fn policy(&self) -> Result<PolicyView, Unavailable> {
        self.ask(Question::Policy).await
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Result<T, Unavailable> {
        let (answer, answered) = oneshot::channel();
        match self.questions.try_send(question(answer)) {
            Ok(()) => match tokio::time::timeout(PATIENCE, answered).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(_)) | Err(_) => Err(Unavailable),
            },
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Unavailable),
        }
    }
}
