//! Posts events, and posts them again until they are taken.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use model::Timestamp;

use super::signer::{Signer, SignerError};

/// A way to read the time that a POST is signed with.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How often and how soon a batch is posted again.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// The first wait; each next one is twice as long.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// How often at most, before the batch is given up.
    pub most: u32,
}

impl Default for Retries {
    fn default() -> Self {
        Self { first: Duration::from_millis(100), longest: Duration::from_secs(2), most: 60 }
    }
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PosterError {
    /// It was posted as often as allowed.
    #[error("a batch was not taken after {tries} tries; the last answer was {last}")]
    GivenUp {
        /// How often it was posted.
        tries: u32,
        /// The last answer or failure.
        last: String,
    },
    /// No HTTP client could be made.
    #[error("no HTTP client")]
    Client(#[from] reqwest::Error),
    /// It could not be signed.
    #[error(transparent)]
    Sign(#[from] SignerError),
}

/// A batch that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    /// How often it was posted.
    pub tries: u32,
    /// Events in it.
    pub events: usize,
}

/// Posts batches to one webhook, signed where it is. Cheap to clone.
#[derive(Clone)]
pub struct Poster {
    url: Arc<str>,
    signer: Option<Arc<Signer>>,
    client: reqwest::Client,
    retries: Retries,
    clock: Clock,
}

impl std::fmt::Debug for Poster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poster").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Poster {
    /// Posts to `url`, signed by `signer` at the time of `clock`.
    ///
    /// # Errors
    ///
    /// [`PosterError::Client`].
    pub fn new(url: &str, signer: Arc<Signer>, retries: Retries, clock: Clock) -> Result<Self, PosterError> {
        Self::with(url, Some(signer), retries, clock)
    }

    /// The same, unsigned where there is no signer.
    pub(super) fn with(
        url: &str,
        signer: Option<Arc<Signer>>,
        retries: Retries,
        clock: Clock,
    ) -> Result<Self, PosterError> {
        // SendGrid follows no redirects: one counts as a refusal, like every answer but 2xx.
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { url: url.into(), signer, client, retries, clock })
    }

    /// The body that holds these events, in SendGrid's layout.
    pub fn body(events: &[String]) -> Vec<u8> {
        let mut body = Vec::with_capacity(events.iter().map(|event| event.len() + 3).sum::<usize>() + 4);
        body.push(b'[');
        for (i, event) in events.iter().enumerate() {
            if i > 0 {
                body.extend_from_slice(b",\r\n");
            }
            body.extend_from_slice(event.as_bytes());
        }
        body.extend_from_slice(b"]\r\n");
        body
    }

    /// Posts the events in one batch until it is taken; each try is signed anew.
    ///
    /// # Errors
    ///
    /// [`PosterError::GivenUp`] after as many tries as allowed.
    pub async fn post(&self, events: &[String]) -> Result<Posted, PosterError> {
        let body = Bytes::from(Self::body(events));
        let mut wait = self.retries.first;
        let mut tries = 0;
        loop {
            tries += 1;
            let last = match self.post_once(body.clone()).await? {
                Ok(()) => return Ok(Posted { tries, events: events.len() }),
                Err(last) => last,
            };
            if tries >= self.retries.most {
                return Err(PosterError::GivenUp { tries, last });
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(self.retries.longest);
        }
    }

    async fn post_once(&self, body: Bytes) -> Result<Result<(), String>, PosterError> {
        let timestamp = (self.clock)().seconds().to_string();
        let mut request = self
            .client
            .post(self.url.as_ref())
            .header("content-type", "application/json;charset=utf-8")
            .header("user-agent", "SendGrid Event API");
        if let Some(signer) = &self.signer {
            request = request
                .header("x-twilio-email-event-webhook-signature", signer.sign(&timestamp, &body)?)
                .header("x-twilio-email-event-webhook-timestamp", timestamp);
        }
        Ok(match request.body(body).send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(answer.status().to_string()),
            Err(error) => Err(error.to_string()),
        })
    }
}
