//! What `weir connect` did, so that `weir disconnect` can undo exactly that.
//!
//! What is about to be done is written before it is done, and what came of it after: whoever is interrupted finds out by
//! looking, and neither does it twice nor leaves it behind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sendgrid::api::{Id, Webhook, WebhookEvent};
use serde::{Deserialize, Serialize};

use super::edit::Edit;
use super::files;
use super::user::User;

/// The version of the receipt's layout.
const VERSION: u32 = 1;

/// What was done, or was about to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Receipt {
    version: u32,
    /// At which API.
    pub(super) api: String,
    /// One for each user whose webhook posts here.
    pub(super) webhooks: Vec<WebhookRecord>,
    /// In the order in which they were made.
    pub(super) files: Vec<FileRecord>,
}

/// A user's webhook, and how it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookRecord {
    /// Whose; none for the account's own.
    pub(super) subuser: Option<String>,
    /// The source that it posts to.
    pub(super) source: String,
    /// Where it posts to.
    pub(super) url: String,
    /// Its id, once it is known.
    pub(super) id: Option<String>,
    /// How it was; none where it was made.
    pub(super) before: Option<Before>,
    /// Whether its test event has arrived.
    pub(super) arrived: bool,
    /// Whether its removal has begun, so that it may be gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) going: bool,
}

/// How a webhook was before it was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Before {
    pub(super) url: String,
    pub(super) enabled: bool,
    pub(super) events: BTreeSet<WebhookEvent>,
    pub(super) signs: bool,
}

/// A file that was made or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRecord {
    pub(super) path: PathBuf,
    /// What for, in words: `source "sendgrid"`.
    pub(super) what: String,
    pub(super) change: FileChange,
}

/// How it was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FileChange {
    /// A piece of it.
    Edited(Edit),
    /// It was not there; this is all of it.
    Made(String),
}

impl WebhookRecord {
    pub(super) fn user(&self) -> User {
        User::new(self.subuser.clone())
    }
}

impl Before {
    /// How a webhook is, where it is known whether it signs.
    pub(super) fn of(webhook: &Webhook) -> Self {
        Self {
            url: webhook.url.clone(),
            enabled: webhook.enabled,
            events: webhook.events.clone(),
            signs: webhook.public_key.is_some(),
        }
    }
}

impl Receipt {
    pub(super) fn new(api: &str) -> Self {
        Self { version: VERSION, api: api.to_owned(), webhooks: Vec::new(), files: Vec::new() }
    }

    /// Where the receipt of a configuration lies: beside it.
    pub(super) fn beside(config: &Path) -> PathBuf {
        config.with_extension("connect.json")
    }

    /// The receipt in this file; `None` where there is none.
    pub(super) fn load(path: &Path) -> anyhow::Result<Option<Self>> {
        let shown = path.display();
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| format!("{shown}, which says what was connected, can't be read"))?,
        };
        let receipt: Self = serde_json::from_str(&text).with_context(|| {
            format!("{shown}, which says what was connected, makes no sense: put it back as it was")
        })?;
        let found = receipt.version;
        anyhow::ensure!(found == VERSION, "{shown} has version {found}; this Weir reads version {VERSION}");
        Ok(Some(receipt))
    }

    pub(super) fn save(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        files::write(path, &text)
    }

    /// What is recorded of a user's webhooks, the latest last.
    pub(super) fn of<'r>(&'r self, user: &'r User) -> impl DoubleEndedIterator<Item = &'r WebhookRecord> {
        self.webhooks.iter().filter(|record| record.subuser.as_deref() == user.subuser())
    }

    /// Notes that a user's webhook is about to be removed.
    pub(super) fn goes(&mut self, user: &User, id: &Id) {
        let is_it = |record: &&mut WebhookRecord| {
            record.subuser.as_deref() == user.subuser() && record.id.as_deref() == Some(id.as_str())
        };
        self.webhooks.iter_mut().filter(is_it).for_each(|record| record.going = true);
    }

    /// The latest record of a user's webhook that posts to this address.
    pub(super) fn posting_to(&mut self, user: &User, url: &str) -> Option<&mut WebhookRecord> {
        let of_user = |record: &&mut WebhookRecord| record.subuser.as_deref() == user.subuser() && record.url == url;
        self.webhooks.iter_mut().rfind(of_user)
    }

    /// Takes a record in, in place of an earlier one of the same webhook.
    pub(super) fn begin(&mut self, record: WebhookRecord) {
        let is_same =
            |known: &WebhookRecord| known.subuser == record.subuser && (known.id == record.id || known.id.is_none());
        match self.webhooks.iter().position(is_same) {
            Some(place) => {
                self.webhooks.remove(place);
                self.webhooks.push(record);
            }
            None => self.webhooks.push(record),
        }
    }

    /// Takes a file's change in. One for the same thing that never came about, as the file's text shows, is forgotten.
    pub(super) fn file(&mut self, record: FileRecord, text: &str) {
        let came_about = |known: &FileRecord| match &known.change {
            FileChange::Edited(edit) => text.contains(&edit.after),
            FileChange::Made(_) => true,
        };
        self.files.retain(|known| known.path != record.path || known.what != record.what || came_about(known));
        self.files.push(record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(after: &str) -> FileRecord {
        let edit = Edit { before: String::new(), after: after.to_owned() };
        FileRecord { path: "weir.toml".into(), what: "source \"a\"".to_owned(), change: FileChange::Edited(edit) }
    }

    #[test]
    fn a_change_that_never_came_about_is_forgotten_when_it_is_made_anew() {
        let mut receipt = Receipt::new("https://api.example.com");
        receipt.file(edited("one"), "");
        receipt.file(edited("two"), "nothing of it");
        receipt.file(edited("three"), "with two in it");
        assert_eq!(receipt.files, [edited("two"), edited("three")]);
    }

    #[test]
    fn a_receipt_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = Receipt::beside(&folder.path().join("weir.toml"));
        assert_eq!(path.file_name().unwrap(), "weir.connect.json");
        assert_eq!(Receipt::load(&path).unwrap(), None);
        let mut receipt = Receipt::new("https://api.example.com");
        receipt.file(edited("one"), "");
        receipt.save(&path).unwrap();
        assert_eq!(Receipt::load(&path).unwrap(), Some(receipt));
        std::fs::write(&path, "{").unwrap();
        assert!(Receipt::load(&path).is_err());
    }
}
