//! Addresses to which nothing is sent any more, and why.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum List {
    Bounces,
    Blocks,
    SpamReports,
    InvalidEmails,
    Unsubscribes,
}

impl List {
    pub(in super::super) const ALL: [Self; 5] =
        [Self::Bounces, Self::Blocks, Self::SpamReports, Self::InvalidEmails, Self::Unsubscribes];

    /// Its name in a path.
    pub(in super::super) const fn name(self) -> &'static str {
        match self {
            Self::Bounces => "bounces",
            Self::Blocks => "blocks",
            Self::SpamReports => "spam_reports",
            Self::InvalidEmails => "invalid_emails",
            Self::Unsubscribes => "unsubscribes",
        }
    }

    /// The list that an event adds to.
    fn of_event(event: &Value) -> Option<Self> {
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        Some(match text("event")? {
            "bounce" if text("type") == Some("blocked") => Self::Blocks,
            "bounce" => Self::Bounces,
            "spamreport" => Self::SpamReports,
            "unsubscribe" => Self::Unsubscribes,
            "dropped" if text("reason") == Some("Invalid") => Self::InvalidEmails,
            _ => return None,
        })
    }

    /// What an item says beside its time and its address: its name, and the event's.
    const fn members(self) -> &'static [&'static str] {
        match self {
            Self::Bounces | Self::Blocks => &["reason", "status"],
            Self::SpamReports => &["ip"],
            Self::InvalidEmails => &["reason"],
            Self::Unsubscribes => &[],
        }
    }
}

/// One address on a list.
#[derive(Clone, Debug)]
pub(in super::super) struct Entry {
    /// Unix seconds.
    pub(in super::super) created: i64,
    pub(in super::super) shown: Value,
}

/// The lists, by address.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Suppressions(BTreeMap<(List, String), Entry>);

impl Suppressions {
    /// Takes in an event that happened at `created`; an address that is on the list has its latest one there.
    pub(in super::super) fn tell(&mut self, event: &Value, created: i64) {
        let (Some(list), Some(email)) = (List::of_event(event), event.get("email").and_then(Value::as_str)) else {
            return;
        };
        let mut shown = Map::from_iter([("created".to_owned(), json!(created)), ("email".to_owned(), json!(email))]);
        for name in list.members() {
            let said = event.get(*name).cloned().unwrap_or_else(|| json!(""));
            shown.insert((*name).to_owned(), said);
        }
        self.0.insert((list, email.to_owned()), Entry { created, shown: Value::Object(shown) });
    }

    /// A list, the latest first.
    pub(in super::super) fn list(&self, list: List) -> Vec<&Entry> {
        let mut found: Vec<_> = self.0.iter().filter(|((of, _), _)| *of == list).map(|(_, entry)| entry).collect();
        found.sort_by_key(|entry| std::cmp::Reverse(entry.created));
        found
    }
}
