//! One call: limits, retries, and what came of it.

use std::fmt;
use std::time::{Duration, SystemTime};

use rand::RngExt;
use reqwest::header::{DATE, HeaderMap};
use reqwest::{Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{Error, Message, Refusal};

/// A SendGrid API key. Never shown.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// The key `key`, without white space around it.
    pub fn new(key: &str) -> Self {
        Self(key.trim().to_owned())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

/// Settings of a client; [`Config::new`] has the documented defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// `https://api.sendgrid.com`, or `https://api.eu.sendgrid.com` for subusers of the European region.
    pub base_url: String,
    /// The key.
    pub key: ApiKey,
    /// How long one try may take.
    pub timeout: Duration,
    /// How often a call is tried at most.
    pub tries: u32,
    /// The first wait between two tries, at most; each next one may be twice as long. The real wait is random below it.
    pub backoff: Duration,
    /// The longest wait, also where SendGrid asks for a longer one: the caller tries again later.
    pub longest_wait: Duration,
}

impl Config {
    /// Tries of 10 s, four at most, half a second and more apart.
    pub const fn new(base_url: String, key: ApiKey) -> Self {
        Self {
            base_url,
            key,
            timeout: Duration::from_secs(10),
            tries: 4,
            backoff: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
        }
    }
}

/// Answers are small; an edge that sends more is not SendGrid's API.
const ANSWER_BYTES: usize = 4 << 20;

/// Makes calls.
#[derive(Clone, Debug)]
pub(super) struct Http {
    config: Config,
    client: reqwest::Client,
}

/// What a call asks.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// Path and query, encoded.
    pub(super) path: String,
    pub(super) body: Option<Value>,
}

impl Http {
    pub(super) fn new(config: Config) -> Result<Self, Error> {
        let base = reqwest::Url::parse(&config.base_url).map_err(|error| Error::Config(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(Error::Config(format!("{} is no http or https address", config.base_url)));
        }
        let client = reqwest::Client::builder()
            .timeout(config.timeout)
            // A redirect would carry the key elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::Config(error.to_string()))?;
        Ok(Self { config, client })
    }

    /// Asks, and reads the answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, Error> {
        let body = self.ask(&ask).await?;
        serde_json::from_slice(&body).map_err(|error| unexpected(&ask, error.to_string()))
    }

    /// Asks, and does not care what else is said in a 2xx.
    pub(super) async fn done(&self, ask: Ask) -> Result<(), Error> {
        self.ask(&ask).await.map(|_| ())
    }

    async fn ask(&self, ask: &Ask) -> Result<Vec<u8>, Error> {
        let mut tried = 1;
        loop {
            let wait = match self.try_once(ask).await? {
                Tried::Done(body) => return Ok(body),
                Tried::Failed { error, .. } if tried >= self.config.tries => return Err(error),
                Tried::Failed { asked_to_wait, .. } => asked_to_wait.unwrap_or_else(|| self.backoff(tried)),
            };
            tokio::time::sleep(wait.min(self.config.longest_wait)).await;
            tried += 1;
        }
    }

    async fn try_once(&self, ask: &Ask) -> Result<Tried, Error> {
        let url = format!("{}{}", self.config.base_url.trim_end_matches('/'), ask.path);
        let mut request = self.client.request(ask.method.clone(), url).bearer_auth(&self.config.key.0);
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        let response = match request.send().await {
            Ok(response) => response,
            // The key stands in a header, never in the address that the error shows.
            Err(source) => return Ok(Tried::unreachable(ask, source)),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match read(response).await {
            Ok(Some(body)) => body,
            Ok(None) => return Err(unexpected(ask, format!("over {ANSWER_BYTES} bytes"))),
            Err(source) => return Ok(Tried::unreachable(ask, source)),
        };
        if status.is_success() {
            return Ok(Tried::Done(body));
        }
        let error = Error::Refused {
            method: ask.method.clone(),
            path: ask.path.clone(),
            refusal: Refusal::of(status),
            status,
            message: Message::of(&body),
        };
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Ok(Tried::Failed { error, asked_to_wait: asked_to_wait(&headers) });
        }
        Err(error)
    }

    /// A random wait below a bound that doubles with each try.
    fn backoff(&self, tried: u32) -> Duration {
        let bound = self.config.backoff.saturating_mul(1 << (tried - 1).min(16));
        bound.mul_f64(rand::rng().random_range(0.0..1.0))
    }
}

enum Tried {
    Done(Vec<u8>),
    /// It may succeed when it is tried again.
    Failed {
        error: Error,
        asked_to_wait: Option<Duration>,
    },
}

impl Tried {
    fn unreachable(ask: &Ask, source: reqwest::Error) -> Self {
        let error = Error::Unreachable { method: ask.method.clone(), path: ask.path.clone(), source };
        Self::Failed { error, asked_to_wait: None }
    }
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

/// How long SendGrid asks to wait: `X-RateLimit-Reset` is a moment by SendGrid's clock, which `Date` tells.
fn asked_to_wait(headers: &HeaderMap) -> Option<Duration> {
    let reset: u64 = headers.get("x-ratelimit-reset")?.to_str().ok()?.trim().parse().ok()?;
    let date = headers.get(DATE)?.to_str().ok()?;
    let date = httpdate::parse_http_date(date).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Duration::from_secs(reset).saturating_sub(date))
}

fn unexpected(ask: &Ask, what: String) -> Error {
    Error::UnexpectedAnswer { method: ask.method.clone(), path: ask.path.clone(), what }
}
