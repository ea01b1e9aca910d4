//! A webhook's public key.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A public key of a signed webhook, as SendGrid shows it: base64 of the DER SPKI of a P-256 key.
#[derive(Clone, Debug)]
pub struct VerificationKey(pub(super) ParsedPublicKey);

/// Why a text is no verification key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not base64.
    #[error("the verification key is not base64; copy it whole from the webhook's settings (it begins with MFkw)")]
    NotBase64,
    /// Base64 of something else, for example of a key on another curve.
    #[error("the verification key is no P-256 public key ({0} bytes; 91 are right)")]
    NotP256(usize),
    /// The right shape around a point that is not on the curve.
    #[error("the verification key holds no valid point of the curve P-256; copy it anew")]
    NotOnCurve,
    /// No key at all.
    #[error("there is no verification key; without one nothing can be verified")]
    NoKeys,
}

/// What stands before the point in the DER SPKI of every P-256 key (RFC 5480): the algorithm and the curve.
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point: its marker and two coordinates.
const POINT_BYTES: usize = 65;

impl VerificationKey {
    /// The base64 of a key alone, without the white space and PEM armour around it. Where a PEM file went through an
    /// environment variable or a form it may be on one line, or its line ends may be written as `\\n`.
    pub fn bare(text: &str) -> String {
        let is_armour = |part: &&str| part.trim_start().starts_with("BEGIN ") || part.trim_start().starts_with("END ");
        let text = text.replace("\\n", "\n").replace("\\r", "\n");
        text.split("-----").filter(|part| !is_armour(part)).flat_map(str::split_whitespace).collect()
    }

    /// Reads a key. White space and PEM armour around it are passed over.
    ///
    /// # Errors
    ///
    /// [`KeyError`] says what is wrong with it.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let der = STANDARD.decode(Self::bare(text)).map_err(|_| KeyError::NotBase64)?;
        match der.strip_prefix(&SPKI_PREFIX) {
            Some(point) if point.len() == POINT_BYTES => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).map(Self).map_err(|_| KeyError::NotOnCurve)
            }
            _ => Err(KeyError::NotP256(der.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";

    #[test]
    fn a_key_is_read_with_or_without_armour() {
        assert!(VerificationKey::from_base64(PUBLISHED).is_ok());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{PUBLISHED}\n-----END PUBLIC KEY-----\n");
        for shape in [
            pem.clone(),
            pem.replace('\n', " "),
            pem.replace('\n', ""),
            pem.replace('\n', "\\n"),
            pem.replace('\n', "\r\n"),
            pem.replace('\n', "\\r\\n"),
        ] {
            assert!(VerificationKey::from_base64(&shape).is_ok(), "{shape}");
            assert_eq!(VerificationKey::bare(&shape), PUBLISHED);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_reason() {
        let refused = |text: &str| VerificationKey::from_base64(text).unwrap_err();
        assert_eq!(refused("not base64!"), KeyError::NotBase64);
        assert_eq!(refused(""), KeyError::NotP256(0));
        let mut der = STANDARD.decode(PUBLISHED).unwrap();
        der.push(0);
        assert_eq!(refused(&STANDARD.encode(&der)), KeyError::NotP256(92));
        der.pop();
        der[40] ^= 1;
        assert_eq!(refused(&STANDARD.encode(&der)), KeyError::NotOnCurve);
        der[22] = 0x0a; // the object identifier of another curve
        assert_eq!(refused(&STANDARD.encode(&der)), KeyError::NotP256(91));
    }
}
