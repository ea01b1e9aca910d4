//! What an outsider sees of Weir while it works: decisions as they come, and the pools that it tells a mailer to use.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use model::{CustomerId, Decision, Stage};
use serde::Deserialize;
use simulator::platform::{Account, Gate, Placement};
use tokio::task::JoinHandle;

/// How often a mailer asks for its pools.
const ASK: Duration = Duration::from_millis(500);

/// Two tasks that ask Weir's API again and again.
#[derive(Debug)]
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Debug, Default)]
struct Seen {
    decisions: Vec<Decision>,
    routes: BTreeMap<CustomerId, Gate>,
}

#[derive(Deserialize)]
struct Decisions {
    decisions: Vec<Decision>,
    next: String,
}

#[derive(Deserialize)]
struct Route {
    ip_pool_name: Option<String>,
    stage: Stage,
    remaining_today: Option<u32>,
}

impl Watch {
    /// Begins to ask the API at `admin`.
    pub(crate) fn start(admin: SocketAddr, accounts: &[Account]) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build().context("no HTTP client")?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let routed: Vec<_> = accounts.iter().filter(|account| account.placement == Placement::Route).collect();
        let routed = routed.into_iter().map(|account| account.id.clone()).collect();
        let tasks = [
            tokio::spawn(follow(client.clone(), format!("http://{admin}/v1/decisions"), Arc::clone(&seen))),
            tokio::spawn(ask_routes(client, format!("http://{admin}/v1/customers"), routed, Arc::clone(&seen))),
        ];
        Ok(Self { seen, tasks })
    }

    /// Decisions that came since the last call.
    pub(crate) fn take_decisions(&self) -> Vec<Decision> {
        std::mem::take(&mut lock(&self.seen).decisions)
    }

    /// How the mailer sends a customer's mail that has no place of its own at SendGrid.
    pub(crate) fn gate(&self, customer: &CustomerId) -> Gate {
        let asked = lock(&self.seen).routes.get(customer).cloned();
        asked.unwrap_or_else(|| Gate::Send(Some(simulator::sendgrid::HOME.into())))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Follows the decisions by long polls.
async fn follow(client: reqwest::Client, url: String, seen: Arc<Mutex<Seen>>) {
    let mut after = String::new();
    loop {
        let query = [("wait", "10"), ("after", after.as_str())];
        let asked = client.get(&url).query(&query).send().await;
        let answer = match asked {
            Ok(answer) => answer.json::<Decisions>().await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(Decisions { decisions, next }) => {
                lock(&seen).decisions.extend(decisions);
                after = next;
            }
            Err(error) => {
                tracing::warn!(%error, "the decisions could not be read");
                tokio::time::sleep(ASK).await;
            }
        }
    }
}

async fn ask_routes(client: reqwest::Client, url: String, customers: Vec<CustomerId>, seen: Arc<Mutex<Seen>>) {
    let mut asking = tokio::time::interval(ASK);
    loop {
        asking.tick().await;
        for customer in &customers {
            let Ok(answer) = client.get(format!("{url}/{customer}/route")).send().await else { continue };
            let Ok(route) = answer.json::<Route>().await else { continue };
            let stopped = route.stage >= Stage::Suspended || route.remaining_today == Some(0);
            let gate = if stopped { Gate::Stop } else { Gate::Send(route.ip_pool_name.map(Into::into)) };
            lock(&seen).routes.insert(customer.clone(), gate);
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    // Whole values are put in: what a panic leaves behind is sound.
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
