//! A policy's scorecard over a simulated month.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use policy::Policy;
use simulator::month::Scenario;

use crate::cli::{JudgeOptions, print};

/// Judges the policy, and prints the scorecard.
pub(crate) fn run(options: &JudgeOptions) -> anyhow::Result<ExitCode> {
    let policy = Arc::new(policy(options)?);
    let customers = usize::try_from(options.customers).context("this machine can't hold so many customers")?;
    let scenario = Scenario { seed: options.seed, customers, days: options.days };
    let bar = ProgressBar::new(u64::from(options.days));
    // Without a terminal there is no bar.
    bar.set_style(ProgressStyle::with_template("day {pos} of {len} {bar:40} {eta}")?);
    let scorecard = judge::score(&policy, &scenario, &mut |day| bar.set_position(u64::from(day)));
    bar.finish_and_clear();
    let text = if options.json { serde_json::to_string_pretty(&scorecard)? } else { scorecard.to_string() };
    print(&text);
    Ok(ExitCode::SUCCESS)
}

fn policy(options: &JudgeOptions) -> anyhow::Result<Policy> {
    let Some(path) = &options.policy else {
        return Policy::parse(policy::DEFAULT).context("the policy that Weir comes with is wrong");
    };
    let text = std::fs::read_to_string(path).with_context(|| format!("can't read the policy {}", path.display()))?;
    Policy::parse(&text).with_context(|| format!("the policy {} is wrong", path.display()))
}
