//! Finds addresses in a text, ignoring case, and replaces them.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::str::CharIndices;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::pseudonym::folded;

/// Replaces a text that cannot be searched, for example because it is not Unicode: it could hide an address.
pub(crate) const UNREADABLE: &str = "[unreadable]";

/// One way of writing an address.
pub(crate) struct Spelling {
    /// In lower case.
    pub(crate) letters: String,
    /// The part behind the `@`.
    pub(crate) domain: String,
    /// The replacement.
    pub(crate) stand_in: String,
}

/// Searches for all spellings at once, in time linear in the length of the text.
pub(crate) struct AddressMatcher {
    spellings: Vec<Spelling>,
    /// The spellings' domains, each once.
    domains: BTreeSet<String>,
    /// Built on first use: most texts contain none of the domains.
    automaton: OnceCell<Option<AhoCorasick>>,
}

impl AddressMatcher {
    pub(crate) fn new(spellings: Vec<Spelling>) -> Self {
        let domains = spellings.iter().map(|spelling| spelling.domain.clone()).collect();
        Self { spellings, domains, automaton: OnceCell::new() }
    }

    /// Whether there are no spellings to search for.
    pub(crate) const fn is_empty(&self) -> bool {
        self.spellings.is_empty()
    }

    /// Returns `text` with each spelling replaced, or `None` if it contains none. Returns [`UNREADABLE`] if the text cannot be
    /// searched.
    pub(crate) fn replaced(&self, text: &str) -> Option<String> {
        if !text.contains(['@', '%', '=']) {
            return None;
        }
        let lower = folded(text);
        if !self.domains.iter().any(|domain| lower.contains(domain)) {
            return None;
        }
        let automaton = self.automaton.get_or_init(|| {
            let all = self.spellings.iter().map(|spelling| &spelling.letters);
            // It serves one event, so the kind that is built fastest.
            let kind = Some(AhoCorasickKind::NoncontiguousNFA);
            AhoCorasick::builder().kind(kind).match_kind(MatchKind::LeftmostFirst).build(all).ok()
        });
        let Some(automaton) = automaton else { return Some(UNREADABLE.to_owned()) };
        let mut letters = OffsetMap::new(text);
        let mut out = String::new();
        let mut done = 0;
        for found in automaton.find_iter(&lower) {
            let (start, end) = (letters.start_of(found.start()), letters.end_of(found.end()));
            out.push_str(text.get(done..start).unwrap_or_default());
            out.push_str(self.spellings.get(found.pattern().as_usize()).map_or("", |spelling| &spelling.stand_in));
            done = end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        (done > 0).then_some(out)
    }
}

/// Maps offsets in the lowercased text back to the original text. Query in ascending order.
struct OffsetMap<'t> {
    letters: CharIndices<'t>,
    /// The range of the last visited letter in the original text.
    here: Range<usize>,
    /// Where that letter ends in the lowercased text.
    lower_end: usize,
}

impl<'t> OffsetMap<'t> {
    fn new(text: &'t str) -> Self {
        Self { letters: text.char_indices(), here: 0..0, lower_end: 0 }
    }

    /// The start of the original letter whose lower case covers the byte at `lower`.
    fn start_of(&mut self, lower: usize) -> usize {
        self.advance_until(|lower_end| lower_end > lower);
        self.here.start
    }

    /// The end of the original letter whose lower case ends at `lower` or later.
    fn end_of(&mut self, lower: usize) -> usize {
        self.advance_until(|lower_end| lower_end >= lower);
        self.here.end
    }

    fn advance_until(&mut self, is_there: impl Fn(usize) -> bool) {
        while !is_there(self.lower_end) {
            let Some((start, letter)) = self.letters.next() else { return };
            self.here = start..start + letter.len_utf8();
            self.lower_end += letter.to_lowercase().map(char::len_utf8).sum::<usize>();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str, spellings: &[(&str, &str)]) -> Option<String> {
        let spelling = |(letters, stand_in): &(&str, &str)| Spelling {
            letters: (*letters).to_owned(),
            domain: letters.rsplit_once('@').unwrap().1.to_owned(),
            stand_in: (*stand_in).to_owned(),
        };
        AddressMatcher::new(spellings.iter().map(spelling).collect()).replaced(text)
    }

    #[test]
    fn the_leftmost_match_wins_and_then_the_first_spelling() {
        let spellings = [("jo@x.de", "1"), ("bo.jo@x.de", "2"), ("jo@x.de.at", "3")];
        let found = replaced("<Jo@X.de>, bo.JO@x.de; jo@x.de.at; xjo@x.dex", &spellings);
        assert_eq!(found.as_deref(), Some("<1>, 2; 1.at; x1x"));
        assert_eq!(replaced("bo@x.de, jo@y.de", &spellings), None);
    }

    #[test]
    fn offsets_are_mapped_where_the_lower_case_has_another_length() {
        // U+0130 has three bytes in lower case and two in upper, U+212A one and three.
        let found = replaced("\u{130}\u{130}: \u{212a}o@X.de \u{130}: ko@x.de\u{130}", &[("ko@x.de", "…")]);
        assert_eq!(found.as_deref(), Some("\u{130}\u{130}: … \u{130}: …\u{130}"));
    }
}
