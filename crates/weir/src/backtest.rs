//! `weir backtest`: what policies would have decided over recorded events, or over the log.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use backtest::{Candidate, Outcome, Reading, Recording, over_log, over_recordings, report};
use model::Millis;

use crate::cli::BacktestOptions;
use crate::{config, opening};

/// Runs it and shows what came of it.
pub(crate) fn run(options: BacktestOptions, runtime: &tokio::runtime::Runtime) -> anyhow::Result<()> {
    anyhow::ensure!(
        options.policy.len() <= 2,
        "two policies are held against each other, not {}",
        options.policy.len()
    );
    let candidates = options.policy.iter().map(|path| candidate(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let outcome = if options.log {
        let settings = config::load_log(options.config.as_deref())?;
        let log = runtime.block_on(opening::open_to_read(&settings))?;
        over_log(&candidates, log.as_ref())?
    } else {
        let tick = Millis::seconds(1)..=Millis::hours(1);
        anyhow::ensure!(tick.contains(&options.tick), "--tick is from 1s to 1h");
        let recordings = options.events.iter().map(|path| recording(path)).collect();
        over_recordings(&candidates, recordings, &Reading { customer: options.customer, tick: options.tick })?
    };
    if let Some(path) = &options.html {
        let page = report::html(&outcome);
        std::fs::write(path, page).with_context(|| format!("{} can't be written", path.display()))?;
    }
    show(&outcome, options.json)
}

fn recording(path: &Path) -> Recording {
    match path.to_str() {
        Some("-") => Recording::reader("standard input", std::io::stdin()),
        _ => Recording::file(path),
    }
}

fn candidate(path: &Path) -> anyhow::Result<Candidate> {
    let policy = config::load_policy(path)?;
    Ok(Candidate { name: path.display().to_string(), policy: Arc::new(policy) })
}

/// With `--json` only decisions go to standard output, so that a program can read them.
fn show(outcome: &Outcome, json: bool) -> anyhow::Result<()> {
    if !json {
        crate::cli::print(&report::text(outcome));
        return Ok(());
    }
    eprintln!("{}", report::summary(outcome));
    let lines = outcome.json_lines().context("a decision can't be written")?;
    std::io::stdout().lock().write_all(lines.as_bytes()).context("standard output is closed")
}
