//! Publishing a partition's outputs, each once.
//!
//! Whoever takes a partition over opens a transactional producer under the partition's own id, which refuses everyone who
//! spoke for it before. What is already on the topics is known from reading them back, and so is whether a publication
//! succeeded: a transaction that says it was committed is not yet believed.

use std::sync::Arc;
use std::time::Duration;

use model::PartitionId;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;

use super::brokers::Brokers;
use super::message::{headers_of_output, size_of};
use super::producer::{Delivery, Reports, Session, Traffic, send};
use super::read_back::{ReadBack, Watch};
use crate::{Error, Output, Outputs, Published, Result};

/// How long taking over may take: whoever spoke before may have a transaction open, which must end first.
const TAKING_OVER: Duration = Duration::from_secs(40);
/// How long ending a transaction may take.
const ENDING: Duration = Duration::from_secs(30);
/// How long what was committed may stay unseen.
const UNSEEN: Duration = Duration::from_secs(15);

/// Speaks for one partition.
pub(super) struct KafkaOutputs {
    brokers: Arc<Brokers>,
    read_back: Arc<ReadBack>,
    partition: PartitionId,
    session: Session,
    watch: Watch,
}

impl std::fmt::Debug for KafkaOutputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaOutputs").field("partition", &self.partition).finish_non_exhaustive()
    }
}

impl KafkaOutputs {
    pub(super) fn open(brokers: Arc<Brokers>, read_back: Arc<ReadBack>, partition: PartitionId) -> Result<Self> {
        brokers.known(partition)?;
        let id = format!("{}scorer-{partition}", brokers.config().prefix);
        let session = Session::from_config_and_context(&brokers.config().speaker(&id), Reports::default())
            .map_err(|source| brokers.failed(source))?;
        session.init_transactions(TAKING_OVER).map_err(|source| brokers.failed(source))?;
        let watch = read_back.watch(partition, TAKING_OVER)?;
        Ok(Self { brokers, read_back, partition, session, watch })
    }

    fn transact(&self, outputs: &[&Output]) -> Result<()> {
        let failed = |source| self.failed(source);
        self.session.begin_transaction().map_err(failed)?;
        if let Err(error) = self.send_all(outputs) {
            if let Err(error) = self.session.abort_transaction(ENDING) {
                tracing::debug!(%error, partition = %self.partition, "aborting");
            }
            return Err(failed(error));
        }
        self.session.commit_transaction(ENDING).map_err(failed)
    }

    /// Returns once every record is acknowledged: only then there is something to commit.
    fn send_all(&self, outputs: &[&Output]) -> std::result::Result<(), KafkaError> {
        let bytes = outputs.iter().map(|output| size_of(&output.record)).sum();
        let (delivery, answer) = Delivery::of(outputs.len(), bytes, Traffic::of(bytes));
        let partition = i32::try_from(self.partition.get()).unwrap_or(i32::MAX);
        for (sent, output) in outputs.iter().enumerate() {
            let place = Published { sequence: output.sequence, said_at: output.said_at };
            let headers = headers_of_output(&output.record, place);
            let topic = self.brokers.topic(output.topic);
            if let Err(error) = send(&self.session, topic, (&output.record, headers), partition, &delivery) {
                delivery.fail(error);
                delivery.settle(outputs.len() - sent);
                break;
            }
        }
        answer.blocking_recv().unwrap_or(Err(KafkaError::Canceled))
    }

    fn failed(&self, source: KafkaError) -> Error {
        let is_fenced = self.session.client().fatal_error().is_some()
            || matches!(
                source.rdkafka_error_code(),
                Some(
                    RDKafkaErrorCode::Fenced
                        | RDKafkaErrorCode::InvalidProducerEpoch
                        | RDKafkaErrorCode::ProducerFenced
                        | RDKafkaErrorCode::Fatal
                )
            );
        if is_fenced {
            tracing::info!(partition = %self.partition, %source, "refused");
            return Error::Fenced { partition: self.partition };
        }
        self.brokers.failed(source)
    }
}

impl Drop for KafkaOutputs {
    fn drop(&mut self) {
        self.read_back.leave(self.partition, self.watch);
    }
}

impl Outputs for KafkaOutputs {
    fn publish(&mut self, outputs: &[Output]) -> Result<()> {
        let new: Vec<_> = outputs.iter().filter(|output| !self.read_back.has(self.partition, output)).collect();
        if new.is_empty() {
            return Ok(());
        }
        self.transact(&new)?;
        self.read_back.wait_for((self.partition, self.watch), &new, UNSEEN)
    }

    fn last_published(&mut self) -> Result<Option<Published>> {
        Ok(self.read_back.last(self.partition))
    }
}
