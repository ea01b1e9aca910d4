//! Rejects: listed, looked at, replayed.

use serde::Deserialize;
use serde_json::{Value, json};

use super::steering::sign;
use super::{Output, cursor, open};
use crate::cli::operate::Author;
use crate::cli::rejects::{ListOptions, RejectsCommand, RejectsOptions, ReplayOptions};
use crate::rendering::rejects as shown;
use crate::running_weir::RunningWeir;

/// Answers `weir rejects`.
pub(crate) async fn rejects(options: RejectsOptions) -> anyhow::Result<()> {
    match options.command {
        None => list(options.list).await,
        Some(RejectsCommand::List(options)) => list(options).await,
        Some(RejectsCommand::Show { id, asking }) => {
            let (weir, output) = open(&asking)?;
            let answer: Value = weir.answer(weir.get_from(&["v1", "rejects", &id])?).await?;
            output.show(answer, shown::whole)
        }
        Some(RejectsCommand::Replay(options)) => replay(options).await,
    }
}

#[derive(Deserialize)]
struct Page {
    rejects: Vec<Value>,
    next: Option<Value>,
}

async fn list(ListOptions { source, since, limit, asking }: ListOptions) -> anyhow::Result<()> {
    let (weir, output) = open(&asking)?;
    let (mut rejects, mut after) = (Vec::new(), None);
    while limit == 0 || rejects.len() < limit {
        let since = since.map(|since| since.to_string());
        let query = [("source", source.clone()), ("since", since), ("after", after)];
        let query: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let mut page: Page = weir.answer(weir.get("/v1/rejects").query(&query)).await?;
        rejects.append(&mut page.rejects);
        after = cursor(page.next);
        if after.is_none() {
            break;
        }
    }
    if limit > 0 {
        rejects.truncate(limit);
    }
    output.list(rejects, shown::list)
}

/// What replays found, together.
#[derive(Default)]
struct Sum {
    figures: [u64; 4],
    still: Vec<Value>,
}

/// The figures of an answer that are added up.
const FIGURES: [&str; 4] = ["rejects", "events", "too_old", "unreadable"];

impl Sum {
    fn add(&mut self, step: &Value) {
        for (sum, name) in self.figures.iter_mut().zip(FIGURES) {
            *sum += step[name].as_u64().unwrap_or_default();
        }
        self.still.extend(step["still"].as_array().into_iter().flatten().cloned());
    }

    fn show(self, is_dry: bool, output: &Output) -> anyhow::Result<()> {
        let mut whole = json!({ "still": self.still, "dry_run": is_dry });
        for (sum, name) in self.figures.into_iter().zip(FIGURES) {
            whole[name] = json!(sum);
        }
        output.show(whole, shown::replayed)
    }
}

async fn replay(options: ReplayOptions) -> anyhow::Result<()> {
    let (weir, output) = open(&options.asking)?;
    let mut sum = Sum::default();
    for id in &options.ids {
        let mut wish = json!({});
        sign(&mut wish, &options.author);
        let request = weir.post_to(&["v1", "rejects", id, "replay"])?.json(&wish);
        sum.add(&weir.answer::<Value>(request).await?);
    }
    if let (Some(source), Some(since)) = (&options.source, options.since) {
        let wish = json!({ "source": source, "since": since, "until": options.until, "dry_run": options.dry_run });
        replay_span(&weir, wish, &options.author, &mut sum).await?;
    }
    sum.show(options.dry_run, &output)
}

/// Step by step, until there are no more.
async fn replay_span(weir: &RunningWeir, mut wish: Value, author: &Author, sum: &mut Sum) -> anyhow::Result<()> {
    sign(&mut wish, author);
    loop {
        let step: Value = weir.answer(weir.post("/v1/rejects/replay").json(&wish)).await?;
        sum.add(&step);
        match step.get("next") {
            Some(Value::String(next)) => wish["after"] = json!(next),
            _ => return Ok(()),
        }
    }
}
