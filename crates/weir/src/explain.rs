//! Why a decision was made: asked of the Weir that runs, or read from the log where none does.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use console::Explainer;
use explain::Explanation;
use model::DecisionId;
use reqwest::StatusCode;

use crate::cli::ExplainOptions;
use crate::config::{self, LogSettings, Reading};
use crate::opening;
use crate::running_weir::{Failure, Problem, RunningWeir, problem};

/// How long reading the log may take. Whoever asks at a terminal can end it any time.
const READING: Duration = Duration::from_secs(3_600);

/// Explains a decision, as text or as JSON.
pub(crate) async fn explain(options: ExplainOptions) -> anyhow::Result<()> {
    let Some(id) = DecisionId::parse(&options.id) else {
        bail!("{:?} is no decision's id: they have 32 hexadecimal digits, as `GET /v1/decisions` shows", options.id);
    };
    let at = &options.asking.at;
    let weir = RunningWeir::named(at)?;
    let explanation = match &at.admin {
        Some(_) => ask_there(&weir, &id).await?,
        None => ask_or_read(&weir, at.config.as_deref(), id).await?,
    };
    crate::cli::print(&if options.asking.json { explanation_json(&explanation)? } else { explanation.to_string() });
    Ok(())
}

fn explanation_json(explanation: &Explanation) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(explanation)?)
}

/// What came of asking a running Weir.
enum Asked {
    /// The explanation.
    Explained(Box<Explanation>),
    /// None runs there, or one without the operators' API.
    Nobody,
    /// The log is too long for it; what it says of that.
    TooLong(String),
}

/// Asks the one Weir that is named.
async fn ask_there(weir: &RunningWeir, id: &DecisionId) -> anyhow::Result<Explanation> {
    match ask(weir, id).await? {
        Asked::Explained(explanation) => Ok(*explanation),
        Asked::Nobody => bail!("no Weir with the operators' API answers at {}", weir.base()),
        Asked::TooLong(detail) => bail!("{detail}"),
    }
}

/// Asks the Weir of the configuration, and reads the log where that can't answer.
async fn ask_or_read(weir: &RunningWeir, config: Option<&Path>, id: DecisionId) -> anyhow::Result<Explanation> {
    match ask(weir, &id).await? {
        Asked::Explained(explanation) => Ok(*explanation),
        Asked::Nobody => read(config::load_reading(config)?, id).await,
        Asked::TooLong(detail) => match config::load_reading(config).context(detail.clone())? {
            // Kafka can be read by several; the embedded log is the running Weir's.
            reading @ Reading { log: LogSettings::Kafka(_), .. } => read(reading, id).await,
            Reading { log: LogSettings::Embedded(_), .. } => bail!("{detail}"),
        },
    }
}

/// Asks a running Weir.
async fn ask(weir: &RunningWeir, id: &DecisionId) -> anyhow::Result<Asked> {
    let request = weir.get(&format!("/v1/decisions/{id}/explanation"));
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) if error.is_connect() => return Ok(Asked::Nobody),
        Err(error) if error.is_timeout() => return Ok(Asked::TooLong("the running Weir does not answer".to_owned())),
        Err(error) => return Err(error).context("the running Weir does not answer"),
    };
    let status = answer.status();
    if status.is_success() {
        let read = answer.json().await.context("the running Weir's answer can't be read; is it of this version?")?;
        return Ok(Asked::Explained(read));
    }
    match problem(answer).await {
        Some(Problem { detail, .. }) if status == StatusCode::GATEWAY_TIMEOUT => Ok(Asked::TooLong(detail)),
        Some(problem) => Err(Failure::Refused { status, problem }.into()),
        None => Ok(Asked::Nobody),
    }
}

/// Reads the log: that of Kafka, or the embedded one at rest.
async fn read(Reading { log, policy }: Reading, id: DecisionId) -> anyhow::Result<Explanation> {
    let log = opening::open_to_read(&log).await?;
    let explainer = Explainer::new(log, policy, READING);
    Ok(tokio::task::spawn_blocking(move || explainer.explain(&id)).await??)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::running_weir::Ending;

    /// A listener that answers one request with this status and problem.
    fn answering(status: &str, detail: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let body = format!(r#"{{"title":"a title","detail":"{detail}"}}"#);
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {length}\r\n");
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4_096];
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).unwrap();
        });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn a_log_that_is_too_long_for_the_running_weir_is_told_from_what_it_refuses() {
        let id = DecisionId::from_bits(7);
        let weir = RunningWeir::at(&answering("504 Gateway Timeout", "read it yourself")).unwrap();
        assert!(matches!(ask(&weir, &id).await.unwrap(), Asked::TooLong(detail) if detail == "read it yourself"));
        let weir = RunningWeir::at(&answering("404 Not Found", "no such decision")).unwrap();
        let refused = ask(&weir, &id).await.err().unwrap();
        assert_eq!(refused.to_string(), "a title: no such decision");
        assert_eq!(Ending::of(&refused), Ending::NotFound);
    }
}
