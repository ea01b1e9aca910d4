//! What the receiver answers: a status and a fixed sentence, never an echo of the input.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use sendgrid::webhook::{BatchError, SignatureError};

/// Seconds after which a POST that could not be taken is worth another try; SendGrid has a schedule of its own.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// What became of a POST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Every event of it is durable.
    Durable {
        /// Events in the log.
        accepted: usize,
        /// Elements set aside.
        rejected: usize,
    },
    /// No such path or source.
    NotFound,
    /// Not a POST.
    MethodNotAllowed,
    /// A content coding that SendGrid does not use.
    UnsupportedEncoding,
    /// Over the largest body.
    TooLarge {
        /// The largest body, in bytes.
        limit: usize,
    },
    /// The signature or the timestamp header is missing, or stands there twice.
    NoSignature,
    /// The signature is not good.
    BadSignature(SignatureError),
    /// The timestamp is too far from now.
    Stale,
    /// Signed, but no array of events.
    NoBatch(BatchError),
    /// The body did not come in time.
    SlowBody,
    /// The body broke off or was malformed below HTTP.
    BrokenBody,
    /// Too many bytes are in flight.
    Full,
    /// The log did not take the batch, or not in time.
    LogUnavailable,
}

impl Answer {
    /// Every outcome.
    pub(crate) const OUTCOMES: [&'static str; 13] = [
        "durable",
        "not_found",
        "method_not_allowed",
        "unsupported_encoding",
        "too_large",
        "no_signature",
        "bad_signature",
        "stale_timestamp",
        "no_events",
        "slow_body",
        "broken_body",
        "full",
        "log_unavailable",
    ];

    /// The outcome in metrics and in the body.
    pub(crate) const fn outcome(self) -> &'static str {
        match self {
            Self::Durable { .. } => "durable",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UnsupportedEncoding => "unsupported_encoding",
            Self::TooLarge { .. } => "too_large",
            Self::NoSignature => "no_signature",
            Self::BadSignature(_) => "bad_signature",
            Self::Stale => "stale_timestamp",
            Self::NoBatch(_) => "no_events",
            Self::SlowBody => "slow_body",
            Self::BrokenBody => "broken_body",
            Self::Full => "full",
            Self::LogUnavailable => "log_unavailable",
        }
    }

    /// Whether the POST is not believed to be SendGrid's.
    pub(crate) const fn is_unbelieved(self) -> bool {
        matches!(self, Self::NoSignature | Self::BadSignature(_) | Self::Stale)
    }

    /// As it goes out.
    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let body = match self {
            Self::Durable { accepted, rejected } => serde_json::json!({ "accepted": accepted, "rejected": rejected }),
            refused => serde_json::json!({ "error": refused.outcome(), "detail": refused.detail() }),
        };
        let mut response = Response::new(Full::new(Bytes::from(format!("{body}\n"))));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self {
            Self::MethodNotAllowed => headers.insert(ALLOW, HeaderValue::from_static("POST")),
            Self::Full | Self::LogUnavailable => headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS),
            _ => None,
        };
        response
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Durable { .. } => StatusCode::OK,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoSignature | Self::BadSignature(_) | Self::Stale => StatusCode::UNAUTHORIZED,
            Self::NoBatch(_) | Self::BrokenBody => StatusCode::BAD_REQUEST,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::Full | Self::LogUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn detail(self) -> String {
        let fixed = match self {
            Self::TooLarge { limit } => {
                return format!("the body is over {limit} bytes; SendGrid's are at most 768 kB");
            }
            // Both errors' texts hold positions and single bytes, nothing of the input.
            Self::BadSignature(error) => {
                return format!("{error}; compare the source's verification keys with the webhook's settings");
            }
            Self::NoBatch(error) => return format!("{error}; it was set aside among the rejects"),
            Self::Durable { .. } => "every event is durable",
            Self::NotFound => "no such source; the webhook's URL is /webhooks/sendgrid/ and the name of a source",
            Self::MethodNotAllowed => "events come by POST; no other method is taken here",
            Self::UnsupportedEncoding => "the body has a content encoding; send it as it was signed, without one",
            Self::NoSignature => {
                "the POST needs one signature header and one timestamp header; turn on the webhook's signing"
            }
            Self::Stale => "the signed timestamp is too far from now; compare the clocks and the tolerance",
            Self::SlowBody => "the body did not come in time; send it again",
            Self::BrokenBody => "the body broke off or is malformed in transfer; send it again",
            Self::Full => "too many bodies are in flight just now; send it again in some seconds",
            Self::LogUnavailable => "the events could not be made durable just now; send them again in some seconds",
        };
        fixed.to_owned()
    }
}
