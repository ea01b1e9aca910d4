//! Why the receiver can't run.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the receiver can't run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address can't be listened on.
    #[error("the receiver can't listen on {listen}; is the port taken, or below 1024 without the right to it?")]
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
    #[error("the certificate {cert_file} and the key {key_file} can't serve TLS together",
        cert_file = cert_file.display(), key_file = key_file.display())]
    Tls {
        /// The certificate's file.
        cert_file: PathBuf,
        /// The key's file.
        key_file: PathBuf,
        /// What was wrong.
        #[source]
        source: rustls::Error,
    },
    /// A text can't be a source's name.
    #[error(
        "a source can't be called {0:?}; a name has 1 to 64 ASCII letters, digits, `-`, `_` or `.`, and is not `unknown`"
    )]
    SourceName(String),
    /// Two sources have one name.
    #[error("two sources are called {0:?}; each webhook needs a name of its own")]
    DuplicateSource(String),
    /// A metric could not be registered: a name is taken.
    #[error("the receiver's metrics could not be registered; is there a second receiver in this registry?")]
    Metrics(#[from] telemetry::Error),
}
