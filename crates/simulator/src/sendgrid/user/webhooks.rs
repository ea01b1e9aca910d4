//! A user's event webhooks.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::sendgrid::signer::{Signer, SignerError};

/// What a webhook may be told of, and whether it is told anything.
const FLAGS: [&str; 12] = [
    "enabled",
    "group_resubscribe",
    "group_unsubscribe",
    "delivered",
    "spam_report",
    "bounce",
    "deferred",
    "unsubscribe",
    "processed",
    "open",
    "click",
    "dropped",
];

/// A flag that is shown on request only.
const ACCOUNT_STATUS: &str = "account_status_change";

/// What else is set and shown; the secret of OAuth is set and never shown.
const TEXTS: [&str; 3] = ["friendly_name", "oauth_client_id", "oauth_token_url"];

/// Why a webhook could not be made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum NoWebhook {
    #[error("url is required")]
    NoUrl,
    #[error("the url is in use by the user on another webhook")]
    Taken { id: String, url: String },
    #[error("the maximum number of webhooks was reached")]
    TooMany,
    #[error("the webhook was not found")]
    Unknown,
}

/// One webhook.
#[derive(Clone, Debug)]
pub(in super::super) struct Webhook {
    pub(in super::super) id: String,
    pub(in super::super) url: String,
    pub(in super::super) signer: Option<Arc<Signer>>,
    flags: BTreeMap<&'static str, bool>,
    texts: BTreeMap<&'static str, Value>,
    created: Timestamp,
    updated: Timestamp,
}

/// All of a user's, the oldest first.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Webhooks {
    all: Vec<Webhook>,
    made: u64,
}

impl Webhooks {
    pub(in super::super) fn all(&self) -> &[Webhook] {
        &self.all
    }

    /// A webhook; without an id, the oldest.
    pub(in super::super) fn get(&self, id: Option<&str>) -> Option<&Webhook> {
        self.all.iter().find(|webhook| id.is_none_or(|id| webhook.id == id))
    }

    pub(in super::super) fn create(&mut self, sent: &Map<String, Value>, most: usize) -> Result<&Webhook, NoWebhook> {
        let url = self.free_url(sent, None)?;
        if self.all.len() >= most {
            return Err(NoWebhook::TooMany);
        }
        self.made += 1;
        let now = Timestamp::now();
        let mut webhook = Webhook {
            id: format!("77d4a5da-7015-11ed-a1eb-{:012x}", self.made),
            url,
            signer: None,
            flags: BTreeMap::new(),
            texts: BTreeMap::new(),
            created: now,
            updated: now,
        };
        webhook.set(sent);
        self.all.push(webhook);
        self.all.last().ok_or(NoWebhook::Unknown)
    }

    /// Changes a webhook; without an id, the oldest. The URL is required.
    pub(in super::super) fn update(
        &mut self,
        id: Option<&str>,
        sent: &Map<String, Value>,
    ) -> Result<&Webhook, NoWebhook> {
        let id = self.get(id).ok_or(NoWebhook::Unknown)?.id.clone();
        let url = self.free_url(sent, Some(&id))?;
        let webhook = self.find(&id)?;
        webhook.url = url;
        webhook.updated = Timestamp::now();
        webhook.set(sent);
        Ok(webhook)
    }

    /// Deletes a webhook; whether there was one.
    pub(in super::super) fn remove(&mut self, id: &str) -> bool {
        let before = self.all.len();
        self.all.retain(|webhook| webhook.id != id);
        self.all.len() < before
    }

    /// Turns signing on or off. A key that is there stays; turned off and on again, another one comes.
    pub(in super::super) fn sign(&mut self, id: &str, on: bool) -> Result<Result<&Webhook, SignerError>, NoWebhook> {
        let webhook = self.find(id)?;
        webhook.signer = match (on, webhook.signer.take()) {
            (false, _) => None,
            (true, Some(signer)) => Some(signer),
            (true, None) => match Signer::generate() {
                Ok(signer) => Some(Arc::new(signer)),
                Err(error) => return Ok(Err(error)),
            },
        };
        Ok(Ok(webhook))
    }

    fn find(&mut self, id: &str) -> Result<&mut Webhook, NoWebhook> {
        self.all.iter_mut().find(|webhook| webhook.id == id).ok_or(NoWebhook::Unknown)
    }

    /// The URL that is asked for, unless another webhook than `own` has it.
    fn free_url(&self, sent: &Map<String, Value>, own: Option<&str>) -> Result<String, NoWebhook> {
        let url = sent.get("url").and_then(Value::as_str).filter(|url| !url.is_empty()).ok_or(NoWebhook::NoUrl)?;
        match self.all.iter().find(|known| known.url == url && own.is_none_or(|own| known.id != own)) {
            Some(other) => Err(NoWebhook::Taken { id: other.id.clone(), url: url.to_owned() }),
            None => Ok(url.to_owned()),
        }
    }
}

impl Webhook {
    fn set(&mut self, sent: &Map<String, Value>) {
        for name in FLAGS.into_iter().chain([ACCOUNT_STATUS]) {
            if let Some(flag) = sent.get(name).and_then(Value::as_bool) {
                self.flags.insert(name, flag);
            }
        }
        for name in TEXTS {
            if let Some(text) = sent.get(name) {
                self.texts.insert(name, text.clone());
            }
        }
    }

    /// As the API shows it.
    pub(in super::super) fn shown(&self, with_account_status: bool) -> Value {
        let mut shown = Map::new();
        for name in FLAGS.into_iter().chain(with_account_status.then_some(ACCOUNT_STATUS)) {
            shown.insert(name.to_owned(), json!(self.flags.get(name).copied().unwrap_or(false)));
        }
        for name in TEXTS {
            shown.insert(name.to_owned(), self.texts.get(name).cloned().unwrap_or_default());
        }
        shown.insert("id".to_owned(), json!(self.id));
        shown.insert("url".to_owned(), json!(self.url));
        shown.insert("created_date".to_owned(), json!(self.created.to_string()));
        shown.insert("updated_date".to_owned(), json!(self.updated.to_string()));
        Value::Object(shown)
    }

    /// The key as the API shows it; empty where signing is off.
    pub(in super::super) fn public_key(&self) -> String {
        self.signer.as_ref().map(|signer| signer.public_key()).unwrap_or_default()
    }
}
