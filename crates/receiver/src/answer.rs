//! What the receiver answers: a status and a fixed sentence, never an echo of the input.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use sendgrid::webhook::{BatchError, SignatureError};

/// What became of a POST.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Too many bytes are in flight, or the log takes nothing just now.
    Busy,
}

impl Answer {
    /// The outcome in metrics.
    pub(crate) const fn outcome(&self) -> &'static str {
        match self {
            Self::Durable { .. } => "durable",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UnsupportedEncoding => "unsupported_encoding",
            Self::TooLarge { .. } => "too_large",
            Self::NoSignature => "no_signature",
            Self::BadSignature(_) => "bad_signature",
            Self::Stale => "stale",
            Self::NoBatch(_) => "no_batch",
            Self::SlowBody => "slow_body",
            Self::BrokenBody => "broken_body",
            Self::Busy => "busy",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Durable { .. } => StatusCode::OK,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoSignature | Self::BadSignature(_) | Self::Stale => StatusCode::UNAUTHORIZED,
            Self::NoBatch(_) | Self::BrokenBody => StatusCode::BAD_REQUEST,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Durable { .. } => String::new(),
            Self::NotFound => {
                "no such source; the webhook's URL ends in /webhooks/sendgrid/ and a configured source".into()
            }
            Self::MethodNotAllowed => "only POST is taken here".into(),
            Self::UnsupportedEncoding => {
                "the body has a content encoding; send it as it was signed, without one".into()
            }
            Self::TooLarge { limit } => format!("the body is over {limit} bytes; SendGrid's are at most 768 kB"),
            Self::NoSignature => {
                "one signature and one timestamp header are needed; turn the webhook's signing on".into()
            }
            Self::BadSignature(error) => error.to_string(),
            Self::Stale => "the signed timestamp is too far from now; check the clocks".into(),
            Self::NoBatch(error) => error.to_string(),
            Self::SlowBody => "the body did not come in time".into(),
            Self::BrokenBody => "the body broke off".into(),
            Self::Busy => "not just now; send the same again in a few seconds".into(),
        }
    }

    pub(crate) fn response(&self) -> Response<Full<Bytes>> {
        let body = match self {
            Self::Durable { accepted, rejected } => serde_json::json!({ "accepted": accepted, "rejected": rejected }),
            other => serde_json::json!({ "error": other.outcome(), "detail": other.sentence() }),
        };
        let mut response = Response::new(Full::new(Bytes::from(format!("{body}\n"))));
        *response.status_mut() = self.status();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self {
            Self::MethodNotAllowed => {
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            }
            Self::Busy => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}
