//! Recipients' addresses replaced before anything is stored.
//!
//! An address becomes `HMAC-SHA256(key, address in lower case)` in hexadecimal, at its own domain, so that the mailbox
//! provider can still be told and equal recipients stay equal. It is replaced in `email` and wherever else the very same
//! address stands in the event, for example in a server's answer.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// The secret key of the pseudonyms. Never shown.
#[derive(Clone)]
pub struct PseudonymKey(Hmac<Sha256>);

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(***)")
    }
}

impl PseudonymKey {
    /// A key of at least 16 bytes; `None` for a shorter one, which could be guessed.
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.len() < 16 {
            return None;
        }
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    /// What stands for `address`.
    pub(crate) fn pseudonym(&self, address: &str) -> String {
        let address = address.trim().to_lowercase();
        let mut mac = self.0.clone();
        mac.update(address.as_bytes());
        let name = hex(&mac.finalize().into_bytes());
        match address.rsplit_once('@') {
            Some((_, domain)) => format!("{name}@{domain}"),
            None => name,
        }
    }

    /// The element with its recipient's address replaced; `None` where it is no JSON object.
    pub(crate) fn rewrite(&self, element: &[u8]) -> Option<Vec<u8>> {
        let Fields(fields) = serde_json::from_slice(element).ok()?;
        let addresses: Vec<String> = fields
            .iter()
            .filter(|(key, _)| key == "email")
            .filter_map(|(_, value)| serde_json::from_str::<String>(value.get()).ok())
            .collect();
        let mut rewritten = String::with_capacity(element.len() + 64);
        for (i, (key, value)) in fields.iter().enumerate() {
            rewritten.push(if i == 0 { '{' } else { ',' });
            rewritten.push_str(&serde_json::to_string(key).ok()?);
            rewritten.push(':');
            rewritten.push_str(&self.rewrite_value(value, &addresses)?);
        }
        rewritten.push_str(if fields.is_empty() { "{}" } else { "}" });
        Some(rewritten.into_bytes())
    }

    /// What is kept of an element that is no JSON object: nothing that could hold an address.
    pub(crate) fn digest_of(element: &[u8]) -> Vec<u8> {
        let digest = hex(&Sha256::digest(element));
        format!("{{\"sha256\":\"{digest}\",\"bytes\":{}}}", element.len()).into_bytes()
    }

    fn rewrite_value(&self, value: &RawValue, addresses: &[String]) -> Option<String> {
        let raw = value.get();
        let parsed: serde_json::Value = match raw.as_bytes().first() {
            Some(b'"' | b'{' | b'[') => serde_json::from_str(raw).ok()?,
            _ => return Some(raw.to_owned()),
        };
        let replaced = self.replace_all(parsed.clone(), addresses);
        if replaced == parsed { Some(raw.to_owned()) } else { serde_json::to_string(&replaced).ok() }
    }

    fn replace_all(&self, value: serde_json::Value, addresses: &[String]) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::String(text) => {
                Value::String(addresses.iter().fold(text, |text, address| self.replace(text, address)))
            }
            Value::Array(items) => Value::Array(items.into_iter().map(|v| self.replace_all(v, addresses)).collect()),
            Value::Object(map) => {
                Value::Object(map.into_iter().map(|(k, v)| (k, self.replace_all(v, addresses))).collect())
            }
            other => other,
        }
    }

    /// Replaces `address` in any case of letters.
    fn replace(&self, text: String, address: &str) -> String {
        let address = address.trim();
        let (lower, wanted) = (text.to_ascii_lowercase(), address.to_ascii_lowercase());
        if wanted.is_empty() || !lower.contains(&wanted) {
            return text;
        }
        let pseudonym = self.pseudonym(address);
        let mut replaced = String::with_capacity(text.len() + pseudonym.len());
        let mut rest = 0;
        for (at, found) in lower.match_indices(&wanted) {
            // Lower-casing ASCII moves no byte, so places in one text are places in the other.
            replaced.push_str(text.get(rest..at).unwrap_or_default());
            replaced.push_str(&pseudonym);
            rest = at + found.len();
        }
        replaced.push_str(text.get(rest..).unwrap_or_default());
        replaced
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // Writing to a string can't fail.
        let _unfailing = write!(hex, "{byte:02x}");
        hex
    })
}

/// An object's fields in their order, duplicates included.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Fields<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> serde::de::Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry::<String, &'de RawValue>()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PseudonymKey {
        PseudonymKey::new(b"a secret of some length").unwrap()
    }

    #[test]
    fn an_address_is_replaced_wherever_it_stands_and_keeps_its_domain() {
        let element = br#"{"email":"Jo@Example.org","reason":"550 <jo@example.org> unknown","pool":{"id":1},"n":{"to":["JO@example.org"]}}"#;
        let rewritten = String::from_utf8(key().rewrite(element).unwrap()).unwrap();
        assert!(!rewritten.to_lowercase().contains("jo@example.org"), "{rewritten}");
        let pseudonym = key().pseudonym("jo@example.org");
        assert!(pseudonym.ends_with("@example.org") && rewritten.matches(&pseudonym).count() == 3, "{rewritten}");
        assert!(rewritten.contains(r#""pool":{"id":1}"#));
    }

    #[test]
    fn an_escaped_address_is_replaced_too() {
        let rewritten = key().rewrite(br#"{"email":"jo\u0040example.org","email":"Bo@x.de"}"#).unwrap();
        let text = String::from_utf8(rewritten).unwrap();
        assert!(
            text.contains(&key().pseudonym("jo@example.org")) && text.contains(&key().pseudonym("bo@x.de")),
            "{text}"
        );
    }

    #[test]
    fn equal_recipients_stay_equal_and_a_short_key_is_refused() {
        assert_eq!(key().pseudonym(" JO@example.org "), key().pseudonym("jo@example.org"));
        assert!(PseudonymKey::new(b"short").is_none());
    }
}
