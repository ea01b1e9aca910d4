//! `weir connect` sets SendGrid up to post to Weir; `weir disconnect` undoes exactly that.
//!
//! Look, plan, show, ask, do: what there is at SendGrid ([`found`]) and what is configured give a plan ([`plan`], [`pools`]),
//! which is pure; [`words`] shows it; [`doing`] carries it out and notes each step in a receipt ([`receipt`]), by which
//! [`undo`] plans the way back. [`testing`] and [`arrival`] have test events sent and see whether they come.

pub(crate) mod address;
mod arrival;
mod asking;
mod check;
mod disconnect;
mod doing;
mod edit;
mod files;
mod found;
mod plan;
#[cfg(test)]
mod plan_tests;
mod pools;
mod receipt;
mod testing;
mod undo;
mod user;
mod words;

use std::process::ExitCode;

use anyhow::Context;
use sendgrid::api::{self, Client};

use crate::cli::connect::ConnectOptions;
use crate::cli::print;
use crate::config::{self, Connecting};
use arrival::Arrival;
use doing::{Doing, Places};
use found::{Found, Scopes, WantedSubusers};
use plan::{Ground, Plan, Step, Target};
use pools::{PoolPlan, Pools};
use receipt::Receipt;
use testing::{Listener, Probe};

pub(crate) use disconnect::disconnect;

/// Everything that is to be done.
struct Whole {
    plan: Plan,
    pools: PoolPlan,
    /// The places of the targets that are tested at the end.
    untested: Vec<usize>,
    listener: Listener,
}

/// Where it stands before anything is done.
struct Standing {
    settings: Connecting,
    client: Client,
    places: Places,
    receipt: Receipt,
    scopes: Scopes,
}

/// Looks, shows what it will do, asks, and does it; or, with `--check`, only tests what is connected.
pub(crate) async fn connect(options: ConnectOptions) -> anyhow::Result<ExitCode> {
    let settings = config::load_connecting(&options.config)?;
    let client = client(&settings)?;
    let places = Places::of(&options.config, settings.policy_file.as_deref());
    let receipt = Receipt::load(&places.receipt)?.unwrap_or_else(|| Receipt::new(&settings.api));
    same_api(&receipt, &settings.api)?;
    let scopes = Scopes::ask(&client, &settings.key_env).await?;
    let standing = Standing { settings, client, places, receipt, scopes };
    if options.check { check::check(standing, &options).await } else { set_up(standing, &options).await }
}

async fn set_up(standing: Standing, options: &ConnectOptions) -> anyhow::Result<ExitCode> {
    let Standing { settings, client, scopes, .. } = &standing;
    refuse_without(scopes, ["user.webhooks.event.settings.read"], &settings.key_env)?;
    let base = options.url.as_ref().context("where SendGrid is to post to is missing: --url https://…")?;
    let wanted =
        if options.all_subusers { WantedSubusers::All } else { WantedSubusers::These(options.subusers.clone()) };
    let found = found::look(client, &wanted, base).await?;
    print(&words::found(&settings.api, &found, scopes));
    let whole = standing.whole(&found, options).await?;
    let tasks = whole.tasks(&standing, options);
    if tasks.is_empty() {
        print(&format!("{}\nThere is nothing to do: everything is connected already.", whole.warnings(options)));
        return Ok(ExitCode::SUCCESS);
    }
    print(&format!("{}\nTo do:\n{}", whole.warnings(options), words::numbered(&tasks)));
    refuse_without(scopes, whole.scopes(), &settings.key_env)?;
    if options.dry_run {
        print("\nNothing was done (--dry-run).");
        return Ok(ExitCode::SUCCESS);
    }
    if !asking::agreed(options.yes)? {
        print("Nothing was done.");
        return Ok(ExitCode::FAILURE);
    }
    standing.carry_out(whole, options).await
}

impl Standing {
    async fn whole(&self, found: &Found, options: &ConnectOptions) -> anyhow::Result<Whole> {
        let base = options.url.as_ref().context("--url is missing")?;
        let customer = &options.customer;
        let ground = Ground { base, sources: &self.settings.sources, customer, receipt: &self.receipt };
        let plan = plan::plan(&found.users, ground)?;
        let pools = Pools {
            found: found.pools.as_deref().ok(),
            home: self.settings.home_pool.as_deref(),
            quarantine: &self.settings.quarantine_pool,
            policy_file: self.settings.policy_file.as_deref(),
            wanted_home: options.home_pool.as_deref(),
            wanted_quarantine: options.quarantine_pool.as_deref(),
        };
        let pools = pools.plan()?;
        let steps: Vec<_> = plan.steps.iter().filter_map(|(at, step)| Some((*step, plan.targets.get(*at)?))).collect();
        doing::rehearse(&self.places, &steps, pools.change.as_ref())?;
        let (receiver, admin) = (self.settings.receiver.listen, self.settings.admin);
        let listener = Listener::find(receiver, admin, options.to.as_deref()).await?;
        // A Weir that runs takes new sources at its restart only.
        let is_written = steps.iter().any(|(step, _)| matches!(step, Step::AddSource | Step::AddKey));
        let can_arrive = match listener {
            Listener::Free => true,
            Listener::Weir(_) => !is_written,
            Listener::Other => false,
        };
        let untested = if can_arrive { plan.untested() } else { Vec::new() };
        Ok(Whole { plan, pools, untested, listener })
    }

    async fn carry_out(self, whole: Whole, options: &ConnectOptions) -> anyhow::Result<ExitCode> {
        let Whole { plan, pools, untested, listener } = whole;
        let needs_test = !plan.untested().is_empty();
        let (client, config) = (&self.client, options.config.display().to_string());
        let mut doing = Doing { client, places: &self.places, receipt: self.receipt, targets: plan.targets };
        let failed = |what: &str| {
            format!(
                "to {what} failed; what was done before stays, and is noted in {}: run this again to go on, or `weir \
                 disconnect` to undo it",
                self.places.receipt.display()
            )
        };
        if let Some(change) = &pools.change {
            let what = words::pools(change, &self.places.policy.display().to_string(), &config);
            doing.pools(change).with_context(|| failed(&what))?;
            print(&format!("done: {what}"));
        }
        for (place, step) in plan.steps {
            let what = doing.targets.get(place).map(|target| words::step(step, target, &config)).unwrap_or_default();
            doing.step(place, step).await.with_context(|| failed(&what))?;
            print(&format!("done: {what}"));
        }
        if untested.is_empty() {
            let told = if needs_test { untold(&listener) } else { "" };
            print(&format!("Connected.{told}"));
            return Ok(ExitCode::SUCCESS);
        }
        let probes = untested.iter().filter_map(|place| probe(doing.targets.get(*place)?)).collect::<Vec<_>>();
        print(&format!("Waiting for {} …", words::test_events(probes.len())));
        let wait = options.longest_wait();
        let arrivals = testing::test(client, (listener, self.settings.receiver), &probes, wait).await;
        let arrivals = arrivals.with_context(|| failed("test it"))?;
        let here = untested.iter().zip(&arrivals).filter(|(_, arrival)| **arrival == Arrival::Verified);
        doing.arrived(here.map(|(place, _)| *place))?;
        Ok(check::tell(&probes, &arrivals))
    }
}

/// What is left to do where no test event can arrive yet.
const fn untold(listener: &Listener) -> &'static str {
    match listener {
        Listener::Other => {
            " No test event was sent: something that is no Weir listens where the receiver is to. Free the address, start \
             Weir within 24 hours (for so long SendGrid posts again what was not taken), then run `weir connect --check`."
        }
        Listener::Weir(_) | Listener::Free => {
            " The Weir that runs does not know the new source yet: restart it within 24 hours (for so long SendGrid posts \
             again what was not taken), then run `weir connect --check`, which has test events sent and waits for them."
        }
    }
}

fn probe(target: &Target) -> Option<Probe> {
    Some(Probe {
        user: target.user.clone(),
        source: target.source.clone(),
        url: target.url.clone(),
        id: target.id.clone()?,
        keys: vec![target.key.clone()?],
    })
}

impl Whole {
    /// All that will be done, in words.
    fn tasks(&self, standing: &Standing, options: &ConnectOptions) -> Vec<String> {
        let config = options.config.display().to_string();
        let policy = standing.places.policy.display().to_string();
        let mut tasks: Vec<_> = self.pools.change.iter().map(|change| words::pools(change, &policy, &config)).collect();
        let steps = self.plan.steps.iter().filter_map(|(place, step)| {
            self.plan.targets.get(*place).map(|target| words::step(*step, target, &config))
        });
        tasks.extend(steps);
        if !self.untested.is_empty() {
            let (count, longest) = (words::test_events(self.untested.len()), options.longest_wait().as_secs());
            let place = match &self.listener {
                Listener::Weir(weir) => format!("the Weir that runs at {}", weir.base()),
                Listener::Free | Listener::Other => {
                    format!("a receiver that is open on {} for as long", standing.settings.receiver.listen)
                }
            };
            tasks.push(format!("have SendGrid send {count}, and wait at most {longest} s at {place}"));
        }
        tasks
    }

    fn scopes(&self) -> impl Iterator<Item = &'static str> {
        let test = (!self.untested.is_empty()).then_some("user.webhooks.event.test.create");
        self.plan.steps.iter().filter_map(|(_, step)| step.scope()).chain(test)
    }

    /// What an operator has to know beside the plan, a line each.
    fn warnings(&self, options: &ConnectOptions) -> String {
        let mut warnings = self.pools.warnings.clone();
        if options.url.as_ref().is_some_and(address::Base::is_plain) {
            warnings.push("SendGrid will post over plain http: whoever is on the way reads the recipients".to_owned());
        }
        warnings.iter().map(|warning| format!("\nNote: {warning}.")).collect()
    }
}

/// A client that asks patiently, with the enforcer's key.
fn client(settings: &Connecting) -> anyhow::Result<Client> {
    let missing = || {
        let env = &settings.key_env;
        format!(
            "there is no SendGrid API key in the variable {env}: put one there, or name another variable under [sendgrid] as api_key_env"
        )
    };
    let key = settings.key.clone().with_context(missing)?;
    Ok(Client::new(api::Config::new(settings.api.clone(), key))?)
}

/// What was connected at one API can't be undone or gone on with at another.
fn same_api(receipt: &Receipt, api: &str) -> anyhow::Result<()> {
    let then = &receipt.api;
    anyhow::ensure!(
        then == api,
        "the receipt is of {then}, and [sendgrid] api is {api}: set it back, or disconnect first"
    );
    Ok(())
}

/// Says by name which scopes are missing for what is to be done, before any of it is done.
fn refuse_without(
    scopes: &Scopes,
    wanted: impl IntoIterator<Item = &'static str>,
    key_env: &str,
) -> anyhow::Result<()> {
    let lacking: Vec<_> = scopes.lacking(wanted).into_iter().collect();
    anyhow::ensure!(
        lacking.is_empty(),
        "nothing was done: the API key in {key_env} lacks {}: give it to the key at SendGrid (Settings, API Keys), or use another key",
        lacking.join(", ")
    );
    Ok(())
}
