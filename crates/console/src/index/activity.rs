//! What persons did, the newest first.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Act, Timestamp};

use super::Page;

/// How many acts are kept in memory; older ones are in the log. Rules' decisions, however many they are, push none out.
const KEPT: usize = 10_000;

/// An act's place among all: the lesser, the older.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ActPlace {
    at: Timestamp,
    id: String,
}

impl ActPlace {
    /// As text, to go on behind it.
    pub(crate) fn cursor(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}", self.at.millis(), self.id))
    }

    /// Reads such a text; `None` for one that is none.
    pub(crate) fn parse(cursor: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (at, id) = text.split_once(':')?;
        Some(Self { at: Timestamp::from_millis(at.parse().ok()?), id: id.to_owned() })
    }
}

/// The newest acts.
#[derive(Debug, Default)]
pub(super) struct Activity(BTreeMap<ActPlace, Act>);

impl Activity {
    /// Takes in an act that is known by `id`; one that is read twice is there once.
    pub(super) fn take(&mut self, id: String, act: Act) {
        self.0.insert(ActPlace { at: act.at, id }, act);
        if self.0.len() > KEPT {
            self.0.pop_first();
        }
    }

    /// All of them, the newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Act> {
        self.0.values().rev()
    }

    /// Those of one person, or of all, that are older than `after`; the newest first.
    pub(super) fn page(&self, by: Option<&str>, after: Option<&ActPlace>, limit: usize) -> Page<Act, ActPlace> {
        let older = match after {
            Some(after) => self.0.range(..after),
            None => self.0.range::<ActPlace, _>(..),
        };
        let mut found = older.rev().filter(|(_, act)| by.is_none_or(|by| act.by == by));
        let (mut items, mut last) = (Vec::new(), None);
        for (place, act) in found.by_ref().take(limit) {
            items.push(act.clone());
            last = Some(place.clone());
        }
        Page { items, next: last.filter(|_| found.next().is_some()) }
    }

    /// Who did any of it.
    pub(super) fn people(&self) -> Vec<String> {
        let people: BTreeSet<_> = self.0.values().map(|act| act.by.as_str()).collect();
        people.into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use model::Deed;

    use super::*;

    fn act(at: i64, by: &str) -> Act {
        Act { at: Timestamp::from_millis(at), by: by.to_owned(), reason: "why".to_owned(), deed: Deed::Pause }
    }

    /// When each act was that the pages show, one page after the other.
    fn all_pages(activity: &Activity, by: Option<&str>, limit: usize) -> Vec<i64> {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = activity.page(by, after.as_ref(), limit);
            seen.extend(page.items.iter().map(|act| act.at.millis()));
            let Some(next) = page.next else { return seen };
            after = ActPlace::parse(&next.cursor());
            assert_eq!(after.as_ref(), Some(&next));
        }
    }

    #[test]
    fn pages_are_all_acts_of_a_person_the_newest_first() {
        let mut activity = Activity::default();
        for at in [3, 1, 2, 2, 5, 4] {
            let act = act(at, if at % 2 == 0 { "ann" } else { "Bob: \"ü\"" });
            activity.take(act.key(), act);
        }
        assert_eq!(activity.people(), ["Bob: \"ü\"", "ann"]);
        for (by, expected) in [(None, vec![5, 4, 3, 2, 1]), (Some("ann"), vec![4, 2]), (Some("nobody"), vec![])] {
            for limit in 1..6 {
                let seen = all_pages(&activity, by, limit);
                assert_eq!(seen, expected, "{by:?}, {limit} a page");
            }
        }
        assert_eq!(ActPlace::parse("nonsense"), None);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut activity = Activity::default();
        for at in 0..=i64::try_from(KEPT).unwrap() {
            activity.take(at.to_string(), act(at, "ann"));
        }
        let all = activity.page(None, None, KEPT * 2);
        assert_eq!((all.items.len(), all.items.last().map(|act| act.at.millis())), (KEPT, Some(1)));
    }
}
