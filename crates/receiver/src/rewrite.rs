//! Recipients' addresses replaced in the text of an element, before it is stored.
//!
//! Every string under `email` is replaced, in each copy of that key, and then the same addresses wherever else they stand
//! in a string or a key of the element: in any case of letters, escaped or not, and in the spellings that links and bounce
//! addresses use (`jo%40example.org`, `jo=example.org`). Everything else keeps its bytes. Other people's addresses, for
//! example the sender's, are not touched, and neither is the customer's name, even where it is an address.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use sendgrid::webhook::readable;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::address_matcher::{AddressMatcher, Spelling, UNREADABLE};
use crate::pseudonym::{PseudonymKey, folded};

/// Different addresses under the `email` keys of one element; SendGrid sends one. Each is searched for in all of its text.
const MOST_ADDRESSES: usize = 16;
/// The longest address there is (RFC 5321: 64 of a name, `@`, 255 of a domain). What is longer is replaced, but not
/// searched for elsewhere: no mailbox has such a name, and the automaton would become large.
const LONGEST_ADDRESS: usize = 320;
/// The longest string that is searched for addresses, in bytes. A longer one is replaced whole; links and servers' replies have a
/// few thousand bytes at most.
const LONGEST_STRING: usize = 64 << 10;
/// How much longer rewriting may make an element, as a factor; up to [`LEAST_ROOM`] bytes are always allowed. An event names its
/// recipient a few times, and a pseudonym has 64 letters.
const MOST_GROWTH: usize = 3;
const LEAST_ROOM: usize = 16 << 10;
/// Replaces a string that is longer than [`LONGEST_STRING`].
const TOO_LONG: &str = "[too long]";

impl PseudonymKey {
    /// An event with its recipient's address replaced. One without a recipient stays as it is.
    ///
    /// `None` if it is not a JSON object, names too many recipients, or would grow too much. A string whose bytes are no text is not kept: nobody
    /// can say whether an address stands in it.
    pub fn rewrite_event(&self, element: &[u8]) -> Option<Vec<u8>> {
        let text = readable(element);
        let rewritten = self.rewrite(&text, &Recipients::find(&text)?).into_bytes();
        (rewritten.len() <= LEAST_ROOM.max(MOST_GROWTH * element.len())).then_some(rewritten)
    }

    /// What is kept of an element that makes no sense: itself where its recipient can be told and replaced, otherwise
    /// only its length and a keyed digest, since nobody can say where in it an address stands.
    pub(crate) fn rewrite_reject(&self, element: &[u8]) -> Vec<u8> {
        let text = std::str::from_utf8(element).ok();
        let names_somebody = |text: &&str| Recipients::find(text).is_some_and(|found| !found.addresses.is_empty());
        let rewritten = text.filter(names_somebody).and_then(|text| self.rewrite_event(text.as_bytes()));
        match rewritten {
            Some(rewritten) => rewritten,
            None => {
                format!("{{\"hmac_sha256\":\"{}\",\"bytes\":{}}}", self.digest(element), element.len()).into_bytes()
            }
        }
    }

    fn rewrite(&self, text: &str, recipients: &Recipients) -> String {
        let spellings: Vec<Spelling> =
            recipients.addresses.iter().flat_map(|address| self.spellings(address)).collect();
        let matcher = AddressMatcher::new(spellings);
        let elsewhere = |string: &str| {
            if string.contains(char::REPLACEMENT_CHARACTER) {
                return Some(UNREADABLE.to_owned());
            }
            if string.len() > LONGEST_STRING && !matcher.is_empty() {
                return Some(TOO_LONG.to_owned());
            }
            matcher.replaced(string)
        };
        let mut rewritten = String::with_capacity(text.len() + 64);
        let mut done = 0;
        for span in &recipients.spans {
            rewritten.push_str(&with_strings(text.get(done..span.start).unwrap_or_default(), elsewhere));
            let value = text.get(span.clone()).unwrap_or_default();
            rewritten.push_str(&with_strings(value, |address| Some(self.pseudonym(address))));
            done = span.end;
        }
        rewritten.push_str(&with_strings(text.get(done..).unwrap_or_default(), elsewhere));
        rewritten
    }

    /// The ways in which `address` is written, each with what stands for it.
    fn spellings(&self, address: &str) -> Vec<Spelling> {
        let address = folded(address.trim());
        let Some((local, domain)) = address.rsplit_once('@') else { return Vec::new() };
        if local.is_empty() || domain.is_empty() || address.len() > LONGEST_ADDRESS {
            return Vec::new();
        }
        let name = self.name_of(&address);
        let encoded = percent_encoded(local);
        let locals = if encoded == local { vec![local] } else { vec![local, &encoded] };
        let spell = |local: &str, at: &str| Spelling {
            letters: format!("{local}{at}{domain}"),
            domain: domain.to_owned(),
            stand_in: format!("{name}{at}{domain}"),
        };
        locals.into_iter().flat_map(|local| ["@", "%40", "="].map(|at| spell(local, at))).collect()
    }
}

/// Whom an element says it was sent to.
struct Recipients {
    /// Where the values of its `email` keys stand, ascending.
    spans: Vec<Range<usize>>,
    /// The strings in them.
    addresses: Vec<String>,
}

impl Recipients {
    /// `None` where `text` is no JSON object or names more than [`MOST_ADDRESSES`].
    fn find(text: &str) -> Option<Self> {
        let Emails(values) = serde_json::from_str(text).ok()?;
        let mut recipients = Self { spans: Vec::new(), addresses: Vec::new() };
        for value in values {
            // The value is a slice of the text.
            let start = value.get().as_ptr().addr().checked_sub(text.as_ptr().addr())?;
            recipients.spans.push(start..start + value.get().len());
            with_strings(value.get(), |address| {
                let is_full = recipients.addresses.len() > MOST_ADDRESSES;
                if !is_full && !recipients.addresses.iter().any(|known| known == address) {
                    recipients.addresses.push(address.to_owned());
                }
                None
            });
            if recipients.addresses.len() > MOST_ADDRESSES {
                return None;
            }
        }
        Some(recipients)
    }
}

/// JSON `text` with each string in it put through `replace`; those for which it says `None` keep their bytes.
fn with_strings(text: &str, mut replace: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, token, after)) = next_string(rest) {
        out.push_str(before);
        match unescaped(token) {
            None => out.push_str(&serde_json::Value::from(UNREADABLE).to_string()),
            Some(string) => match replace(&string) {
                None => out.push_str(token),
                Some(new) => out.push_str(&serde_json::Value::String(new).to_string()),
            },
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The characters of a string with its quotes; `None` where they are no Unicode.
fn unescaped(token: &str) -> Option<Cow<'_, str>> {
    if token.contains('\\') {
        return serde_json::from_str(token).ok().map(Cow::Owned);
    }
    token.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed)
}

/// What stands before the first string of JSON `text`, the string with its quotes, and the rest.
fn next_string(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find('"')?;
    let mut is_escaped = false;
    let length = text.get(start + 1..)?.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })?;
    let end = start + 1 + length + 1;
    Some((text.get(..start)?, text.get(start..end)?, text.get(end..)?))
}

/// As in a link, in lower case.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02x}"),
    };
    text.bytes().map(encode).collect()
}

/// The values of an object's `email` keys, in their order.
struct Emails<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Emails<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EmailsVisitor)
    }
}

struct EmailsVisitor;

impl<'de> Visitor<'de> for EmailsVisitor {
    type Value = Emails<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Emails<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
            if key == "email" {
                values.push(value);
            }
        }
        Ok(Emails(values))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn key() -> PseudonymKey {
        PseudonymKey::new(b"a secret of some length").unwrap()
    }

    fn rewritten(element: &str) -> String {
        String::from_utf8(key().rewrite_event(element.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn an_address_is_replaced_wherever_it_stands() {
        let text = rewritten(
            r#"{"email":"Jo@Example.org","reason":"550 <jo@example.org> unknown","pool":{"id":1},"n":{"to":["JO@example.org"]},"JO@EXAMPLE.ORG":1}"#,
        );
        assert!(!text.to_lowercase().contains("jo@example.org"), "{text}");
        assert_eq!(text.matches(&key().pseudonym("jo@example.org")).count(), 4, "{text}");
        assert!(text.contains(r#""pool":{"id":1}"#), "{text}");
    }

    #[test]
    fn links_and_bounce_addresses_are_rewritten_too() {
        let text = rewritten(
            r#"{"email":"jo+x@example.org","url":"https://a/?u=jo%2Bx%40example.org","response":"<b-jo+x=Example.org@em.acme.com>"}"#,
        );
        assert!(!text.contains("jo+x") && !text.to_lowercase().contains("jo%2bx"), "{text}");
        let name = key().name_of("jo+x@example.org");
        assert!(text.contains(&format!("?u={name}%40example.org")), "{text}");
        assert!(text.contains(&format!("<b-{name}=example.org@em.acme.com>")), "{text}");
    }

    #[test]
    fn every_copy_of_the_key_and_every_escape_is_seen_through() {
        let text = rewritten(
            r#"{"email":"jo\u0040example.org","em\u0061il":["Bo@x.de",7],"r":"bo\u0040x.de \"jo@EXAMPLE.org\""}"#,
        );
        for name in ["jo", "bo", "Bo"] {
            assert!(!text.contains(&format!("{name}@")) && !text.contains(&format!("{name}\\")), "{text}");
        }
        assert!(text.contains(",7],"), "{text}");
    }

    #[test]
    fn letters_beyond_ascii_are_told_in_either_case() {
        let text = rewritten(r#"{"email":"JÖΣ@example.org","r":"jöσ@example.org"}"#);
        assert!(!text.contains('ö') && !text.contains('Ö'), "{text}");
    }

    #[test]
    fn everything_else_keeps_its_bytes() {
        let bytes = r#"{ "event" : "open", "a":1.50, "a":1e400, "deep":[[[{"x":"\u00e9"}]]], "timestamp":1 }"#;
        assert_eq!(rewritten(bytes), bytes);
        let text = rewritten(&bytes.replace("\"a\":1.50", "\"email\":\"e\""));
        assert_eq!(text, bytes.replace("\"a\":1.50", &format!("\"email\":\"{}\"", key().pseudonym("e"))));
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!(r#"{{"email":"jo@x.de","d":{}"jo@x.de"{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert!(!rewritten(&deep).contains("jo@x.de"));
    }

    #[test]
    fn a_string_that_could_hide_an_address_is_not_kept() {
        let text = rewritten(r#"{"email":"jo@x.de","r":"\ud800 jo\u0040x.de"}"#);
        assert!(text.contains("\"[unreadable]\"") && !text.contains("ud800"), "{text}");
        let kept =
            key().rewrite_event(b"{\"email\":\"j\xf6@x.de\",\"r\":\"550 \xb7\xa2 j\xf6@x.de\",\"n\":1}").unwrap();
        let text = String::from_utf8(kept).unwrap();
        assert!(text.contains("\"r\":\"[unreadable]\",\"n\":1}"), "{text}");
        let address = text.split('"').nth(3).unwrap();
        assert!(address.ends_with("@x.de") && address.len() == 64 + "@x.de".len(), "{text}");
    }

    #[test]
    fn of_a_reject_without_a_known_recipient_only_a_digest_is_kept() {
        for reject in [&br#""jo@x.de""#[..], br#"{"mail":"jo@x.de"}"#, b"{\"email\":\"jo@x.de\"", b"\xff jo@x.de"] {
            let kept = String::from_utf8(key().rewrite_reject(reject)).unwrap();
            assert!(kept.starts_with("{\"hmac_sha256\":\"") && !kept.contains("jo"), "{kept}");
        }
        let kept = String::from_utf8(key().rewrite_reject(br#"{"email":"jo@x.de","n":1}"#)).unwrap();
        assert_eq!(kept, format!(r#"{{"email":"{}","n":1}}"#, key().pseudonym("jo@x.de")));
    }

    #[test]
    fn addresses_are_replaced_in_linear_time_and_overlong_strings_whole() {
        let addresses: Vec<String> = (0..15).map(|n| format!("\"aaaaaaaa{n}@x.de\"")).collect();
        let part = "aaaaaaaa@x.de=".repeat(4_000);
        let parts = format!("\"{part}\",").repeat(60);
        let emails = addresses.join(",");
        let began = Instant::now();
        let text =
            rewritten(&format!(r#"{{"email":[{emails}],"parts":[{parts}"aaaaaaaa7@X.de"],"url":"{part}{part}"}}"#));
        assert!(began.elapsed() < Duration::from_secs(20), "{:?} for {} bytes", began.elapsed(), text.len());
        assert!(text.contains("\"url\":\"[too long]\"") && text.contains(&part), "what is nobody's address is kept");
        assert!(text.contains(&key().pseudonym("aaaaaaaa7@x.de")) && !text.contains("7@X.de"));
        let recipients: Vec<String> = (0..400_000).map(|n| format!("\"{n}\"")).collect();
        assert_eq!(key().rewrite_event(format!(r#"{{"email":[{}]}}"#, recipients.join(",")).as_bytes()), None);
    }

    #[test]
    fn an_element_that_would_grow_much_is_not_rewritten() {
        let many = vec!["\"a@b.c\""; 10_000].join(",");
        assert_eq!(key().rewrite_event(format!(r#"{{"email":"a@b.c","to":[{many}]}}"#).as_bytes()), None);
        assert_eq!(key().rewrite_event(format!(r#"{{"email":[{many}]}}"#).as_bytes()), None);
    }

    #[test]
    fn an_event_of_too_many_recipients_is_not_rewritten() {
        let emails: Vec<String> = (0..=MOST_ADDRESSES).map(|n| format!("\"email\":\"{n}@x.de\"")).collect();
        assert_eq!(key().rewrite_event(format!("{{{}}}", emails.join(",")).as_bytes()), None);
    }
}
