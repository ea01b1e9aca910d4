//! Signs POSTs as a signed webhook does.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// No key could be made or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing key can't be {0}")]
pub struct SignerError(&'static str);

/// A webhook's key pair.
#[derive(Debug)]
pub struct Signer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

/// What stands before the point in the DER SPKI of every P-256 key (RFC 5480).
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

impl Signer {
    /// A new key pair.
    ///
    /// # Errors
    ///
    /// [`SignerError`], where the system gives no randomness.
    pub fn generate() -> Result<Self, SignerError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| SignerError("made"))?;
        Ok(Self { pair, random: SystemRandom::new() })
    }

    /// The public key as SendGrid shows it: base64 of the DER SPKI.
    pub fn public_key(&self) -> String {
        STANDARD.encode([&SPKI_PREFIX, self.pair.public_key().as_ref()].concat())
    }

    /// The signature over `timestamp` and `body`, as it stands in the header.
    ///
    /// # Errors
    ///
    /// [`SignerError`], where the system gives no randomness.
    pub fn sign(&self, timestamp: &str, body: &[u8]) -> Result<String, SignerError> {
        let message = [timestamp.as_bytes(), body].concat();
        let signature = self.pair.sign(&self.random, &message).map_err(|_| SignerError("used"))?;
        Ok(STANDARD.encode(signature))
    }
}
