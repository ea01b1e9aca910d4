//! Customers found by a part of their name.

use std::ops::Range;

use memchr::memmem::Finder;
use model::CustomerId;

/// All names in one text, a line each, so that all are searched at once. Names only ever come.
#[derive(Debug, Default)]
pub(super) struct Names {
    text: String,
    /// Where each name's line begins.
    lines: Vec<(usize, CustomerId)>,
}

/// What is searched for, in whatever case it is written.
#[derive(Debug)]
pub(super) struct Part(String);

impl Part {
    /// A name that has no such part would be none: no name has control characters.
    pub(super) fn new(text: &str) -> Option<Self> {
        let part = lower(text);
        (!part.contains(char::is_control)).then_some(Self(part))
    }

    pub(super) fn is_in(&self, name: &CustomerId) -> bool {
        lower(name.as_str()).contains(&self.0)
    }
}

/// Letter by letter: the same for a part as for the whole.
fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

impl Names {
    pub(super) fn add(&mut self, name: CustomerId) {
        let begin = self.text.len();
        self.text.push_str(&lower(name.as_str()));
        self.text.push('\n');
        self.lines.push((begin, name));
    }

    /// The names with `part` in them, in the order in which they came.
    pub(super) fn with<'n>(&'n self, part: &Part) -> impl Iterator<Item = &'n CustomerId> {
        let finder = Finder::new(&part.0);
        let mut from = 0;
        std::iter::from_fn(move || {
            // The empty part is found behind the last name as well, for ever.
            let rest = self.text.as_bytes().get(from..).filter(|rest| !rest.is_empty())?;
            let found = finder.find(rest)? + from;
            let line = self.lines.partition_point(|(begin, _)| *begin <= found).checked_sub(1)?;
            let Range { end, .. } = self.line(line);
            from = end;
            self.lines.get(line).map(|(_, name)| name)
        })
    }

    fn line(&self, number: usize) -> Range<usize> {
        let begin = |number: usize| self.lines.get(number).map_or(self.text.len(), |(begin, _)| *begin);
        begin(number)..begin(number + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_once_in_each_name_whatever_its_case_and_never_over_the_end_of_one() {
        let mut names = Names::default();
        let known = ["acme-acme", "Bacme", "other", "ÄCME"].map(|name| CustomerId::new(name).unwrap());
        known.iter().cloned().for_each(|name| names.add(name));
        let found = |part: &str| {
            let part = Part::new(part).unwrap();
            let found: Vec<_> = names.with(&part).map(CustomerId::as_str).collect();
            let each: Vec<_> = known.iter().filter(|name| part.is_in(name)).map(CustomerId::as_str).collect();
            assert_eq!(found, each);
            found
        };
        assert_eq!(found("ACME"), ["acme-acme", "Bacme"]);
        assert_eq!(found("äcme"), ["ÄCME"]);
        assert_eq!(found("").len(), 4);
        assert!(found("mebac").is_empty());
        assert!(Part::new("acme\nbacme").is_none());
    }
}
