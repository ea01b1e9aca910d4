//! TLS, where the receiver speaks it itself.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::Tls;
use crate::error::Error;

/// An acceptor for HTTP/2 and HTTP/1.1 over TLS 1.2 and 1.3; SendGrid asks for 1.2 at least.
pub(crate) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, Error> {
    let pem = |path: &Path, what| {
        let path = path.to_owned();
        move |source| Error::Pem { path, what, source }
    };
    let certificates = CertificateDer::pem_file_iter(&tls.cert_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(|chain| if chain.is_empty() { Err(PemError::NoItemsFound) } else { Ok(chain) })
        .map_err(pem(&tls.cert_file, "certificate"))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key_file).map_err(pem(&tls.key_file, "private key"))?;
    let unfit = |source| Error::Tls { cert_file: tls.cert_file.clone(), key_file: tls.key_file.clone(), source };
    // Named, not taken from the process: another crate's choice of provider must not decide this one.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
