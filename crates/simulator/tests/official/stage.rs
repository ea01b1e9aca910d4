//! What every scenario needs: a simulated SendGrid, a client of SendGrid's own, and between them, where they are wanted, the
//! documents.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::{Value, json};
use simulator::platform::{Account, Placement};
use simulator::sendgrid::{SendGrid, World};

use super::answer::Answer;
use super::client::{Language, Official};
use super::documents::Documents;
use super::prism::Prism;
use super::receiver::Receiver;
use super::strict;
use crate::support;

/// The subuser that most is about.
pub(crate) const SUBUSER: &str = "acme";
/// More subusers than one page of them shows.
pub(crate) const SUBUSERS: usize = 12;

/// The stage.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) language: Language,
    pub(crate) sendgrid: SendGrid,
    pub(crate) receiver: Receiver,
    called: Mutex<BTreeSet<String>>,
    client: Mutex<Official>,
    prism: Option<Prism>,
}

impl Stage {
    /// The client asks the simulator.
    pub(crate) async fn direct(language: Language) -> Self {
        let sendgrid = sendgrid().await;
        let client = Official::start(language, &sendgrid.base_url(), sendgrid.api_key());
        Self::of(language, sendgrid, client, None).await
    }

    /// The client asks Prism, which asks the simulator and holds requests and answers against the documents; none where the
    /// documents are not on this machine.
    pub(crate) async fn through_documents(language: Language) -> Option<Self> {
        let sendgrid = sendgrid().await;
        let prism = prism_before(&sendgrid.base_url())?;
        let client = Official::start(language, &prism.base_url, sendgrid.api_key());
        Some(Self::of(language, sendgrid, client, Some(prism)).await)
    }

    async fn of(language: Language, sendgrid: SendGrid, client: Official, prism: Option<Prism>) -> Self {
        let receiver = Receiver::start().await;
        Self { language, sendgrid, receiver, called: Mutex::default(), client: Mutex::new(client), prism }
    }

    /// Makes a call as the account itself.
    pub(crate) fn call(&self, call: &str, of: Value) -> Answer {
        self.ask(json!({ "call": call, "of": of }))
    }

    /// Makes a call on behalf of a subuser.
    pub(crate) fn call_for(&self, subuser: &str, call: &str, of: Value) -> Answer {
        self.ask(json!({ "call": call, "of": of, "subuser": subuser }))
    }

    /// Makes a call with another key.
    pub(crate) fn call_with_key(&self, key: &str, call: &str, of: Value) -> Answer {
        self.ask(json!({ "call": call, "of": of, "key": key }))
    }

    fn ask(&self, asked: Value) -> Answer {
        self.called.lock().unwrap().insert(asked["call"].as_str().unwrap().to_owned());
        let told = self.tell(&asked);
        Answer { language: self.language, asked: asked.to_string(), told, is_validated: self.prism.is_some() }
    }

    /// Tells the client something that is no call of the API.
    pub(crate) fn tell(&self, asked: &Value) -> Value {
        self.client.lock().unwrap().ask(asked)
    }

    /// The names of the calls that were made.
    pub(crate) fn called(&self) -> BTreeSet<String> {
        self.called.lock().unwrap().clone()
    }
}

/// Prism before an API; none where the documents are not on this machine.
pub(crate) fn prism_before(upstream: &str) -> Option<Prism> {
    let documents = Documents::read_of(|_, _| true)?;
    Some(Prism::start(&["proxy"], &strict::tightened(&documents.text()), Some(upstream)))
}

async fn sendgrid() -> SendGrid {
    let names = std::iter::once(SUBUSER.to_owned()).chain((2..=SUBUSERS).map(|n| format!("subuser-{n:02}")));
    let subusers = names.map(|name| support::account(Placement::Subuser(name)));
    let accounts: Vec<Account> = subusers.chain([support::dedicated()]).collect();
    SendGrid::start(World::of(&accounts)).await.unwrap()
}
