//! Opening the log that is configured.

use std::sync::Arc;

use anyhow::Context;
use log::Log;
use log::embedded::EmbeddedLog;
use log::kafka::{self, KafkaLog};

use crate::config::{KafkaSettings, LogSettings};

/// An open log; the embedded one needs looking after.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) embedded: Option<Arc<EmbeddedLog>>,
}

/// Opens the log, and makes its topics where that is allowed.
pub(crate) async fn open(settings: &LogSettings) -> anyhow::Result<Opened> {
    match settings {
        LogSettings::Embedded(config) => {
            let log = Arc::new(EmbeddedLog::open(config.clone()).context("the log can't be opened")?);
            Ok(Opened { log: Arc::clone(&log) as Arc<dyn Log>, embedded: Some(log) })
        }
        LogSettings::Kafka(settings) => {
            if settings.create_topics {
                create(settings).await?;
            }
            let config = settings.config.clone();
            let log = tokio::task::spawn_blocking(move || KafkaLog::open(config)).await?;
            Ok(Opened { log: Arc::new(log.context("the log can't be opened")?), embedded: None })
        }
    }
}

/// Makes the topics that are missing, and says which.
pub(crate) async fn create_topics(settings: &LogSettings) -> anyhow::Result<()> {
    let LogSettings::Kafka(settings) = settings else {
        anyhow::bail!("the configured log is embedded: it makes its topics itself");
    };
    let made = create(settings).await?;
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

async fn create(settings: &KafkaSettings) -> anyhow::Result<Vec<String>> {
    let made = kafka::create_topics(&settings.config, settings.replication).await;
    made.context("the topics can't be made")
}
