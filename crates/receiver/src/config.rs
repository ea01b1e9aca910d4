//! Settings of the receiver.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use model::Millis;
use sendgrid::webhook::Verifier;

use crate::{CustomerRule, PseudonymKey};

/// Settings; [`Config::new`] has the documented defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// A certificate, where the receiver speaks TLS itself and no proxy before it does.
    pub tls: Option<Tls>,
    /// The largest body. SendGrid's are at most 768 kB.
    pub max_body_bytes: usize,
    /// Bytes of bodies in memory at once; beyond them a POST is answered 503 and SendGrid comes again.
    pub in_flight_bytes: usize,
    /// Connections at once; beyond them new ones wait to be accepted.
    pub max_connections: usize,
    /// How long a request's head may take.
    pub header_timeout: Duration,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// How long a connection may do nothing.
    pub idle_timeout: Duration,
    /// How long the log may take to make a batch durable before the POST is answered 503.
    pub append_timeout: Duration,
    /// How long requests in flight may take to end at shutdown.
    pub drain_timeout: Duration,
    /// How far a POST's signed timestamp may lie from now; `None` takes any.
    pub tolerance: Option<Tolerance>,
    /// Replaces recipients' addresses before anything is stored.
    pub pseudonyms: Option<PseudonymKey>,
}

impl Config {
    /// Settings for listening on `listen`, all others as documented.
    pub const fn new(listen: SocketAddr) -> Self {
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
            tolerance: Some(Tolerance { past: Millis::hours(26), future: Millis::minutes(5) }),
            pseudonyms: None,
        }
    }
}

/// How far a POST's signed timestamp may lie from now.
///
/// SendGrid documents none, and not whether a retry is signed anew, so the past covers its 24 hours of retries and some
/// more. A replay inside it is recognised as a duplicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// How old it may be.
    pub past: Millis,
    /// How far ahead it may be.
    pub future: Millis,
}

/// A certificate and its key, both PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The chain, the server's certificate first.
    pub certificates: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// One webhook at SendGrid: who signs, and how a customer is told from its events.
#[derive(Debug)]
pub struct Source {
    /// Its name, the last part of the URL.
    pub name: String,
    /// Its verification keys.
    pub verifier: Verifier,
    /// How a customer is told.
    pub customer: CustomerRule,
}
