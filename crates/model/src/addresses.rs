//! Words that others chose, and that may hold a recipient's address.

/// The words, but those that may be an address: for an error that is shown or logged.
pub fn without_addresses(words: &str) -> String {
    let hidden = |word| if str::contains(word, '@') { "<address>" } else { word };
    words.split(' ').map(hidden).collect::<Vec<_>>().join(" ")
}

/// The address alone, where a recipient is written as in a header: `Jo <c@example.com>`, `c@example.com (Jo)`,
/// `<c@example.com>`, or with a blank, a dot or a comma at its end.
pub fn bare_address(written: &str) -> &str {
    let bracketed = written.rsplit_once('<').map(|(_, behind)| behind.split('>').next().unwrap_or(behind));
    let address = bracketed.filter(|inside| inside.contains('@')).unwrap_or(written).trim();
    let domain = address.rfind('@').map_or(0, |at| at + 1);
    let end =
        address.get(domain..).and_then(|domain| domain.find(|c: char| c.is_whitespace() || "(>,;\"'".contains(c)));
    let address = end.and_then(|end| address.get(..domain + end)).unwrap_or(address);
    address.trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_may_be_an_address_are_hidden() {
        assert_eq!(without_addresses("no mail to ann@example.com, ever"), "no mail to <address> ever");
        assert_eq!(
            without_addresses("unknown variant `ann@example.com`, expected"),
            "unknown variant <address> expected"
        );
        assert_eq!(without_addresses(" two  spaces "), " two  spaces ");
    }

    #[test]
    fn an_address_is_found_in_what_is_written_around_it() {
        for written in [
            "c@gmail.com",
            "<c@gmail.com>",
            "Jo <c@gmail.com>",
            "\"Jo @ work\" <c@gmail.com> (work)",
            "c@gmail.com (Jo)",
            " c@gmail.com ",
            "c@gmail.com.",
            "c@gmail.com,",
            "<c@gmail.com",
        ] {
            assert_eq!(bare_address(written), "c@gmail.com", "{written}");
        }
        assert_eq!(bare_address("\"<a>\"@gmail.com"), "\"<a>\"@gmail.com", "a quoted local part");
        for none in ["", " ", "@", "<", "<>", "no address", "\u{e9}@\u{e9}."] {
            assert!(none.contains(bare_address(none)), "{none}");
        }
    }
}
