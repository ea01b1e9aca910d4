//! Why a decision was made: asked of the Weir that runs, or read from the log where none does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use console::Explainer;
use explain::Explanation;
use model::DecisionId;

use crate::cli::ExplainOptions;
use crate::config::{self, Settings};
use crate::opening;
use crate::running_weir::{Problem, RunningWeir, problem};

/// How long reading the log may take. Whoever asks at a terminal can end it any time.
const READING: Duration = Duration::from_secs(3_600);

/// Explains a decision, as text or as JSON.
pub(crate) async fn explain(options: ExplainOptions) -> anyhow::Result<()> {
    let Some(id) = DecisionId::parse(&options.id) else {
        bail!("{:?} is no decision's id: they have 32 hexadecimal digits, as `GET /v1/decisions` shows", options.id);
    };
    let settings = config::load(options.config.as_deref())?;
    let explanation = match ask(settings.admin, &id).await? {
        Some(explanation) => explanation,
        None => read(settings, id).await?,
    };
    crate::cli::print(&if options.json { explanation_json(&explanation)? } else { explanation.to_string() });
    Ok(())
}

fn explanation_json(explanation: &Explanation) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(explanation)?)
}

/// Asks the running Weir; `None` where none runs here, or one without the operators' API.
async fn ask(admin: SocketAddr, id: &DecisionId) -> anyhow::Result<Option<Explanation>> {
    let request = RunningWeir::listening(admin)?.get(&format!("/v1/decisions/{id}/explanation"));
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) if error.is_connect() => return Ok(None),
        Err(error) => return Err(error).context("the running Weir does not answer"),
    };
    if answer.status().is_success() {
        return Ok(Some(
            answer.json().await.context("the running Weir's answer can't be read; is it of this version?")?,
        ));
    }
    match problem(answer).await {
        Some(Problem { detail, .. }) => bail!("{detail}"),
        None => Ok(None),
    }
}

/// Reads the log: that of Kafka, or the embedded one at rest.
async fn read(settings: Settings, id: DecisionId) -> anyhow::Result<Explanation> {
    let log = opening::open_to_read(&settings.log).await?;
    let explainer = Explainer::new(log, Arc::clone(&settings.policy), READING);
    Ok(tokio::task::spawn_blocking(move || explainer.explain(&id)).await??)
}
