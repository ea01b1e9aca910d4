//! What has to be done to undo what the receipt says, from what is there now.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sendgrid::api::{Id, Webhook, WebhookSettings};

use super::edit;
use super::plan::FRIENDLY_NAME;
use super::receipt::{Before, FileChange, FileRecord, Receipt, WebhookRecord};
use super::user::User;
use super::words;

/// The steps, and what is left alone, with the reason.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UndoPlan {
    pub(super) steps: Vec<Undo>,
    pub(super) left: Vec<String>,
}

/// One thing to undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Undo {
    /// Remove a webhook that Weir made.
    Delete(User, Id),
    /// Make a webhook's settings what they were.
    Restore(User, Id, Before),
    /// Turn off signing that was off before.
    StopSigning(User, Id),
    /// Take a change of a file back.
    File(FileRecord),
}

/// The users' webhooks as they are, those of the receipt with their keys. Users who are gone are left out.
pub(super) type Now = BTreeMap<User, Vec<Webhook>>;

/// Plans from what there is; `texts` are the files as they are, by the paths in the receipt.
pub(super) fn plan(receipt: &Receipt, now: &Now, mut texts: BTreeMap<PathBuf, String>) -> UndoPlan {
    let mut plan = UndoPlan::default();
    for record in receipt.webhooks.iter().rev() {
        plan.webhook(record, now);
    }
    for record in receipt.files.iter().rev() {
        plan.file(record, &mut texts);
    }
    plan
}

impl UndoPlan {
    fn webhook(&mut self, record: &WebhookRecord, now: &Now) {
        let (user, url) = (record.user(), &record.url);
        let found = now.get(&user).and_then(|webhooks| webhooks.iter().find(|webhook| is(record, webhook)));
        let Some(webhook) = found else {
            // One that has no id was perhaps never made.
            if record.id.is_some() && !record.going {
                self.left.push(format!("the webhook of {user} to {url} is gone"));
            }
            return;
        };
        let is_known = [Some(url), record.before.as_ref().map(|before| &before.url)].contains(&Some(&webhook.url));
        if !is_known {
            self.left.push(format!(
                "the webhook of {user} posts to {} now: somebody changed it",
                words::address(&webhook.url)
            ));
            return;
        }
        let id = webhook.id.clone();
        let Some(before) = &record.before else {
            self.steps.push(Undo::Delete(user, id));
            return;
        };
        let signs = webhook.public_key.is_some();
        if Before::of(webhook) != (Before { signs, ..before.clone() }) {
            self.steps.push(Undo::Restore(user.clone(), id.clone(), before.clone()));
        }
        if signs && !before.signs {
            self.steps.push(Undo::StopSigning(user, id));
        }
    }

    fn file(&mut self, record: &FileRecord, texts: &mut BTreeMap<PathBuf, String>) {
        let (shown, what) = (record.path.display(), &record.what);
        let Some(text) = texts.get(&record.path) else {
            if matches!(record.change, FileChange::Edited(_)) {
                self.left.push(format!("{shown}, where {what} was written, is gone"));
            }
            return;
        };
        let undone = match &record.change {
            FileChange::Made(_) if is_named(&record.path, texts) => {
                self.left.push(format!("{shown} is still named in the configuration, which somebody changed"));
                return;
            }
            FileChange::Made(made) => (made == text).then(String::new),
            FileChange::Edited(change) => edit::taken_back(text, change),
        };
        let Some(undone) = undone else {
            self.left.push(format!("{what} does not stand in {shown} as it was written: look whether it must go"));
            return;
        };
        texts.insert(record.path.clone(), undone);
        self.steps.push(Undo::File(record.clone()));
    }
}

/// Whether nothing that the receipt knows by an id is there: then the API key is perhaps another account's.
pub(super) fn is_lost(receipt: &Receipt, now: &Now) -> bool {
    let is_found = |record: &WebhookRecord| {
        record.going || now.get(&record.user()).is_some_and(|webhooks| webhooks.iter().any(|known| is(record, known)))
    };
    let mut known = receipt.webhooks.iter().filter(|record| record.id.is_some()).peekable();
    known.peek().is_some() && !known.any(is_found)
}

/// Whether one of these configurations names a file as its policy's. One that can't be read may.
fn is_named(path: &Path, texts: &BTreeMap<PathBuf, String>) -> bool {
    let others = texts.iter().filter(|(other, _)| other.as_path() != path);
    others.map(|(_, text)| text).any(|text| match text.parse::<toml::Table>() {
        Ok(table) => {
            let file = table.get("policy").and_then(|policy| policy.get("file")).and_then(toml::Value::as_str);
            file.is_some_and(|file| Path::new(file).file_name() == path.file_name())
        }
        Err(_) => true,
    })
}

/// Whether it is the one that is recorded. One that was about to be made is known by where it posts to, and its name.
fn is(record: &WebhookRecord, webhook: &Webhook) -> bool {
    record.id.as_ref().map_or_else(
        || webhook.url == record.url && webhook.friendly_name.as_deref() == Some(FRIENDLY_NAME),
        |id| webhook.id.as_str() == id,
    )
}

impl Undo {
    /// The scope that it needs, where it needs one.
    pub(super) const fn scope(&self) -> Option<&'static str> {
        match self {
            Self::Delete(..) => Some("user.webhooks.event.settings.delete"),
            Self::Restore(..) | Self::StopSigning(..) => Some("user.webhooks.event.settings.update"),
            Self::File(_) => None,
        }
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Delete(user, _) => format!("remove the webhook of {user} that Weir made"),
            Self::Restore(user, _, before) => {
                let is_on = if before.enabled { "on" } else { "off" };
                let (count, url) = (before.events.len(), words::address(&before.url));
                format!("have the webhook of {user} as it was: {is_on}, {count} kinds of event, to {url}")
            }
            Self::StopSigning(user, _) => format!("turn off the signing of the webhook of {user}, as it was"),
            Self::File(FileRecord { path, what, change }) => match change {
                FileChange::Edited(_) => format!("take {what} back out of {}", path.display()),
                FileChange::Made(_) => format!("remove {}", path.display()),
            },
        }
    }
}

/// Settings as they were; what is not named stays as it is.
pub(super) fn settings(before: &Before) -> WebhookSettings {
    WebhookSettings {
        url: before.url.clone(),
        enabled: before.enabled,
        events: before.events.clone(),
        friendly_name: None,
        oauth: None,
    }
}

/// Where a path of the receipt is: it is named from the configuration's folder.
pub(super) fn path_of(config: &Path, path: &Path) -> PathBuf {
    config.parent().unwrap_or(Path::new("")).join(path)
}

#[cfg(test)]
mod tests {
    use sendgrid::api::WebhookEvent;

    use super::super::edit::Edit;
    use super::*;

    const URL: &str = "https://weir.example/webhooks/sendgrid/sendgrid";

    fn webhook(id: &str) -> Webhook {
        Webhook {
            id: Id::new(id),
            url: URL.to_owned(),
            enabled: true,
            events: WebhookEvent::ALL.into(),
            friendly_name: Some(FRIENDLY_NAME.to_owned()),
            oauth_client_id: None,
            oauth_token_url: None,
            public_key: Some("K".to_owned()),
        }
    }

    fn record(id: Option<&str>, before: Option<Before>) -> WebhookRecord {
        let (source, url, id) = ("sendgrid".to_owned(), URL.to_owned(), id.map(str::to_owned));
        WebhookRecord { subuser: None, source, url, id, before, arrived: true, going: false }
    }

    fn planned(record: WebhookRecord, webhooks: Vec<Webhook>) -> UndoPlan {
        let mut receipt = Receipt::new("https://api.example.com");
        receipt.begin(record);
        plan(&receipt, &Now::from([(User::OWN, webhooks)]), BTreeMap::new())
    }

    #[test]
    fn what_weir_made_goes_and_what_it_changed_comes_back() {
        let delete = vec![Undo::Delete(User::OWN, Id::new("1"))];
        assert_eq!(planned(record(Some("1"), None), vec![webhook("1")]).steps, delete);
        assert_eq!(planned(record(None, None), vec![webhook("1")]).steps, delete, "interrupted while it was made");
        let before = Before { enabled: false, signs: false, ..Before::of(&webhook("1")) };
        let undone = planned(record(Some("1"), Some(before.clone())), vec![webhook("1")]).steps;
        let restore = Undo::Restore(User::OWN, Id::new("1"), before.clone());
        assert_eq!(undone, [restore, Undo::StopSigning(User::OWN, Id::new("1"))]);
        let restored = Webhook { enabled: false, public_key: None, ..webhook("1") };
        assert_eq!(planned(record(Some("1"), Some(before)), vec![restored]), UndoPlan::default());
    }

    #[test]
    fn what_somebody_else_changed_is_left_alone_and_told() {
        let elsewhere = Webhook { url: "https://else.example/".to_owned(), ..webhook("1") };
        let plan = planned(record(Some("1"), None), vec![elsewhere]);
        assert!(plan.steps.is_empty() && plan.left[0].contains("https://else.example/"), "{plan:?}");
        let plan = planned(record(Some("1"), None), Vec::new());
        assert!(plan.steps.is_empty() && plan.left[0].contains("gone"), "{plan:?}");
        let unnamed = Webhook { friendly_name: None, ..webhook("1") };
        assert_eq!(planned(record(None, None), vec![unnamed]), UndoPlan::default(), "never made by Weir");
    }

    #[test]
    fn a_file_that_somebody_changed_is_left_alone_and_told() {
        let edit = Edit { before: String::new(), after: "[[source]]".to_owned() };
        let made = FileRecord { path: "p.toml".into(), what: "p".to_owned(), change: FileChange::Made("x".to_owned()) };
        let edited = FileRecord { path: "w.toml".into(), what: "w".to_owned(), change: FileChange::Edited(edit) };
        let mut receipt = Receipt::new("https://api.example.com");
        receipt.files = vec![made.clone(), edited.clone()];
        let texts =
            |p: &str, w: &str| BTreeMap::from([("p.toml".into(), p.to_owned()), ("w.toml".into(), w.to_owned())]);
        let undone = plan(&receipt, &Now::new(), texts("x", "# a\n[[source]]# b"));
        assert_eq!(undone.steps, [Undo::File(edited), Undo::File(made)]);
        let left = plan(&receipt, &Now::new(), texts("y", "# a\n[source]"));
        assert_eq!((left.steps.len(), left.left.len()), (0, 2), "{left:?}");
    }

    #[test]
    fn a_policy_that_is_still_named_stays() {
        let edit = Edit { before: String::new(), after: "[policy]\nfile = \"p.toml\"\n".to_owned() };
        let made = FileRecord { path: "p.toml".into(), what: "p".to_owned(), change: FileChange::Made("x".to_owned()) };
        let edited = FileRecord { path: "w.toml".into(), what: "w".to_owned(), change: FileChange::Edited(edit) };
        let mut receipt = Receipt::new("https://api.example.com");
        receipt.files = vec![made.clone(), edited.clone()];
        let planned = |w: &str| {
            let texts = BTreeMap::from([("p.toml".into(), "x".to_owned()), ("w.toml".into(), w.to_owned())]);
            plan(&receipt, &Now::new(), texts)
        };
        assert_eq!(planned("[policy]\nfile = \"p.toml\"\n").steps, [Undo::File(edited), Undo::File(made.clone())]);
        assert_eq!(planned("[policy]\nfile = \"mine.toml\"\n").steps, [Undo::File(made)], "it is named no more");
        let left = planned("[policy] # by hand\nfile = \"./p.toml\"\n");
        assert!(left.steps.is_empty() && left.left[1].contains("still named"), "{left:?}");
    }

    #[test]
    fn where_nothing_is_found_the_account_may_be_another_one() {
        let receipt = |going| {
            let mut receipt = Receipt::new("https://api.example.com");
            receipt.begin(WebhookRecord { going, ..record(Some("1"), None) });
            receipt.begin(record(Some("2"), None));
            receipt
        };
        assert!(is_lost(&receipt(false), &Now::from([(User::OWN, vec![webhook("3")])])));
        assert!(!is_lost(&receipt(false), &Now::from([(User::OWN, vec![webhook("2")])])), "the account is the same");
        assert!(!is_lost(&receipt(true), &Now::new()), "it was being removed");
        assert!(!is_lost(&Receipt::new("https://api.example.com"), &Now::new()));
    }
}
