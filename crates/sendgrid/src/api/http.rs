//! One call: its turn, its tries, and what came of it.

use std::time::{Duration, Instant};

use rand::RngExt;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;

use super::ask::Ask;
use super::config::Config;
use super::endpoint::Repeat;
use super::error::Error;
use super::quota::quota;
use super::refusal::{Message, Refusal};
use super::turn::{Turn, Turns};
use super::watcher::{CallOutcome, TriedCall};

/// Answers are small; an edge that sends more is not SendGrid's API.
const ANSWER_BYTES: usize = 4 << 20;

const ON_BEHALF_OF: HeaderName = HeaderName::from_static("on-behalf-of");

/// Makes calls.
#[derive(Clone, Debug)]
pub(super) struct Http {
    base: String,
    config: Config,
    turns: Turns,
    client: reqwest::Client,
}

/// What one try gave.
enum Tried {
    Done(Vec<u8>),
    Failed(Failure),
}

struct Failure {
    error: Error,
    /// Whether SendGrid may have done what was asked.
    may_be_done: bool,
    /// Whether SendGrid said when to come again: then the call's turn is the wait.
    has_turn: bool,
}

impl Http {
    pub(super) fn new(config: Config) -> Result<Self, Error> {
        let base = config.base()?;
        config.key.bearer()?;
        let client = reqwest::Client::builder()
            .timeout(config.timeout)
            // A redirect would carry the key elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::Config(error.to_string()))?;
        let turns = Turns::new(config.calls_per_second, config.longest_wait);
        Ok(Self { base, config, turns, client })
    }

    /// Asks, and reads the answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, Error> {
        let body = self.body(&ask).await?;
        parse(&ask, &body)
    }

    /// Asks, and does not care what else is said in a 2xx.
    pub(super) async fn done(&self, ask: Ask) -> Result<(), Error> {
        self.body(&ask).await.map(|_| ())
    }

    /// Asks, as often as it takes and may be.
    pub(super) async fn body(&self, ask: &Ask) -> Result<Vec<u8>, Error> {
        let mut tried = 1;
        loop {
            let turn = self.turns.turn(ask.endpoint).await.map_err(|wait| Error::rate_limited(ask, Some(wait)))?;
            let failure = match self.try_watched(ask, turn).await? {
                Tried::Done(body) => return Ok(body),
                Tried::Failed(failure) => failure,
            };
            if failure.may_be_done && ask.endpoint.repeat() == Repeat::Never {
                return Err(Error::unknown(ask, failure.error));
            }
            if tried >= self.config.tries {
                return Err(failure.error);
            }
            if !failure.has_turn {
                tokio::time::sleep(self.backoff(tried)).await;
            }
            tried += 1;
        }
    }

    /// Tries, and tells the watcher.
    async fn try_watched(&self, ask: &Ask, mut turn: Turn<'_>) -> Result<Tried, Error> {
        let began = Instant::now();
        let tried = self.try_once(ask, &mut turn).await;
        if let Some(watcher) = &self.config.watcher {
            let outcome = match &tried {
                Ok(Tried::Done(_)) => CallOutcome::Done,
                Ok(Tried::Failed(Failure { error, .. })) | Err(error) => outcome(error),
            };
            let (endpoint, took, quota) = (ask.endpoint, began.elapsed(), turn.heard());
            watcher.tried(&TriedCall { endpoint, outcome, took, quota });
        }
        tried
    }

    async fn try_once(&self, ask: &Ask, turn: &mut Turn<'_>) -> Result<Tried, Error> {
        let response = match self.request(ask)?.send().await {
            Ok(response) => response,
            Err(source) => return Ok(Tried::unreachable(ask, source)),
        };
        let status = response.status();
        let said = quota(status, response.headers());
        turn.hear(said);
        let body = match read(response).await {
            Ok(Some(body)) => body,
            Ok(None) => return Err(Error::unexpected(ask, format!("over {ANSWER_BYTES} bytes"))),
            Err(source) => return Ok(Tried::unreachable(ask, source)),
        };
        if status.is_success() {
            return Ok(Tried::Done(body));
        }
        let wait = said.map(|quota| quota.resets_in);
        refused(ask, status, &body, wait)
    }

    fn request(&self, ask: &Ask) -> Result<reqwest::RequestBuilder, Error> {
        let url = format!("{}{}", self.base, ask.path);
        let mut request = self
            .client
            .request(ask.endpoint.method(), url)
            // In a header, never in the address, which errors show.
            .header(AUTHORIZATION, self.config.key.bearer()?)
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(subuser) = &ask.subuser {
            request = request.header(ON_BEHALF_OF, subuser);
        }
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        Ok(request)
    }

    /// A random wait below a bound that doubles with each try.
    fn backoff(&self, tried: u32) -> Duration {
        let bound = self.config.backoff.saturating_mul(1 << (tried - 1).min(16)).min(self.config.longest_wait);
        bound.mul_f64(rand::rng().random_range(0.0..1.0))
    }
}

impl Tried {
    fn unreachable(ask: &Ask, source: reqwest::Error) -> Self {
        // Without a connection nothing went out.
        let may_be_done = !source.is_connect();
        let error = Error::Unreachable { method: ask.endpoint.method(), path: ask.path.clone(), source };
        Self::Failed(Failure { error, may_be_done, has_turn: false })
    }
}

/// What came of a try that did not succeed.
const fn outcome(error: &Error) -> CallOutcome {
    match error {
        Error::RateLimited { .. } => CallOutcome::RateLimited,
        Error::Refused { refusal: Refusal::Server, .. } | Error::UnexpectedAnswer { .. } => CallOutcome::Failed,
        Error::Unreachable { .. } | Error::Unknown { .. } => CallOutcome::Unreachable,
        Error::Refused { .. } | Error::NoSuch { .. } | Error::Name { .. } | Error::Config(_) => CallOutcome::Refused,
    }
}

/// What a refusal means: some may end well when tried again.
fn refused(ask: &Ask, status: StatusCode, body: &[u8], wait: Option<Duration>) -> Result<Tried, Error> {
    if status == StatusCode::TOO_MANY_REQUESTS {
        // A reset that is now, by whole seconds, may still be to come.
        let has_turn = wait.is_some_and(|wait| !wait.is_zero());
        return Ok(Tried::Failed(Failure { error: Error::rate_limited(ask, wait), may_be_done: false, has_turn }));
    }
    if !status.is_client_error() && !status.is_server_error() {
        return Err(Error::unexpected(ask, format!("HTTP {status}")));
    }
    let message = Message::of(body);
    let refusal = Refusal::of(status, &message);
    let (method, path) = (ask.endpoint.method(), ask.path.clone());
    let error = Error::Refused { method, path, refusal, status, message };
    if status.is_server_error() {
        return Ok(Tried::Failed(Failure { error, may_be_done: true, has_turn: false }));
    }
    Err(error)
}

/// The answer as JSON. What it holds is not told: it may be a recipient's address.
pub(super) fn parse<T: DeserializeOwned>(ask: &Ask, body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| {
        let says = error.to_string();
        let what = match says.starts_with("missing field") {
            true => says,
            false => format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()),
        };
        Error::unexpected(ask, what)
    })
}

/// The body; `None` where it is too long.
async fn read(mut response: Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > ANSWER_BYTES {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
