//! `weir disconnect`: undoes what the receipt says, and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use sendgrid::api::Client;

use super::found::Scopes;
use super::receipt::{FileChange, FileRecord, Receipt};
use super::undo::{self, Now, Undo, UndoPlan};
use super::{asking, edit, files, refuse_without, words};
use crate::cli::connect::DisconnectOptions;
use crate::cli::print;
use crate::config;

/// Shows what it will undo, asks, and does it.
pub(crate) async fn disconnect(options: DisconnectOptions) -> anyhow::Result<ExitCode> {
    let path = Receipt::beside(&options.config);
    let Some(mut receipt) = Receipt::load(&path)? else {
        print(&format!("There is nothing to undo: {} is not there, so nothing is connected.", path.display()));
        return Ok(ExitCode::SUCCESS);
    };
    let settings = config::load_connecting(&options.config)?;
    let client = super::client(&settings)?;
    super::same_api(&receipt, &settings.api)?;
    let scopes = Scopes::ask(&client, &settings.key_env).await?;
    let now = look(&client, &receipt).await?;
    if undo::is_lost(&receipt, &now) && !options.forget {
        print(&lost(&receipt, &path, &settings.key_env));
        return Ok(ExitCode::FAILURE);
    }
    let plan = undo::plan(&receipt, &now, texts(&options.config, &receipt)?);
    print(&shown(&plan, &path));
    refuse_without(&scopes, plan.steps.iter().filter_map(Undo::scope), &settings.key_env)?;
    if options.dry_run {
        print("\nNothing was done (--dry-run).");
        return Ok(ExitCode::SUCCESS);
    }
    if !asking::agreed(options.yes)? {
        print("Nothing was done.");
        return Ok(ExitCode::FAILURE);
    }
    for step in &plan.steps {
        if let Undo::Delete(user, id) = step {
            receipt.goes(user, id);
            receipt.save(&path)?;
        }
        let failed = || format!("to {} failed; run `weir disconnect` again to go on", step.words());
        carry_out(&client, &options.config, step).await.with_context(failed)?;
        if let Undo::File(record) = step {
            receipt.files.retain(|known| known != record);
            receipt.save(&path)?;
        }
        print(&format!("done: {}", step.words()));
    }
    files::remove(&path)?;
    print("Disconnected. A Weir that runs knows its sources until its restart.");
    Ok(ExitCode::SUCCESS)
}

/// What is said where no webhook of the receipt is there.
fn lost(receipt: &Receipt, path: &Path, key_env: &str) -> String {
    let gone = receipt.webhooks.iter().map(|record| format!("\n  the webhook of {} to {}", record.user(), record.url));
    format!(
        "Nothing was done. Of what {} says, no webhook is at SendGrid:{}\nIs the key in {key_env} that of the account that was \
         connected? If they were all removed by hand, `weir disconnect --forget` takes back the rest and removes the receipt.",
        path.display(),
        gone.collect::<String>()
    )
}

fn shown(plan: &UndoPlan, receipt: &Path) -> String {
    let mut lines: Vec<_> = plan.steps.iter().map(Undo::words).collect();
    lines.push(format!("remove {}", receipt.display()));
    let left: Vec<_> = plan.left.iter().map(|left| format!("\nleft alone: {left}")).collect();
    format!("To undo:\n{}{}", words::numbered(&lines), left.concat())
}

/// The webhooks of those in the receipt, its own with their keys.
async fn look(client: &Client, receipt: &Receipt) -> anyhow::Result<Now> {
    let mut now = Now::new();
    for record in &receipt.webhooks {
        let user = record.user();
        if now.contains_key(&user) {
            continue;
        }
        if let Some(subuser) = user.subuser()
            && client.subuser(subuser).await?.is_none()
        {
            continue;
        }
        let account = user.account(client)?;
        let mut webhooks = account.webhooks().await?;
        let ids: Vec<_> = receipt.of(&user).filter_map(|record| record.id.clone()).collect();
        let is_recorded = |id: &str| ids.iter().any(|known| known == id);
        for webhook in webhooks.iter_mut().filter(|known| known.public_key.is_none() && is_recorded(known.id.as_str()))
        {
            webhook.public_key = account.webhook_key(&webhook.id).await?.and_then(|key| key.public_key);
        }
        now.insert(user, webhooks);
    }
    Ok(now)
}

/// The files of the receipt that are there.
fn texts(config: &Path, receipt: &Receipt) -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let mut texts = BTreeMap::new();
    for record in &receipt.files {
        let path = undo::path_of(config, &record.path);
        if path.exists() {
            texts.insert(record.path.clone(), files::read(&path)?);
        }
    }
    Ok(texts)
}

async fn carry_out(client: &Client, config: &Path, step: &Undo) -> anyhow::Result<()> {
    match step {
        Undo::Delete(user, id) => user.account(client)?.delete_webhook(id).await?,
        Undo::Restore(user, id, before) => {
            user.account(client)?.update_webhook(id, &undo::settings(before)).await?;
        }
        Undo::StopSigning(user, id) => {
            user.account(client)?.set_webhook_signing(id, false).await?;
        }
        Undo::File(record) => take_back(config, record)?,
    }
    Ok(())
}

fn take_back(config: &Path, record: &FileRecord) -> anyhow::Result<()> {
    let path = undo::path_of(config, &record.path);
    match &record.change {
        FileChange::Made(_) => files::remove(&path),
        FileChange::Edited(change) => {
            let text = edit::taken_back(&files::read(&path)?, change);
            files::write(&path, &text.context("somebody changed it just now")?)
        }
    }
}
