//! The token that says who asks. It is shown nowhere, and never stands on a command line.

use std::path::Path;

use anyhow::{Context, ensure};
use reqwest::header::HeaderValue;

/// The variable that holds one.
const VARIABLE: &str = "WEIR_TOKEN";

/// A bearer token, ready to be sent.
pub(super) struct Token(HeaderValue);

impl Token {
    /// The environment's, if it has one.
    pub(super) fn of_environment() -> anyhow::Result<Option<Self>> {
        match std::env::var_os(VARIABLE).filter(|token| !token.is_empty()) {
            Some(token) => {
                let token = token.to_str().with_context(|| format!("{VARIABLE} holds no text"))?;
                Self::of(token).with_context(|| format!("{VARIABLE} holds no token")).map(Some)
            }
            None => Ok(None),
        }
    }

    /// The one in a file, alone.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let told = || format!("the token file {}", file.display());
        let text = std::fs::read_to_string(file).with_context(|| format!("{} can't be read", told()))?;
        Self::of(&text).with_context(|| format!("{} holds no token", told()))
    }

    fn of(text: &str) -> anyhow::Result<Self> {
        let text = text.trim();
        let is_sound = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        ensure!(is_sound, "a token is one word of visible ASCII characters");
        let mut header = HeaderValue::from_str(&format!("Bearer {text}"))?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    pub(super) fn header(self) -> HeaderValue {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_is_not_shown() {
        let header = Token::of(" abc.DEF_123=\n").unwrap().header();
        assert_eq!(header.to_str().unwrap(), "Bearer abc.DEF_123=");
        assert_eq!(format!("{header:?}"), "Sensitive");
        for text in ["", " \n", "two words", "line\nbreak", "smörgås"] {
            let refused = Token::of(text).err().unwrap().to_string();
            assert!(text.trim().is_empty() || !refused.contains(text), "{refused}");
        }
    }
}
