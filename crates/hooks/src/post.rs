//! One try.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use model::{Millis, Timestamp};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use telemetry::TRACEPARENT;

use crate::resolver::Resolver;
use crate::told::Told;
use crate::{Error, Hook, Reach};

/// How long a connection may take to come about, within the time for the whole try.
const CONNECTING: Duration = Duration::from_secs(10);
/// What is read of an answer, in bytes: nothing in it counts but its status.
const ANSWER_BYTES: usize = 4 << 10;
/// What is kept of it for whoever looks for the cause, in characters.
const EXCERPT: usize = 200;
/// An endpoint can't ask to be left alone for longer.
const LONGEST_PAUSE: Millis = Millis::hours(24);

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 2xx.
    Taken,
    /// 410: it wants no more of this.
    Gone,
    /// Anything else, or nothing.
    Failed {
        /// The status and the beginning of what it said, or why it said nothing.
        said: String,
        /// How long it asks to be left alone.
        pause: Option<Millis>,
    },
}

/// Posts to one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Poster {
    client: reqwest::Client,
}

impl Poster {
    pub(crate) fn new(hook: &Hook) -> Result<Self, Error> {
        let reach = hook.target.reach();
        let client = reqwest::Client::builder()
            .timeout(hook.timeout)
            .connect_timeout(hook.timeout.min(CONNECTING))
            .dns_resolver(Resolver(reach))
            .https_only(reach == Reach::Public)
            // A redirect or a proxy would lead where nobody checked.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("Weir/", env!("CARGO_PKG_VERSION")))
            .build();
        let client = client.map_err(|source| Error::Client { hook: hook.name.to_string(), source })?;
        Ok(Self { client })
    }

    /// Tries once, at `now`.
    pub(crate) async fn post(&self, hook: &Hook, told: &Told, now: Timestamp) -> Answer {
        let body = match told.body() {
            Ok(body) => body,
            Err(error) => return Answer::Failed { said: format!("it can't be written: {error}"), pause: None },
        };
        let (id, seconds) = (told.id(), now.seconds());
        let request = self
            .client
            .post(hook.target.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", hook.secrets.sign(&id, seconds, &body))
            .body(body);
        let request = match told.trace() {
            Some(trace) => request.header(TRACEPARENT, trace.to_string()),
            None => request,
        };
        match request.send().await {
            Ok(response) => answer(response, now).await,
            Err(error) => Answer::Failed { said: in_words(error), pause: None },
        }
    }
}

async fn answer(response: Response, now: Timestamp) -> Answer {
    match response.status() {
        status if status.is_success() => Answer::Taken,
        StatusCode::GONE => Answer::Gone,
        status => {
            let pause = asked_to_pause(response.headers(), now);
            Answer::Failed { said: format!("{status} {}", excerpt(response).await).trim_end().to_owned(), pause }
        }
    }
}

/// The beginning of what was said, on one line.
async fn excerpt(mut response: Response) -> String {
    let mut read = Vec::new();
    while read.len() < ANSWER_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        read.extend_from_slice(&chunk);
    }
    let text = String::from_utf8_lossy(&read);
    text.chars().take(EXCERPT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `Retry-After` in seconds or as a date.
fn asked_to_pause(headers: &HeaderMap, now: Timestamp) -> Option<Millis> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match text.parse::<u32>() {
        Ok(seconds) => Millis::seconds(seconds.into()),
        Err(_) => {
            let until = httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            Timestamp::from_seconds(i64::try_from(until.as_secs()).ok()?).since(now)
        }
    };
    Some(pause.clamp(Millis::ZERO, LONGEST_PAUSE))
}

/// Why there was no answer, down to the first cause; without the URL, which may hold what others must not know.
fn in_words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut said = format!("no answer: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_as_a_date_and_for_a_day_at_most() {
        // Tue, 23 Sep 2025 08:40:10 GMT
        let now = Timestamp::from_seconds(1_758_616_810);
        let asked = |text: &str| {
            let headers = [(RETRY_AFTER, text.parse().unwrap())].into_iter().collect();
            asked_to_pause(&headers, now)
        };
        assert_eq!(asked("120"), Some(Millis::seconds(120)));
        assert_eq!(asked("Tue, 23 Sep 2025 08:41:10 GMT"), Some(Millis::minutes(1)));
        assert_eq!(asked("Tue, 23 Sep 2025 08:00:00 GMT"), Some(Millis::ZERO));
        assert_eq!(asked("4294967295"), Some(LONGEST_PAUSE));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked_to_pause(&HeaderMap::new(), now), None);
    }
}
