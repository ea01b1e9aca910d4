//! Why a decision was made: asked of the Weir that runs, or read from the log where none does.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use console::Explainer;
use explain::Explanation;
use model::DecisionId;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use crate::cli::ExplainOptions;
use crate::config::{self, LogSettings, Settings};
use crate::opening;

/// How long a running Weir may take to be reached, and to answer: somewhat longer than it gives itself.
const REACHING: Duration = Duration::from_secs(2);
const ANSWERING: Duration = Duration::from_secs(75);
/// How long reading the log may take. Whoever asks at a terminal can end it any time.
const READING: Duration = Duration::from_secs(3_600);

/// What a running Weir says where it does not explain.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

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
    let client = reqwest::Client::builder().no_proxy().connect_timeout(REACHING).timeout(ANSWERING).build()?;
    let url = format!("http://{}/v1/decisions/{id}/explanation", reachable(admin));
    let answer = match client.get(&url).send().await {
        Ok(answer) => answer,
        Err(error) if error.is_connect() => return Ok(None),
        Err(error) => return Err(error).context("the running Weir does not answer"),
    };
    if answer.status().is_success() {
        return Ok(Some(
            answer.json().await.context("the running Weir's answer can't be read; is it of this version?")?,
        ));
    }
    let is_problem = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
    if !is_problem {
        return Ok(None);
    }
    let Problem { detail } = answer.json().await.context("the running Weir's answer can't be read")?;
    bail!("{detail}")
}

/// Where an address that is listened on can be reached from here.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = if listen.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { listen.ip() };
    SocketAddr::new(ip, listen.port())
}

/// Reads the log: that of Kafka, or the embedded one at rest.
async fn read(settings: Settings, id: DecisionId) -> anyhow::Result<Explanation> {
    if let LogSettings::Embedded(config) = &settings.log
        && !config.path.exists()
    {
        bail!("there is no log at {}: give the configuration that Weir runs with (--config)", config.path.display());
    }
    let log = opening::open(&settings.log).await?.log;
    let explainer = Explainer::new(log, Arc::clone(&settings.policy), READING);
    Ok(tokio::task::spawn_blocking(move || explainer.explain(&id)).await??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_everyone_is_reached_at_home() {
        assert_eq!(reachable("0.0.0.0:8081".parse().unwrap()), "127.0.0.1:8081".parse().unwrap());
        assert_eq!(reachable("10.0.0.7:8081".parse().unwrap()), "10.0.0.7:8081".parse().unwrap());
    }
}
