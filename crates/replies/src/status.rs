//! Finds status and reply codes in a text.

/// Returns the first enhanced status code (RFC 3463) in a text.
pub fn enhanced_status(text: &str) -> Option<&str> {
    words(text).find(|word| {
        let mut parts = word.split('.');
        let is_class = matches!(parts.next(), Some("4" | "5"));
        let mut numbers = 0;
        let are_numbers = parts.all(|part| {
            numbers += 1;
            (1..=3).contains(&part.len())
        });
        is_class && are_numbers && numbers == 2
    })
}

/// Returns the first SMTP reply code (RFC 5321) from 400 to 599 in a text.
pub(crate) fn code(text: &str) -> Option<&str> {
    let is_code =
        |word: &&str| word.len() == 3 && word.starts_with(['4', '5']) && word.bytes().all(|byte| byte.is_ascii_digit());
    text.split([' ', '-', ':', '(', ')', '\'', '[', ']', '<']).find(is_code)
}

/// Splits a text into runs of digits and full stops.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.').map(|word| word.trim_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_separate_word_of_three_digits() {
        assert_eq!(code("host mx said: 450 4.2.0 later"), Some("450"));
        assert_eq!(code("550-5.1.1 nobody"), Some("550"));
        for none in ["250 ok", "5505 x", "192.0.2.1 45", "(#4.4.3)", ""] {
            assert_eq!(code(none), None, "{none}");
        }
    }

    #[test]
    fn an_ip_address_is_not_a_status() {
        assert_eq!(enhanced_status("550 5.1.1 <a@b.example>"), Some("5.1.1"));
        assert_eq!(enhanced_status("no mailbox (#5.1.10)."), Some("5.1.10"));
        assert_eq!(enhanced_status("host 5.1.1.9 said: 451 4.7.650 rate limited"), Some("4.7.650"));
        for none in ["550 refused", "2.0.0 ok", "5.1", "5.1.1234", "192.0.2.1", ""] {
            assert_eq!(enhanced_status(none), None, "{none}");
        }
    }
}
