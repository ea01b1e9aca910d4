//! Masks what differs between replies of one kind.

/// Replaces a word that differs between replies.
const ANY: &str = "…";
/// The most words of a template.
const WORDS: usize = 40;
/// The longest word that is kept, in bytes.
const LONGEST: usize = 40;

/// Masks numbers, addresses, host names and ids in `reply`, so that replies of one kind become the same text.
pub fn template(reply: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in reply.split_whitespace() {
        let word = if word.len() > LONGEST || is_specific(word) { ANY } else { word };
        if word == ANY && words.last() == Some(&ANY) {
            continue;
        }
        if words.len() == WORDS {
            break;
        }
        words.push(word);
    }
    words.join(" ")
}

/// Whether a word is specific to one reply: it contains a digit, an `@` or an inner full stop.
fn is_specific(word: &str) -> bool {
    let inner = word.trim_matches(|c: char| !c.is_alphanumeric());
    let is_code = inner.len() == 3 && inner.bytes().all(|byte| byte.is_ascii_digit());
    let is_status = crate::status::enhanced_status(inner) == Some(inner);
    !is_code && !is_status && (inner.contains('@') || inner.contains('.') || inner.bytes().any(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_one_kind_have_the_same_template() {
        let one = "550 5.9.9 <jo@example.org> refused by mx1.example.org at 12:30 (id 4bK1)";
        let other = "550 5.9.9 <ann@example.net> refused by mx7.example.net at 07:01 (id 77xZ)";
        assert_eq!(template(one), template(other));
        assert_eq!(template(one), "550 5.9.9 … refused by … at … (id …");
        assert_ne!(template(one), template("451 4.9.9 <jo@example.org> refused by mx1.example.org"));
    }

    #[test]
    fn a_long_reply_has_a_short_template() {
        assert!(template(&"refused ".repeat(100_000)).len() < 500);
    }
}
