//! Finds addresses in a text, in whatever case of letters, and puts something in their place.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::str::CharIndices;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::pseudonym::folded;

/// Stands for a text that can't be searched, and so could hide an address: one that is no Unicode, for example.
pub(crate) const UNREADABLE: &str = "[unreadable]";

/// One way of writing an address.
pub(crate) struct Spelling {
    /// In lower case.
    pub(crate) letters: String,
    /// What they end in.
    pub(crate) domain: String,
    pub(crate) stand_in: String,
}

/// Looks for all spellings at once, in a time that grows with the text alone.
pub(crate) struct Search {
    spellings: Vec<Spelling>,
    /// What they end in, each once.
    domains: BTreeSet<String>,
    /// Made where it is needed: most texts can be told at a glance to hold none.
    automaton: OnceCell<Option<AhoCorasick>>,
}

impl Search {
    pub(crate) fn new(spellings: Vec<Spelling>) -> Self {
        let domains = spellings.iter().map(|spelling| spelling.domain.clone()).collect();
        Self { spellings, domains, automaton: OnceCell::new() }
    }

    /// Whether it looks for nothing.
    pub(crate) const fn is_empty(&self) -> bool {
        self.spellings.is_empty()
    }

    /// `text` with each spelling in it replaced, in any case of letters; `None` where there is none. A text that can't be
    /// searched is not kept.
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
            // The kind that is made quickest: it serves one event.
            let kind = Some(AhoCorasickKind::NoncontiguousNFA);
            AhoCorasick::builder().kind(kind).match_kind(MatchKind::LeftmostFirst).build(all).ok()
        });
        let Some(automaton) = automaton else { return Some(UNREADABLE.to_owned()) };
        let mut letters = Letters::new(text);
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

/// Maps places in the lower case of a text back to the text; to be asked in ascending order.
struct Letters<'t> {
    letters: CharIndices<'t>,
    /// Where in the text the letter that was looked at last begins and ends.
    here: Range<usize>,
    /// Where in the lower case it ends.
    lower_end: usize,
}

impl<'t> Letters<'t> {
    fn new(text: &'t str) -> Self {
        Self { letters: text.char_indices(), here: 0..0, lower_end: 0 }
    }

    /// Where the letter begins of which the lower case has a byte at `lower`.
    fn start_of(&mut self, lower: usize) -> usize {
        self.go_on_until(|lower_end| lower_end > lower);
        self.here.start
    }

    /// Where the letter ends of which the lower case has its last byte before `lower`.
    fn end_of(&mut self, lower: usize) -> usize {
        self.go_on_until(|lower_end| lower_end >= lower);
        self.here.end
    }

    fn go_on_until(&mut self, is_there: impl Fn(usize) -> bool) {
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
        Search::new(spellings.iter().map(spelling).collect()).replaced(text)
    }

    #[test]
    fn the_first_that_begins_is_found_and_of_those_the_first_that_was_named() {
        let spellings = [("jo@x.de", "1"), ("bo.jo@x.de", "2"), ("jo@x.de.at", "3")];
        let found = replaced("<Jo@X.de>, bo.JO@x.de; jo@x.de.at; xjo@x.dex", &spellings);
        assert_eq!(found.as_deref(), Some("<1>, 2; 1.at; x1x"));
        assert_eq!(replaced("bo@x.de, jo@y.de", &spellings), None);
    }

    #[test]
    fn letters_whose_lower_case_is_longer_or_shorter_are_told_apart_from_what_stands_beside_them() {
        // U+0130 has three bytes in lower case and two in upper, U+212A one and three.
        let found = replaced("\u{130}\u{130}: \u{212a}o@X.de \u{130}: ko@x.de\u{130}", &[("ko@x.de", "…")]);
        assert_eq!(found.as_deref(), Some("\u{130}\u{130}: … \u{130}: …\u{130}"));
    }
}
