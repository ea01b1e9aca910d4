//! What deliveries are signed with.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What stands before a secret, so that nobody takes it for something else.
const PREFIX: &str = "whsec_";

/// Why a text is no secret. Never shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is none.
    #[error("no secret is given; one is \"whsec_\" and 24 to 64 random bytes in base64")]
    None,
    /// It does not begin as a secret does.
    #[error("secret {number} does not begin with \"whsec_\"")]
    Prefix {
        /// Which one, from 1.
        number: usize,
    },
    /// It is not base64 behind that.
    #[error("secret {number} is no base64 behind \"whsec_\"")]
    Base64 {
        /// Which one, from 1.
        number: usize,
    },
    /// It is too short to be safe, or longer than a receiver must take.
    #[error("secret {number} has {bytes} bytes; 24 to 64 are needed")]
    Length {
        /// Which one, from 1.
        number: usize,
        /// How many bytes it has.
        bytes: usize,
    },
}

/// The secrets of one hook: several while one is being replaced, and then each delivery has a signature of each. Never shown.
#[derive(Clone)]
pub struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    /// Reads secrets, separated by white space: `whsec_` and 24 to 64 bytes in base64.
    ///
    /// # Errors
    ///
    /// [`SecretError`] where there is none, or one is malformed.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let numbered = text.split_whitespace().zip(1..);
        let secrets: Vec<_> = numbered.map(|(text, number)| secret(text, number)).collect::<Result<_, _>>()?;
        if secrets.is_empty() { Err(SecretError::None) } else { Ok(Self(secrets)) }
    }

    /// The signatures of one try, separated by spaces: of `id`, the try's moment in seconds, and the body.
    pub(crate) fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let sign = |secret: &Vec<u8>| {
            // HMAC takes keys of any length.
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
            mac.update(format!("{id}.{seconds}.").as_bytes());
            mac.update(body);
            Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
        };
        self.0.iter().filter_map(sign).collect::<Vec<_>>().join(" ")
    }
}

fn secret(text: &str, number: usize) -> Result<Vec<u8>, SecretError> {
    let encoded = text.strip_prefix(PREFIX).ok_or(SecretError::Prefix { number })?;
    let secret = STANDARD.decode(encoded).map_err(|_| SecretError::Base64 { number })?;
    let bytes = secret.len();
    if (24..=64).contains(&bytes) { Ok(secret) } else { Err(SecretError::Length { number, bytes }) }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} hidden)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn the_published_example_is_signed_as_published() {
        let secrets = Secrets::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_faulty_secret_is_named_by_its_number_and_never_shown() {
        let good = format!("whsec_{}", STANDARD.encode([7; 32]));
        assert_eq!(Secrets::parse("  ").unwrap_err(), SecretError::None);
        assert_eq!(Secrets::parse(&format!("{good} abc")).unwrap_err(), SecretError::Prefix { number: 2 });
        assert_eq!(Secrets::parse("whsec_*").unwrap_err(), SecretError::Base64 { number: 1 });
        for bytes in [0, 23, 65] {
            let text = format!("{good} whsec_{}", STANDARD.encode(vec![7; bytes]));
            assert_eq!(Secrets::parse(&text).unwrap_err(), SecretError::Length { number: 2, bytes });
        }
        let secrets = Secrets::parse(&format!("{good}\n{good}")).unwrap();
        assert_eq!(format!("{secrets:?}"), "Secrets(2 hidden)");
    }
}
