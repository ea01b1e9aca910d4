//! A SendGrid with a subuser and a customer of its own IP, and a way to call it.

use std::sync::Arc;

use model::{CustomerId, Timestamp};
use reqwest::{Client, Method, Response};
use serde_json::Value;
use simulator::platform::{Account, Gate, Placement, Truth};
use simulator::sendgrid::{Options, SendGrid, World};

/// The IP that the dedicated customer has for itself.
pub(crate) const DEDICATED_IP: &str = "198.51.100.7";

pub(crate) fn account(placement: Placement) -> Account {
    Account {
        id: CustomerId::new("acme").unwrap(),
        truth: Truth::Good,
        placement,
        planned_mails: 1,
        bad_from: Timestamp::from_seconds(0),
    }
}

pub(crate) fn subuser() -> Account {
    account(Placement::Subuser("acme".to_owned()))
}

pub(crate) fn dedicated() -> Account {
    account(Placement::DedicatedIps(vec![DEDICATED_IP.to_owned()]))
}

/// A SendGrid, and a way to call it.
pub(crate) struct Api {
    pub(crate) sendgrid: SendGrid,
    pub(crate) client: Client,
}

impl Api {
    pub(crate) async fn with(options: Options) -> Self {
        let sendgrid = SendGrid::start_with(World::of(&[subuser(), dedicated()]), options).await.unwrap();
        // Connections are not kept: a cut one must not be tried again behind the test's back.
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        Self { sendgrid, client }
    }

    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn try_call(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Response> {
        let url = format!("{}{path}", self.sendgrid.base_url());
        let request = self.client.request(method, url).bearer_auth(self.sendgrid.api_key());
        match body {
            Some(body) => request.json(&body).send().await,
            None => request.send().await,
        }
    }

    /// Status and JSON; null where there is no body.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let response = self.try_call(method, path, body).await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null))
    }

    pub(crate) fn gate(&self, account: &Account) -> Gate {
        self.sendgrid.world().gate(account, Gate::Stop)
    }
}

pub(crate) fn through(pool: &str) -> Gate {
    Gate::Send(Some(Arc::from(pool)))
}
