//! What stands for a recipient's address.
//!
//! `HMAC-SHA256(key, address in lower case)` in hexadecimal at the address's own domain, so that the mailbox provider can
//! still be told, equal recipients stay equal, and nobody without the key can find out who it was or try guesses.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The secret key of the pseudonyms. Never shown.
#[derive(Clone)]
pub struct PseudonymKey(Hmac<Sha256>);

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(***)")
    }
}

impl PseudonymKey {
    /// The shortest key, in bytes: a shorter one could be found by trying.
    pub const MIN_BYTES: usize = 16;

    /// A key; `None` where it has fewer than [`PseudonymKey::MIN_BYTES`].
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.len() < Self::MIN_BYTES {
            return None;
        }
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    /// The part of the pseudonym before the `@`: one for every way of writing `address` in large and small letters.
    pub(crate) fn name_of(&self, address: &str) -> String {
        self.digest(folded(address.trim()).as_bytes())
    }

    /// The whole pseudonym: at the domain of `address`, or bare where it has none.
    pub(crate) fn pseudonym(&self, address: &str) -> String {
        let name = self.name_of(address);
        match folded(address.trim()).rsplit_once('@') {
            Some((_, domain)) => format!("{name}@{domain}"),
            None => name,
        }
    }

    /// Stands for `bytes`, so that copies can be told but their content can't.
    pub(crate) fn digest(&self, bytes: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(bytes);
        hex(&mac.finalize().into_bytes())
    }
}

/// `text` in lower case, letter by letter, so that a letter becomes the same wherever it stands (a Greek sigma too).
pub(crate) fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_recipients_stay_equal_and_keep_their_domain() {
        let key = PseudonymKey::new(b"a secret of some length").unwrap();
        assert_eq!(key.pseudonym(" JO@Example.org "), key.pseudonym("jo@example.org"));
        assert_ne!(key.pseudonym("jo@example.org"), key.pseudonym("bo@example.org"));
        assert!(key.pseudonym("jo@example.org").ends_with("@example.org"));
        assert!(!key.pseudonym("nobody").contains("nobody"));
    }

    #[test]
    fn the_name_is_the_documented_hmac() {
        // printf 'jo@example.org' | openssl dgst -sha256 -hmac 'a secret of some length'
        let key = PseudonymKey::new(b"a secret of some length").unwrap();
        assert_eq!(key.name_of("Jo@Example.org"), "a00d319ebd178d71898cb6bd5dace248517fab6c83eec3fb064e704f54edc878");
    }

    #[test]
    fn a_key_that_could_be_guessed_is_refused_and_none_is_shown() {
        assert!(PseudonymKey::new(b"short").is_none());
        assert_eq!(format!("{:?}", PseudonymKey::new(&[7; 32]).unwrap()), "PseudonymKey(***)");
    }
}
