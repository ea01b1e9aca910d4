//! Templates of outreach: written out, and shown filled.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use model::{Decision, Mode, Stage, Standing};
use outreach::{Audience, BUILT_IN, Circumstances, DIGEST, Force, Letter, Message, Place};
use serde::Deserialize;

use crate::cli::outreach::{OutreachCommand, PreviewOptions};
use crate::config;
use crate::running_weir::RunningWeir;

/// As many decisions as are looked through for one.
const PAGES: u32 = 1_000;

pub(crate) async fn run(command: OutreachCommand) -> anyhow::Result<()> {
    match command {
        OutreachCommand::Templates { folder } => write_out(&folder),
        OutreachCommand::Preview(options) => preview(options).await,
    }
}

fn write_out(folder: &Path) -> anyhow::Result<()> {
    let mut written = 0;
    for (name, text) in BUILT_IN {
        let file = folder.join(format!("{name}.md"));
        if file.exists() {
            continue;
        }
        let parent = file.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).with_context(|| format!("{} can't be made", parent.display()))?;
        std::fs::write(&file, text).with_context(|| format!("{} can't be written", file.display()))?;
        written += 1;
    }
    crate::cli::print(&format!("{written} templates written; those that were there are left as they were."));
    Ok(())
}

async fn preview(options: PreviewOptions) -> anyhow::Result<()> {
    let (templates, policy) = config::load_templates(options.at.config.as_deref())?;
    if options.template == DIGEST {
        let [digest, ..] = outreach::example_digests();
        show(&templates.digest(&digest)?, options.html);
        return Ok(());
    }
    let (audience, stage) = audience_of(&options.template)?;
    let (decision, place) = match (&options.decision, &options.customer) {
        (None, None) => {
            let stage = stage.context("name a stage's template: for example customer/suspended")?;
            let example = outreach::example(stage, Some(&options.signal)).context("there is no such example")?;
            let place = Place::example(stage, policy.daily_cap(stage));
            (Decision { policy: policy.digest().to_owned(), ..example }, Some(place))
        }
        (decision, customer) => {
            let found = |one: &Decision| {
                decision.as_ref().is_none_or(|id| one.id.as_str() == id)
                    && customer.as_ref().is_none_or(|id| one.customer.as_str() == id)
            };
            let weir = RunningWeir::named(&options.at)?;
            let decision = latest(&weir, found).await?.context("no such decision is known")?;
            let asked = weir.get_from(&["v1", "customers", decision.customer.as_str()])?;
            // Without a scorer in that process nothing is promised.
            let standing: Option<Standing> = weir.answer(asked).await.ok();
            (decision, standing.as_ref().map(Place::of))
        }
    };
    let daily_cap = place.as_ref().map_or(policy.daily_cap(decision.to), Place::daily_cap);
    let force = if decision.mode == Mode::Shadow { Force::Shadow } else { Force::InForce { daily_cap } };
    // Another policy may be in force there than is configured here.
    let policy = Some(Arc::new(policy)).filter(|policy| policy.digest() == decision.policy);
    let circumstances = Circumstances { policy, place, ..Circumstances::new(audience, force) };
    let letter = Letter::new(&decision, &circumstances);
    let message = templates.letter(&audience.template(stage.unwrap_or(decision.to)), &letter)?;
    show(&message, options.html);
    Ok(())
}

fn show(message: &Message, as_page: bool) {
    let body = if as_page { &message.html } else { &message.text };
    crate::cli::print(&format!("Subject: {}\n\n{body}", message.subject));
}

fn audience_of(template: &str) -> anyhow::Result<(Audience, Option<Stage>)> {
    let (folder, stage) = template.split_once('/').map_or((template, None), |(folder, stage)| (folder, Some(stage)));
    let audience = match folder {
        "success" => Audience::Success,
        "customer" => Audience::Customer,
        _ => bail!("{template:?} makes no message: success/STAGE, customer/STAGE and digest/weekly do"),
    };
    let named = |name: &str| Stage::ALL.into_iter().find(|stage| stage.name() == name);
    let stage = stage.map(|name| named(name).with_context(|| format!("{name:?} is no stage"))).transpose()?;
    Ok((audience, stage))
}

#[derive(Deserialize)]
struct Page {
    decisions: Vec<Decision>,
    next: String,
}

/// The latest decision of those that a running Weir knows.
async fn latest(weir: &RunningWeir, found: impl Fn(&Decision) -> bool) -> anyhow::Result<Option<Decision>> {
    let (mut after, mut latest) = (String::new(), None);
    for _ in 0..PAGES {
        let page: Page = weir.answer(weir.get("/v1/decisions").query(&[("after", &after)])).await?;
        if page.decisions.is_empty() {
            break;
        }
        latest = page.decisions.into_iter().rfind(|one| found(one)).or(latest);
        after = page.next;
    }
    Ok(latest)
}
