//! Tokens: what a program, or a person who signs in, shows.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Role;

/// What every token begins with, so that those who look for secrets in the open know it.
const PREFIX: &str = "weir_";
/// Random bytes of a token: too many to be guessed, so that a plain digest guards it as well as a slow one would.
const RANDOM: usize = 32;

/// A token as the configuration knows it: not the token itself, but its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    pub(super) name: String,
    pub(super) role: Role,
    digest: [u8; 32],
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The digest can't be one.
    #[error("sha256 is not 64 hexadecimal digits: `weir token new` prints it")]
    NoDigest,
    /// The name can't be written down.
    #[error(
        "a token's name is 1 to 100 characters, none of them a control character: it is what the log calls its holder"
    )]
    NoName,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

impl Token {
    /// The token called `name` whose SHA-256 is `sha256`, in hexadecimal.
    ///
    /// # Errors
    ///
    /// [`TokenError`], where either is none.
    pub fn new(name: &str, role: Role, sha256: &str) -> Result<Self, TokenError> {
        if name.trim().is_empty() || name.chars().count() > 100 || name.contains(char::is_control) {
            return Err(TokenError::NoName);
        }
        Ok(Self { name: name.to_owned(), role, digest: read_hex(sha256).ok_or(TokenError::NoDigest)? })
    }

    /// The name that the log gives its holder.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A new token, and its digest in hexadecimal for the configuration. The token is nowhere else.
///
/// # Errors
///
/// [`TokenError::NoRandomness`].
pub fn new_token() -> Result<(String, String), TokenError> {
    let mut random = [0; RANDOM];
    rand::fill(&mut random).map_err(|_| TokenError::NoRandomness)?;
    let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let sha256 = digest(&SHA256, token.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((token, sha256))
}

/// The one of `tokens` that `shown` is. Takes as long whichever it is, and if it is none.
pub(super) fn find<'a>(tokens: &'a [Token], shown: &str) -> Option<&'a Token> {
    let shown = digest(&SHA256, shown.trim().as_bytes());
    let is_shown = |token: &&Token| verify_slices_are_equal(&token.digest, shown.as_ref()).is_ok();
    let mut found = None;
    for token in tokens.iter().filter(is_shown) {
        found = Some(token);
    }
    found
}

fn read_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = value(high)? << 4 | value(low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_is_found_by_its_digest_and_no_other_is() {
        let (secret, sha256) = new_token().unwrap();
        let (other, others) = new_token().unwrap();
        assert!(secret.starts_with(PREFIX) && secret.len() == 48 && secret != other);
        let tokens = [
            Token::new("ci", Role::Viewer, &others.to_uppercase()).unwrap(),
            Token::new("ana", Role::Approver, &sha256).unwrap(),
        ];
        assert_eq!(find(&tokens, &secret).map(Token::name), Some("ana"));
        assert_eq!(find(&tokens, &other).map(Token::name), Some("ci"));
        assert_eq!(find(&tokens, &sha256), None, "the digest is no token");
        assert_eq!(find(&tokens, ""), None);
        assert!(!format!("{tokens:?}").contains(&sha256));
    }

    #[test]
    fn what_is_no_digest_or_no_name_is_refused() {
        let (_, sha256) = new_token().unwrap();
        let short = sha256.get(1..).unwrap();
        for digest in ["", "abc", short, &format!("{short}g")] {
            assert_eq!(Token::new("ci", Role::Viewer, digest), Err(TokenError::NoDigest));
        }
        assert_eq!(Token::new(" ", Role::Viewer, &sha256), Err(TokenError::NoName));
        assert_eq!(Token::new("a\nb", Role::Viewer, &sha256), Err(TokenError::NoName));
    }
}
