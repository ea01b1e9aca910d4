//! Settings of the receiver.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::Millis;
use sendgrid::webhook::Verifier;
use telemetry::Tracing;

use crate::{CustomerRule, Error, PseudonymKey};

/// Settings; [`Config::new`] has the documented defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// A certificate, where the receiver speaks TLS itself and no proxy before it does.
    pub tls: Option<Tls>,
    /// The largest body; a larger one is answered 413. SendGrid's are at most 768 kB.
    pub max_body_bytes: usize,
    /// Memory for request bodies and the records made from them, in bytes. Beyond it, bodies of slow clients are evicted; then a
    /// POST is answered 503 and SendGrid retries. A body is charged as it arrives, not by its `Content-Length`. A body whose
    /// records cannot fit becomes one reject; four times [`Config::max_body_bytes`] is enough for any batch of SendGrid's.
    pub in_flight_bytes: usize,
    /// Connections at once. Beyond it, slow connections are evicted; then new ones wait.
    pub max_connections: usize,
    /// How long a new connection may take to bring its first request's head, and as long again for TLS before it.
    pub header_timeout: Duration,
    /// How long a body may take from its first byte to its last before the POST is answered 408. So is a body that is 10 seconds
    /// behind the minimum rate of 16 kB/s.
    pub body_timeout: Duration,
    /// How long a connection without a request in flight is kept for the next one. SendGrid posts every 30 seconds.
    pub idle_timeout: Duration,
    /// How long the log may take to make a batch durable before the POST is answered 503. The batch may still become
    /// durable after that; what SendGrid then sends again is recognised as a duplicate.
    pub append_timeout: Duration,
    /// How long requests in flight may take to end at shutdown.
    pub drain_timeout: Duration,
    /// How far a POST's signed timestamp may lie from now; `None` takes any.
    pub timestamp_tolerance: Option<TimestampTolerance>,
    /// Replaces recipients' addresses before anything is stored.
    pub pseudonymise: Option<PseudonymKey>,
    /// Where sampled POSTs begin their traces; off by default.
    pub tracing: Tracing,
}

impl Config {
    /// Settings for listening on `listen`, all others as documented.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            tls: None,
            max_body_bytes: 4 << 20,
            in_flight_bytes: 128 << 20,
            max_connections: 1_024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            append_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(20),
            timestamp_tolerance: Some(TimestampTolerance::default()),
            pseudonymise: None,
            tracing: Tracing::default(),
        }
    }
}

/// How far a POST's signed timestamp may lie from now.
///
/// SendGrid documents none, and not whether a retry is signed anew, so the default past of 26 hours covers its 24 hours of
/// retries and some more; the default future is 5 minutes. A replay inside the tolerance is recognised as a duplicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampTolerance {
    /// How old it may be.
    pub past: Millis,
    /// How far ahead it may be.
    pub future: Millis,
}

impl Default for TimestampTolerance {
    fn default() -> Self {
        Self { past: Millis::hours(26), future: Millis::minutes(5) }
    }
}

/// A certificate and its key, both PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The chain, the server's certificate first.
    pub cert_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
}

/// The name of a source: the last part of its webhook's URL, a label in metrics, the key of its rejects.
///
/// 1 to 64 ASCII letters, digits, `-`, `_` and `.`, so that it needs no escaping in any of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceName(Arc<str>);

impl SourceName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 64;
    /// What requests for no source are counted under.
    pub(crate) const UNKNOWN: &str = "unknown";

    /// The name `text`.
    ///
    /// # Errors
    ///
    /// [`Error::SourceName`] where it is empty, too long, or has another character; also for `unknown`, under which
    /// metrics count requests for sources that do not exist.
    pub fn new(text: &str) -> Result<Self, Error> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_name = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(is_plain);
        if is_name && text != Self::UNKNOWN { Ok(Self(text.into())) } else { Err(Error::SourceName(text.to_owned())) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One webhook at SendGrid: who signs, and how a customer is told from its events.
#[derive(Debug)]
pub struct Source {
    /// Its name.
    pub name: SourceName,
    /// Its verification keys.
    pub verifier: Verifier,
    /// How a customer is told.
    pub customer: CustomerRule,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_name_needs_no_escaping_in_a_url_or_a_label() {
        assert_eq!(SourceName::new("eu-1.main_x").unwrap().as_str(), "eu-1.main_x");
        for name in ["", "a/b", "a b", "ä", "a\n", "%41", "unknown", "x".repeat(65).as_str()] {
            assert!(matches!(SourceName::new(name), Err(Error::SourceName(_))), "{name:?}");
        }
    }
}
