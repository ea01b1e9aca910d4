//! Putting a policy in force in a Weir that runs, by its operators' API.

use anyhow::Context;
use serde::Deserialize;

use crate::cli::{PolicyOptions, print};
use crate::config;
use crate::running_weir::{Problem, RunningWeir, problem};

/// What the API answers of a policy that it took.
#[derive(Deserialize)]
struct Applied {
    digest: String,
    rules: usize,
    previous: Option<String>,
}

/// Sends the policy file to the admin listener, and says what came of it.
pub(crate) async fn apply(options: PolicyOptions) -> anyhow::Result<()> {
    let file = options.file.display();
    let text = std::fs::read_to_string(&options.file).with_context(|| format!("{file} can't be read"))?;
    let weir = match options.to {
        Some(to) => RunningWeir::at(&to)?,
        None => RunningWeir::listening(config::load_admin(options.config.as_deref())?)?,
    };
    let request = weir
        .post("/v1/policy")
        .query(&[("by", &options.by), ("reason", &options.reason)])
        .header("content-type", "application/toml")
        .body(text);
    let answer = request.send().await;
    let answer = answer.with_context(|| format!("Weir at {} does not answer; does it run?", weir.base()))?;
    let status = answer.status();
    if !status.is_success() {
        let refused = problem(answer).await.map(|Problem { title, detail }| format!("{title}\n{detail}"));
        anyhow::bail!("{file} was refused: {}", refused.unwrap_or_else(|| status.to_string()));
    }
    let answer = answer.json().await;
    let Applied { digest, rules, previous } =
        answer.with_context(|| format!("{} answers what makes no sense", weir.base()))?;
    let before = previous.map(|previous| format!(", after {previous}")).unwrap_or_default();
    print(&format!("{file} is in force: {rules} rules, {digest}{before}."));
    Ok(())
}
