//! Changes to a TOML file's text that can be taken back to the byte.
//!
//! A file is not parsed and written anew: a piece of text is put in, and the piece is remembered. So comments and layout stay
//! as they are, and taking it back finds the very piece, or that somebody changed it since.

use sendgrid::webhook::CustomerRule;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::config::place_of_keys;

/// A piece of a file's text that stands for another one now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Edit {
    /// What stood there; empty where something was added at the end.
    pub(super) before: String,
    /// What stands there.
    pub(super) after: String,
}

/// Why a file can't be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoEdit {
    #[error("the file has no source {0:?} any more")]
    NoSource(String),
    #[error("{0} is written in a way that can't be added to; add this by hand:\n{1}")]
    ByHand(String, String),
}

/// A text, and how it came from the one before.
pub(super) type Edited = (String, Edit);

/// A source to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewSource<'s> {
    pub(super) name: &'s str,
    pub(super) subuser: Option<&'s str>,
    pub(super) key: &'s str,
    pub(super) customer: &'s CustomerRule,
}

impl NewSource<'_> {
    fn text(&self) -> String {
        let subuser = self.subuser.map(|subuser| format!("subuser = {}\n", quoted(subuser))).unwrap_or_default();
        format!(
            "# Written by `weir connect`.\n[[source]]\nname = {}\n{subuser}verification_keys = [{}]\ncustomer = {{ {} }}\n",
            quoted(self.name),
            quoted(self.key),
            rule(self.customer),
        )
    }
}

/// Adds a source at the end.
pub(super) fn add_source(text: &str, source: &NewSource<'_>) -> Result<Edited, NoEdit> {
    let edited = appended(text, &source.text());
    if place_of_keys(&edited.0, source.name).is_none() {
        return Err(NoEdit::ByHand("[[source]]".to_owned(), source.text()));
    }
    Ok(edited)
}

/// Adds a key to those of a source; earlier ones stay, for what is still on its way.
pub(super) fn add_key(text: &str, source: &str, key: &str) -> Result<Edited, NoEdit> {
    let place = place_of_keys(text, source).ok_or_else(|| NoEdit::NoSource(source.to_owned()))?;
    let split = (text.get(..place.start), text.get(place.clone()), text.get(place.end..));
    let (Some(head), Some(before), Some(tail)) = split else { return Err(NoEdit::NoSource(source.to_owned())) };
    let by_hand = || NoEdit::ByHand(format!("verification_keys of source {source:?}"), quoted(key));
    let rest = before.strip_prefix('[').ok_or_else(by_hand)?;
    let is_empty = rest.trim_start().starts_with(']');
    let after = format!("[{}{}{rest}", quoted(key), if is_empty { "" } else { ", " });
    let edit = Edit { before: before.to_owned(), after };
    Ok((format!("{head}{}{tail}", edit.after), edit))
}

/// Sets a key of a table to a text, in place of what it is there.
pub(super) fn set(text: &str, table: &str, key: &str, value: &str) -> Result<Edited, NoEdit> {
    let line = format!("{key} = {}\n", quoted(value));
    let header = format!("[{table}]");
    let edited = match lines_of(text, &header, key) {
        None => appended(text, &format!("{header}\n{line}")),
        Some(Lines { header, old }) => {
            let (start, before) = old.unwrap_or(header);
            let after = if old.is_some() { line.clone() } else { format!("{}\n{line}", before.trim_end_matches('\n')) };
            let (head, rest) = text.split_at_checked(start).unwrap_or((text, ""));
            let tail = rest.strip_prefix(before).unwrap_or_default();
            (format!("{head}{after}{tail}"), Edit { before: before.to_owned(), after })
        }
    };
    let is_set = toml::from_str::<Table>(&edited.0).is_ok_and(|read| {
        let found = read.get(table).and_then(|table| table.get(key)).and_then(Value::as_str);
        found == Some(value)
    });
    if is_set { Ok(edited) } else { Err(NoEdit::ByHand(header.clone(), format!("{header}\n{line}"))) }
}

/// The text with the edit taken back; `None` where what it put in does not stand there, exactly once.
pub(super) fn taken_back(text: &str, edit: &Edit) -> Option<String> {
    let (head, tail) = text.split_once(&edit.after)?;
    (!tail.contains(&edit.after)).then(|| format!("{head}{}{tail}", edit.before))
}

/// Lines of a text, each with its offset.
struct Lines<'t> {
    /// A table's header.
    header: (usize, &'t str),
    /// The key in it, where it is there.
    old: Option<(usize, &'t str)>,
}

fn lines_of<'t>(text: &'t str, header: &str, key: &str) -> Option<Lines<'t>> {
    let mut start = 0;
    let mut lines = text.split_inclusive('\n').map(|line| {
        let at = start;
        start += line.len();
        (at, line)
    });
    let header = lines.find(|(_, line)| line.split('#').next().is_some_and(|line| line.trim() == header))?;
    let in_table = lines.take_while(|(_, line)| !line.trim_start().starts_with('['));
    let sets_key = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
    let old = in_table.into_iter().find(|(_, line)| sets_key(line));
    Some(Lines { header, old })
}

/// Text behind everything else, with an empty line between.
fn appended(text: &str, added: &str) -> Edited {
    let between = if text.is_empty() || text.ends_with('\n') { "\n" } else { "\n\n" };
    let after = format!("{between}{added}");
    (format!("{text}{after}"), Edit { before: String::new(), after })
}

/// How a customer is told, as it stands in a source.
fn rule(rule: &CustomerRule) -> String {
    match rule {
        CustomerRule::CustomArg(name) => format!("custom_arg = {}", quoted(name)),
        CustomerRule::CategoryPrefix(prefix) => format!("category_prefix = {}", quoted(prefix)),
        CustomerRule::Pool => "pool = true".to_owned(),
        CustomerRule::Fixed(customer) => format!("fixed = {}", quoted(customer.as_str())),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use model::CustomerId;

    use super::*;

    const CONFIG: &str = "# Ours.\n[admin] # here\nlisten = \"127.0.0.1:1\"\n\n[[source]]\nname = \"main\"\n\
                          verification_keys = [\n  \"A\", # the first\n]\ncustomer = { pool = true }";

    fn acme() -> CustomerRule {
        CustomerRule::Fixed(CustomerId::new("ac\"me").unwrap())
    }

    #[test]
    fn a_source_is_added_and_taken_back_to_the_byte_whatever_else_changed() {
        let customer = acme();
        let new = NewSource { name: "sendgrid-acme", subuser: Some("ac\"me"), key: "K", customer: &customer };
        for text in ["", CONFIG, &format!("{CONFIG}\n")] {
            let (added, edit) = add_source(text, &new).unwrap();
            let read: Table = toml::from_str(&added).unwrap();
            let sources = read["source"].as_array().unwrap();
            assert_eq!(sources.last().unwrap()["customer"]["fixed"].as_str(), Some("ac\"me"));
            assert!(added.starts_with(text));
            assert_eq!(taken_back(&added, &edit).as_deref(), Some(text));
            let elsewhere = format!("# Later.\n{added}\n# Last.\n");
            assert_eq!(taken_back(&elsewhere, &edit), Some(format!("# Later.\n{text}\n# Last.\n")));
            assert_eq!(taken_back(&added.replace("\"K\"", "\"L\""), &edit), None, "somebody changed it");
        }
    }

    #[test]
    fn sources_in_an_inline_list_can_not_be_added_to() {
        let customer = CustomerRule::Pool;
        let new = NewSource { name: "sendgrid", subuser: None, key: "K", customer: &customer };
        let refused = add_source("source = []\n", &new).unwrap_err();
        assert!(refused.to_string().contains("name = \"sendgrid\""), "{refused}");
    }

    #[test]
    fn a_key_goes_before_the_others_and_comments_stay() {
        let (text, edit) = add_key(CONFIG, "main", "K").unwrap();
        assert!(text.contains("[\"K\", \n  \"A\", # the first\n]"), "{text}");
        let read: Table = toml::from_str(&text).unwrap();
        assert_eq!(read["source"][0]["verification_keys"].as_array().unwrap().len(), 2);
        assert_eq!(taken_back(&text, &edit).as_deref(), Some(CONFIG));
        assert_eq!(add_key(CONFIG, "other", "K"), Err(NoEdit::NoSource("other".to_owned())));
    }

    #[test]
    fn a_key_of_a_table_is_set_wherever_the_table_is() {
        let at_the_end = set(CONFIG, "policy", "file", "policy.toml").unwrap();
        let in_it = set("[policy]\n# None.\n[admin]\n", "policy", "file", "policy.toml").unwrap();
        assert_eq!(in_it.0, "[policy]\nfile = \"policy.toml\"\n# None.\n[admin]\n");
        let instead = set("[pools]\nhome = \"a\"\nquarantine = \"q\"\n", "pools", "home", "b").unwrap();
        assert_eq!(instead.0, "[pools]\nhome = \"b\"\nquarantine = \"q\"\n");
        for ((text, edit), before) in [(at_the_end, CONFIG), (in_it, "[policy]\n# None.\n[admin]\n")] {
            assert_eq!(taken_back(&text, &edit).as_deref(), Some(before));
        }
        assert!(set("policy = {}\n", "policy", "file", "x").is_err());
    }
}
