//! Event webhooks: where SendGrid POSTs what happens to an account's mail.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::Account;
use super::endpoint::Endpoint;
use super::error::{Error, found};
use super::id::Id;
use super::redacted::Redacted;

/// What a webhook can report, by the name of its setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the event of its name")]
pub enum WebhookEvent {
    Processed,
    Delivered,
    Deferred,
    Bounce,
    Dropped,
    Open,
    Click,
    /// A complaint; the event itself is called `spamreport`.
    SpamReport,
    Unsubscribe,
    GroupUnsubscribe,
    GroupResubscribe,
    /// The account is warned, suspended or banned, or in use again. The documents describe it in answers only.
    AccountStatusChange,
}

impl WebhookEvent {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Processed,
        Self::Delivered,
        Self::Deferred,
        Self::Bounce,
        Self::Dropped,
        Self::Open,
        Self::Click,
        Self::SpamReport,
        Self::Unsubscribe,
        Self::GroupUnsubscribe,
        Self::GroupResubscribe,
        Self::AccountStatusChange,
    ];
}

/// An event webhook, as it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Answer")]
pub struct Webhook {
    /// Its id.
    pub id: Id,
    /// Where it POSTs to.
    pub url: String,
    /// Whether it POSTs at all.
    pub enabled: bool,
    /// What it reports.
    pub events: BTreeSet<WebhookEvent>,
    /// A name for people; it need not be unique.
    pub friendly_name: Option<String>,
    /// The client id by which it gets a token, where it does.
    pub oauth_client_id: Option<String>,
    /// Where it gets its token.
    pub oauth_token_url: Option<String>,
    /// The key that it signs with; none where it does not sign, or the answer leaves it out.
    pub public_key: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    id: Id,
    url: String,
    #[serde(default)]
    enabled: bool,
    friendly_name: Option<String>,
    oauth_client_id: Option<String>,
    oauth_token_url: Option<String>,
    public_key: Option<String>,
    #[serde(flatten)]
    settings: BTreeMap<String, Value>,
}

impl From<Answer> for Webhook {
    fn from(answer: Answer) -> Self {
        let is_on = |event: &WebhookEvent| answer.settings.get(&setting(*event)) == Some(&Value::Bool(true));
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            events: WebhookEvent::ALL.into_iter().filter(is_on).collect(),
            id: answer.id,
            url: answer.url,
            enabled: answer.enabled,
            friendly_name: said(answer.friendly_name),
            oauth_client_id: said(answer.oauth_client_id),
            oauth_token_url: said(answer.oauth_token_url),
            public_key: said(answer.public_key),
        }
    }
}

/// The name of an event's setting.
fn setting(event: WebhookEvent) -> String {
    json!(event).as_str().unwrap_or_default().to_owned()
}

/// How a webhook gets a token for its POSTs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookOAuth {
    /// The client's id.
    pub client_id: String,
    /// The client's secret; SendGrid never tells it again.
    pub client_secret: Redacted,
    /// Where the token is to be had.
    pub token_url: String,
}

/// How a webhook shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Where it POSTs to. SendGrid wants it whatever is changed, and takes each address once an account.
    pub url: String,
    /// Whether it POSTs at all.
    pub enabled: bool,
    /// What it reports, and nothing else.
    pub events: BTreeSet<WebhookEvent>,
    /// A name for people.
    pub friendly_name: Option<String>,
    /// How it gets a token; without, what is set stays.
    pub oauth: Option<WebhookOAuth>,
}

impl WebhookSettings {
    fn body(&self) -> Value {
        let mut body = json!({ "url": self.url, "enabled": self.enabled });
        for event in WebhookEvent::ALL {
            body[setting(event)] = Value::Bool(self.events.contains(&event));
        }
        if let Some(name) = &self.friendly_name {
            body["friendly_name"] = json!(name);
        }
        if let Some(oauth) = &self.oauth {
            oauth.write(&mut body);
        }
        body
    }
}

impl WebhookOAuth {
    fn write(&self, body: &mut Value) {
        body["oauth_client_id"] = json!(self.client_id);
        body["oauth_client_secret"] = json!(self.client_secret.expose());
        body["oauth_token_url"] = json!(self.token_url);
    }
}

/// The key that a webhook signs with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct WebhookKey {
    /// The webhook's id.
    pub id: Id,
    /// The key, in base64; none where it does not sign.
    #[serde(default, deserialize_with = "not_empty")]
    pub public_key: Option<String>,
}

fn not_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|key| !key.is_empty()))
}

/// An account's event webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Webhooks {
    /// All of them.
    #[serde(rename = "webhooks")]
    pub all: Vec<Webhook>,
    /// How many the plan lets the account have, where the answer says.
    #[serde(default, rename = "max_allowed", deserialize_with = "whole")]
    pub most: Option<u64>,
}

/// Documented as a number, of whatever kind.
fn whole<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_u64())
}

/// Without it, answers leave out whether changes of the account's status are reported.
const INCLUDE: [(&str, &str); 1] = [("include", "account_status_change")];

impl Account {
    /// The account's event webhooks.
    ///
    /// # Errors
    ///
    /// [`Error`], like every call here.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, Error> {
        Ok(self.all_webhooks().await?.all)
    }

    /// The same, with how many there may be.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn all_webhooks(&self) -> Result<Webhooks, Error> {
        self.http.json(self.ask(Endpoint::Webhooks).query(INCLUDE)).await
    }

    /// An event webhook; `None` where there is none of that id.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn webhook(&self, id: &Id) -> Result<Option<Webhook>, Error> {
        found(self.http.json(self.ask_of(Endpoint::Webhook, &[id.as_str()])?.query(INCLUDE)).await)
    }

    /// Creates an event webhook, which does not sign yet.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`] where nobody knows whether there is one now: look before asking again.
    pub async fn create_webhook(&self, settings: &WebhookSettings) -> Result<Webhook, Error> {
        self.http.json(self.ask(Endpoint::CreateWebhook).body(settings.body())).await
    }

    /// Makes an event webhook as these settings say.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn update_webhook(&self, id: &Id, settings: &WebhookSettings) -> Result<Webhook, Error> {
        let ask = self.ask_of(Endpoint::UpdateWebhook, &[id.as_str()])?;
        self.http.json(ask.query(INCLUDE).body(settings.body())).await
    }

    /// Removes an event webhook; one that is not there is gone already.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn delete_webhook(&self, id: &Id) -> Result<(), Error> {
        let answer = self.http.done(self.ask_of(Endpoint::DeleteWebhook, &[id.as_str()])?).await;
        found(answer).map(|_| ())
    }

    /// Has a webhook sign, or not. Turning it off loses the key for good.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn set_webhook_signing(&self, id: &Id, signs: bool) -> Result<WebhookKey, Error> {
        let ask = self.ask_of(Endpoint::SignWebhook, &[id.as_str()])?;
        self.http.json(ask.body(json!({ "enabled": signs }))).await
    }

    /// The key that a webhook signs with; `None` where there is no such webhook.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn webhook_key(&self, id: &Id) -> Result<Option<WebhookKey>, Error> {
        found(self.http.json(self.ask_of(Endpoint::WebhookKey, &[id.as_str()])?).await)
    }

    /// Has SendGrid POST made-up events to an address, as the webhook of this id would, where one is named.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn test_webhook(&self, id: Option<&Id>, url: &str, oauth: Option<&WebhookOAuth>) -> Result<(), Error> {
        let mut body = json!({ "url": url });
        if let Some(id) = id {
            body["id"] = json!(id.as_str());
        }
        if let Some(oauth) = oauth {
            oauth.write(&mut body);
        }
        self.http.done(self.ask(Endpoint::TestWebhook).body(body)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> WebhookSettings {
        let oauth = WebhookOAuth {
            client_id: "me".to_owned(),
            client_secret: Redacted::new("hush".to_owned()),
            token_url: "https://example.com/token".to_owned(),
        };
        WebhookSettings {
            url: "https://example.com/in".to_owned(),
            enabled: true,
            events: [WebhookEvent::SpamReport, WebhookEvent::Bounce].into(),
            friendly_name: None,
            oauth: Some(oauth),
        }
    }

    #[test]
    fn every_flag_is_said_so_that_what_is_not_wanted_is_off() {
        let body = settings().body();
        let on: Vec<_> = WebhookEvent::ALL.into_iter().filter(|event| body[setting(*event)] == json!(true)).collect();
        assert_eq!(on, [WebhookEvent::Bounce, WebhookEvent::SpamReport]);
        assert!(WebhookEvent::ALL.into_iter().all(|event| body[setting(event)].is_boolean()));
        assert_eq!(body["oauth_client_secret"], "hush");
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert!(!format!("{:?}", settings()).contains("hush"));
    }

    #[test]
    fn an_answer_is_understood_with_and_without_what_may_be_missing() {
        let webhook: Webhook = serde_json::from_value(json!({
            "id": "w1", "url": "https://example.com/in", "enabled": true, "bounce": true, "open": false,
            "account_status_change": true, "friendly_name": null, "public_key": "",
        }))
        .unwrap();
        assert_eq!(webhook.events, [WebhookEvent::Bounce, WebhookEvent::AccountStatusChange].into());
        assert_eq!((webhook.friendly_name, webhook.public_key), (None, None));
    }
}
