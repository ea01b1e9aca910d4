//! Whether a POST comes from SendGrid.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::{KeyError, VerificationKey};

/// The header that carries the signature: base64 of an ECDSA signature in DER.
pub const SIGNATURE_HEADER: &str = "x-twilio-email-event-webhook-signature";
/// The header that carries the time of the POST, in Unix seconds; it is signed before the body.
pub const TIMESTAMP_HEADER: &str = "x-twilio-email-event-webhook-timestamp";

/// Base64 of the longest P-256 signature in DER (72 bytes) has 96 characters.
const LONGEST_SIGNATURE: usize = 120;
/// Unix seconds have 10 digits until the year 2286.
const LONGEST_TIMESTAMP: usize = 12;

/// Why a POST is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The timestamp is not 1 to 12 digits.
    #[error("the timestamp header is not a number of Unix seconds")]
    BadTimestamp,
    /// The signature is empty, overlong or not base64.
    #[error("the signature header is not base64 of a signature")]
    BadEncoding,
    /// No key made this signature over this timestamp and body.
    #[error("the signature does not match timestamp and body under any of the source's keys")]
    Mismatch,
}

/// Verifies POSTs of one source. Several keys may be valid at once, so that a key can be replaced without a gap.
#[derive(Debug)]
pub struct Verifier {
    keys: Vec<VerificationKey>,
    /// Which key matched last: the one to try first.
    latest: AtomicUsize,
}

impl Verifier {
    /// A verifier with these keys.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoKeys`] where there is none.
    pub fn new(keys: Vec<VerificationKey>) -> Result<Self, KeyError> {
        if keys.is_empty() { Err(KeyError::NoKeys) } else { Ok(Self { keys, latest: AtomicUsize::new(0) }) }
    }

    /// Whether SendGrid signed `timestamp` and `body`, both as they came.
    ///
    /// The body is hashed once, however many keys there are. High-S signatures are genuine: SendGrid makes them.
    ///
    /// # Errors
    ///
    /// [`SignatureError`] says what is wrong; its text may be shown to the caller.
    pub fn verify(&self, timestamp: &[u8], signature_base64: &[u8], body: &[u8]) -> Result<(), SignatureError> {
        let is_number = !timestamp.is_empty() && timestamp.iter().all(u8::is_ascii_digit);
        if !is_number || timestamp.len() > LONGEST_TIMESTAMP {
            return Err(SignatureError::BadTimestamp);
        }
        if signature_base64.is_empty() || signature_base64.len() > LONGEST_SIGNATURE {
            return Err(SignatureError::BadEncoding);
        }
        let signature = STANDARD.decode(signature_base64).map_err(|_| SignatureError::BadEncoding)?;
        let mut hash = Context::new(&SHA256);
        hash.update(timestamp);
        hash.update(body);
        let digest = hash.finish();

        let latest = self.latest.load(Ordering::Relaxed);
        let order = (latest..self.keys.len()).chain(0..latest);
        for index in order {
            if self.keys[index].0.verify_digest_sig(&digest, &signature).is_ok() {
                self.latest.store(index, Ordering::Relaxed);
                return Ok(());
            }
        }
        Err(SignatureError::Mismatch)
    }
}
