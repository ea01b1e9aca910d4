//! Putting a policy in force in a Weir that runs, by its operators' API.

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::{PolicyOptions, print};
use crate::running_weir::RunningWeir;

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
    let weir = RunningWeir::named(&options.asking.at)?;
    let request = weir
        .post("/v1/policy")
        .query(&[("reason", &options.author.reason)])
        .query(&options.author.by.iter().map(|by| ("by", by)).collect::<Vec<_>>())
        .header("content-type", "application/toml")
        .body(text);
    let answer: Value = weir.answer(request).await.with_context(|| format!("{file} was refused"))?;
    if options.asking.json {
        print(&serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    let Applied { digest, rules, previous } =
        serde_json::from_value(answer).with_context(|| format!("{} answers what makes no sense", weir.base()))?;
    let before = previous.map(|previous| format!(", after {previous}")).unwrap_or_default();
    print(&format!("{file} is in force: {rules} rules, {digest}{before}."));
    Ok(())
}
