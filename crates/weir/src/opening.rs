//! Opening the log that is configured.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use log::Log;
use log::embedded::EmbeddedLog;
use log::kafka::{self, KafkaLog};
use tokio::time::Instant;

use crate::config::{KafkaSettings, LogSettings};

/// How long Weir waits for brokers that don't answer, before it ends and leaves the rest to whoever supervises it.
const WAITING: Duration = Duration::from_secs(60);
/// How soon they are tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// An open log; the embedded one needs looking after.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) embedded: Option<Arc<EmbeddedLog>>,
}

/// Opens the log, and makes its topics where that is allowed. Brokers that don't answer yet are waited for.
pub(crate) async fn open(settings: &LogSettings) -> anyhow::Result<Opened> {
    match settings {
        LogSettings::Embedded(config) => {
            let log = Arc::new(EmbeddedLog::open(config.clone()).context("the log can't be opened")?);
            Ok(Opened { log: Arc::clone(&log) as Arc<dyn Log>, embedded: Some(log) })
        }
        LogSettings::Kafka(settings) => {
            let deadline = Instant::now() + WAITING;
            let log = loop {
                match open_kafka(settings).await? {
                    Err(error) if error.may_pass() && Instant::now() < deadline => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "waiting for the log");
                        tokio::time::sleep(AGAIN).await;
                    }
                    opened => break opened.context("the log can't be opened")?,
                }
            };
            Ok(Opened { log: Arc::new(log), embedded: None })
        }
    }
}

/// Opens the log for one who only reads: nothing is made, and an embedded log takes nothing.
pub(crate) async fn open_to_read(settings: &LogSettings) -> anyhow::Result<Arc<dyn Log>> {
    match settings {
        LogSettings::Embedded(config) => {
            let path = config.path.display();
            let opened = EmbeddedLog::open_read_only(config.clone());
            let hint = || format!("the log at {path} can't be opened to be read; is it Weir's own (--config)?");
            Ok(Arc::new(opened.with_context(hint)?))
        }
        LogSettings::Kafka(settings) => {
            let settings = KafkaSettings { create_topics: false, ..(**settings).clone() };
            Ok(open(&LogSettings::Kafka(Box::new(settings))).await?.log)
        }
    }
}

async fn open_kafka(settings: &KafkaSettings) -> anyhow::Result<log::Result<KafkaLog>> {
    if settings.create_topics
        && let Err(error) = create(settings).await
    {
        return Ok(Err(error));
    }
    let config = settings.config.clone();
    Ok(tokio::task::spawn_blocking(move || KafkaLog::open(config)).await?)
}

/// Makes the topics that are missing, and says which.
pub(crate) async fn create_topics(settings: &LogSettings) -> anyhow::Result<()> {
    let LogSettings::Kafka(settings) = settings else {
        anyhow::bail!("the configured log is embedded: it makes its topics itself");
    };
    let made = create(settings).await.context("the topics can't be made")?;
    let config = settings.config.clone();
    // Those that were there must fit, too.
    let opened = tokio::task::spawn_blocking(move || KafkaLog::open(config)).await?;
    drop(opened.context("the topics are not as configured")?);
    crate::cli::print(&match made.as_slice() {
        [] => "All topics were there.".to_owned(),
        made => format!("Made {}.", made.join(", ")),
    });
    Ok(())
}

async fn create(settings: &KafkaSettings) -> log::Result<Vec<String>> {
    kafka::create_topics(&settings.config, settings.replication).await
}
