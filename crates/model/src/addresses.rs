//! Words that others chose, and that may hold a recipient's address.

/// The words, but those that may be an address: for an error that is shown or logged.
pub fn without_addresses(words: &str) -> String {
    let hidden = |word| if str::contains(word, '@') { "<address>" } else { word };
    words.split(' ').map(hidden).collect::<Vec<_>>().join(" ")
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
}
