//! Doing what was planned, each step noted in the receipt before and after.

use std::path::{Path, PathBuf};

use anyhow::Context;
use sendgrid::api::{Client, Id, WebhookEvent, WebhookSettings};

use super::edit::{self, Edit, NewSource};
use super::files;
use super::plan::{FRIENDLY_NAME, Step, Target};
use super::pools::PoolChange;
use super::receipt::{FileChange, FileRecord, Receipt};

/// Where things are written.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The configuration.
    pub(super) config: PathBuf,
    /// The policy: its file, or where one would be.
    pub(super) policy: PathBuf,
    /// The receipt.
    pub(super) receipt: PathBuf,
}

impl Places {
    /// Beside this configuration.
    pub(super) fn of(config: &Path, policy: Option<&Path>) -> Self {
        let policy = policy.map_or_else(|| config.with_file_name(POLICY), Path::to_owned);
        Self { config: config.to_owned(), policy, receipt: Receipt::beside(config) }
    }

    /// A file as it is named from the configuration's folder, so that the receipt is right wherever it is read from.
    fn beside_config(&self, path: &Path) -> PathBuf {
        let folder = self.config.parent().unwrap_or(Path::new(""));
        path.strip_prefix(folder).unwrap_or(path).to_owned()
    }
}

/// The name of a policy file that is made.
const POLICY: &str = "policy.toml";

/// What is under way.
pub(super) struct Doing<'d> {
    pub(super) client: &'d Client,
    pub(super) places: &'d Places,
    pub(super) receipt: Receipt,
    pub(super) targets: Vec<Target>,
}

impl Doing<'_> {
    /// One step for the target at this place.
    pub(super) async fn step(&mut self, place: usize, step: Step) -> anyhow::Result<()> {
        let target = self.targets.get(place).cloned().context("there is no such target")?;
        self.receipt.begin(target.record());
        self.receipt.save(&self.places.receipt)?;
        match step {
            Step::Create => self.create(place, &target).await,
            Step::Sign => self.sign(place, &target).await,
            Step::AddSource => self.add_source(&target),
            Step::AddKey => self.add_key(&target),
            Step::TurnOn => self.turn_on(&target).await,
        }
    }

    async fn create(&mut self, place: usize, target: &Target) -> anyhow::Result<()> {
        let settings = WebhookSettings {
            url: target.url.clone(),
            enabled: false,
            events: WebhookEvent::ALL.into(),
            friendly_name: Some(FRIENDLY_NAME.to_owned()),
            oauth: None,
        };
        let made = target.user.account(self.client)?.create_webhook(&settings).await?;
        self.learn(place, |target| target.id = Some(made.id));
        if let Some(target) = self.targets.get(place) {
            self.receipt.begin(target.record());
        }
        self.receipt.save(&self.places.receipt)
    }

    async fn sign(&mut self, place: usize, target: &Target) -> anyhow::Result<()> {
        let (account, id) = (target.user.account(self.client)?, id(target)?);
        let signs = account.set_webhook_signing(id, true).await?;
        let key = match signs.public_key {
            Some(key) => Some(key),
            None => account.webhook_key(id).await?.and_then(|key| key.public_key),
        };
        let key = key.context("SendGrid says that the webhook signs, and tells no key")?;
        self.learn(place, |target| target.key = Some(key));
        Ok(())
    }

    async fn turn_on(&mut self, target: &Target) -> anyhow::Result<()> {
        // What is not named here stays as it is.
        let settings = WebhookSettings {
            url: target.url.clone(),
            enabled: true,
            events: WebhookEvent::ALL.into_iter().chain(target.events.iter().copied()).collect(),
            friendly_name: None,
            oauth: None,
        };
        target.user.account(self.client)?.update_webhook(id(target)?, &settings).await?;
        Ok(())
    }

    fn add_source(&mut self, target: &Target) -> anyhow::Result<()> {
        let new = NewSource {
            name: &target.source,
            subuser: target.user.subuser(),
            key: key(target)?,
            customer: &target.customer,
        };
        let edited = edit::add_source(&files::read(&self.places.config)?, &new)?;
        self.write(&self.places.config.clone(), format!("source {:?}", target.source), edited)
    }

    fn add_key(&mut self, target: &Target) -> anyhow::Result<()> {
        let edited = edit::add_key(&files::read(&self.places.config)?, &target.source, key(target)?)?;
        self.write(&self.places.config.clone(), format!("the key of source {:?}", target.source), edited)
    }

    /// What the policy says of pools.
    pub(super) fn pools(&mut self, change: &PoolChange) -> anyhow::Result<()> {
        let Places { config, policy, .. } = self.places.clone();
        match change {
            PoolChange::SetHome(home) => {
                let edited = edit::set(&files::read(&policy)?, "pools", "home", home)?;
                self.write(&policy, "pool home".to_owned(), edited)
            }
            PoolChange::MakePolicy { home, quarantine } => {
                let text = policy_with(home, quarantine)?;
                self.make(&policy, text)?;
                let edited = edit::set(&files::read(&config)?, "policy", "file", POLICY)?;
                self.write(&config, "the policy's file".to_owned(), edited)
            }
        }
    }

    fn make(&mut self, path: &Path, text: String) -> anyhow::Result<()> {
        let (shown, file) = (path.display(), self.places.beside_config(path));
        let ours = |record: &FileRecord| matches!(&record.change, FileChange::Made(made) if record.path == file && *made == text);
        if path.exists() {
            let is_ours = self.receipt.files.iter().any(ours) && files::read(path)? == text;
            anyhow::ensure!(
                is_ours,
                "{shown} is there, and the configuration does not name it: name it under [policy], or move it"
            );
            return Ok(());
        }
        self.receipt.files.retain(|record| !ours(record));
        let change = FileChange::Made(text.clone());
        self.receipt.files.push(FileRecord { path: file, what: "the policy".to_owned(), change });
        self.receipt.save(&self.places.receipt)?;
        files::write(path, &text)
    }

    fn write(&mut self, path: &Path, what: String, (text, edit): (String, Edit)) -> anyhow::Result<()> {
        let record = FileRecord { path: self.places.beside_config(path), what, change: FileChange::Edited(edit) };
        self.receipt.file(record, &files::read(path)?);
        self.receipt.save(&self.places.receipt)?;
        files::write(path, &text)
    }

    fn learn(&mut self, place: usize, what: impl FnOnce(&mut Target)) {
        if let Some(target) = self.targets.get_mut(place) {
            what(target);
        }
    }

    /// Notes that these targets' test events have arrived.
    pub(super) fn arrived(&mut self, places: impl IntoIterator<Item = usize>) -> anyhow::Result<()> {
        for target in places.into_iter().filter_map(|place| self.targets.get(place)) {
            if let Some(record) = self.receipt.posting_to(&target.user, &target.url) {
                record.arrived = true;
            }
        }
        self.receipt.save(&self.places.receipt)
    }
}

/// Tries all changes of files on their texts, so that what can't be written is told before anything is done.
pub(super) fn rehearse(places: &Places, steps: &[(Step, &Target)], pools: Option<&PoolChange>) -> anyhow::Result<()> {
    let mut config = files::read(&places.config)?;
    match pools {
        Some(PoolChange::SetHome(home)) => drop(edit::set(&files::read(&places.policy)?, "pools", "home", home)?),
        Some(PoolChange::MakePolicy { home, quarantine }) => {
            drop(policy_with(home, quarantine)?);
            config = edit::set(&config, "policy", "file", POLICY)?.0;
        }
        None => {}
    }
    for (step, target) in steps {
        let new = NewSource {
            name: &target.source,
            subuser: target.user.subuser(),
            key: "to be fetched",
            customer: &target.customer,
        };
        config = match step {
            Step::AddSource => edit::add_source(&config, &new)?.0,
            Step::AddKey => edit::add_key(&config, &target.source, new.key)?.0,
            Step::Create | Step::Sign | Step::TurnOn => config,
        };
    }
    Ok(())
}

/// The policy that Weir comes with, with these pools.
fn policy_with(home: &str, quarantine: &str) -> anyhow::Result<String> {
    let (text, _) = edit::set(policy::DEFAULT, "pools", "home", home)?;
    let (text, _) = edit::set(&text, "pools", "quarantine", quarantine)?;
    policy::Policy::parse(&text).map_err(|error| anyhow::anyhow!("the pools can't stand in a policy: {error}"))?;
    Ok(text)
}

fn id(target: &Target) -> anyhow::Result<&Id> {
    target.id.as_ref().context("the webhook has no id yet")
}

fn key(target: &Target) -> anyhow::Result<&str> {
    target.key.as_deref().context("the webhook's key is not known yet")
}
