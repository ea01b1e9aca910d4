//! Why the receiver can't run.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the receiver can't run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address can't be listened on.
    #[error("the receiver can't listen on {listen}; is it taken, or the port below 1024?")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A PEM file can't be read.
    #[error("{path} holds no usable {what} in PEM", path = path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// What was wrong.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// Certificate and key do not work together.
    #[error("certificate and key can't be used for TLS")]
    Tls(#[from] rustls::Error),
    /// Two sources have one name.
    #[error("two sources are called {0:?}; names are unique")]
    DuplicateSource(String),
    /// A metric could not be registered: a name is taken.
    #[error("a metric could not be registered")]
    Metrics(#[from] prometheus::Error),
}
