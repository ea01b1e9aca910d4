//! Browsers' sessions: a signed cookie, and what forms have to carry.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::tokens::{Token, TokenError};
use super::{Caller, Credential};

/// The cookie's name.
const COOKIE: &str = "weir_session";
/// How long a session lasts.
pub(super) const LASTS: Duration = Duration::from_secs(12 * 60 * 60);

/// Begins, knows and ends sessions. Its key is this process's own: a restart ends all sessions.
pub(super) struct Sessions {
    key: hmac::Key,
    began: Instant,
    /// Sessions that were ended before their time, and when that is, in seconds since `began`.
    ended: Mutex<HashMap<String, u64>>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

/// What tells one session from another, in front of its signature.
type Nonce = [u8; 16];

impl Sessions {
    pub(super) fn new() -> Result<Self, TokenError> {
        let mut random = [0; 32];
        rand::fill(&mut random).map_err(|_| TokenError::NoRandomness)?;
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &random), began: Instant::now(), ended: Mutex::default() })
    }

    /// The value of a new session's cookie.
    pub(super) fn begin(&self, token: &Token) -> Result<String, TokenError> {
        let mut nonce: Nonce = [0; 16];
        rand::fill(&mut nonce).map_err(|_| TokenError::NoRandomness)?;
        let ends = (self.began.elapsed() + LASTS).as_secs();
        let text = format!("{}.{ends}.{}", URL_SAFE_NO_PAD.encode(nonce), URL_SAFE_NO_PAD.encode(&token.name));
        Ok(format!("{text}.{}", self.sign("session", &text)))
    }

    /// Whose session a request is of, and what its forms have to carry; `None` where it has none, or one that is over. What the
    /// holder may do is asked of the tokens again.
    pub(super) fn caller(&self, headers: &HeaderMap, tokens: &[Token]) -> Option<(Caller, String)> {
        let (text, name, _) = self.session(headers)?;
        let token = tokens.iter().find(|token| token.name == name)?;
        let caller = Caller { name, role: token.role, credential: Credential::Session };
        Some((caller, self.sign("form", text)))
    }

    /// Ends the session that a request shows, for copies of its cookie too.
    pub(super) fn end(&self, headers: &HeaderMap) {
        let Some((text, _, ends)) = self.session(headers) else { return };
        let now = self.began.elapsed().as_secs();
        let mut ended = self.lock();
        ended.retain(|_, ends| *ends > now);
        ended.insert(text.to_owned(), ends);
    }

    /// The session that a request shows: its text, whose it is, and when it ends; `None` where it shows none, or one that is over.
    fn session<'h>(&self, headers: &'h HeaderMap) -> Option<(&'h str, String, u64)> {
        let (text, signature) = cookie(headers)?.rsplit_once('.')?;
        if !self.is_signed("session", text, signature) {
            return None;
        }
        let mut parts = text.split('.').skip(1);
        let ends: u64 = parts.next()?.parse().ok()?;
        let name = String::from_utf8(URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok()?;
        let is_over = self.began.elapsed().as_secs() >= ends || self.lock().contains_key(text);
        (!is_over).then_some((text, name, ends))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        // Each entry is put in whole: what a panic leaves behind is sound.
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What forms have to carry where no session tells callers apart.
    pub(super) fn form_of(&self, caller: &Caller) -> String {
        self.sign("form", &format!("{:?} {}", caller.credential, caller.name))
    }

    fn sign(&self, what: &str, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, format!("{what}\0{text}").as_bytes()))
    }

    fn is_signed(&self, what: &str, text: &str, signature: &str) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        hmac::verify(&self.key, format!("{what}\0{text}").as_bytes(), &signature).is_ok()
    }
}

/// The header that gives a browser its session.
pub(super) fn set_cookie(value: &str, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{secure}", LASTS.as_secs())
}

/// The header that takes it away.
pub(super) fn clear_cookie() -> String {
    format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// The session that a request shows, be it a good one or not; `None` where it shows none.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = cookies.flat_map(|value| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::super::{Role, tokens};
    use super::*;

    fn token(name: &str, role: Role) -> Token {
        Token::new(name, role, &tokens::new_token().unwrap().1).unwrap()
    }

    fn shown(value: &str) -> HeaderMap {
        let cookie = HeaderValue::from_str(&format!("theme=dark; {COOKIE}={value}")).unwrap();
        [(header::COOKIE, cookie)].into_iter().collect()
    }

    #[test]
    fn a_session_is_its_holders_for_as_long_as_the_token_is_there_and_its_forms_are_its_own() {
        let sessions = Sessions::new().unwrap();
        let tokens = [token("ana", Role::Operator), token("bob", Role::Viewer)];
        let value = sessions.begin(&tokens[0]).unwrap();
        let (caller, form) = sessions.caller(&shown(&value), &tokens).unwrap();
        assert_eq!(
            (caller.name.as_str(), caller.role, caller.credential),
            ("ana", Role::Operator, Credential::Session)
        );
        let (_, other) = sessions.caller(&shown(&sessions.begin(&tokens[0]).unwrap()), &tokens).unwrap();
        assert_ne!(form, other, "each session has its own");
        assert!(sessions.caller(&shown(&value), &tokens[1..]).is_none());
    }

    #[test]
    fn a_session_that_was_ended_is_over_for_copies_of_its_cookie_and_for_no_other() {
        let sessions = Sessions::new().unwrap();
        let tokens = [token("ana", Role::Operator)];
        let [value, other] = [0, 1].map(|_| sessions.begin(&tokens[0]).unwrap());
        sessions.end(&shown(&value));
        assert!(sessions.caller(&shown(&value), &tokens).is_none());
        assert!(sessions.caller(&shown(&other), &tokens).is_some());
        sessions.end(&shown("forged.9.YW5h.x"));
        assert_eq!(sessions.lock().len(), 1, "only what was a session is remembered");
    }

    #[test]
    fn what_was_not_signed_here_or_is_over_is_no_session() {
        let mut sessions = Sessions::new().unwrap();
        let tokens = [token("ana", Role::Operator), token("bob", Role::Approver)];
        let value = sessions.begin(&tokens[0]).unwrap();
        let forged = value.replace(&URL_SAFE_NO_PAD.encode("ana"), &URL_SAFE_NO_PAD.encode("bob"));
        assert_ne!(forged, value);
        assert!(sessions.caller(&shown(&forged), &tokens).is_none());
        assert!(Sessions::new().unwrap().caller(&shown(&value), &tokens).is_none(), "another process's");
        assert!(sessions.caller(&HeaderMap::new(), &tokens).is_none());
        sessions.began = sessions.began.checked_sub(LASTS).unwrap();
        assert!(sessions.caller(&shown(&value), &tokens).is_none());
    }
}
