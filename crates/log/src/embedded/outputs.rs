//! Outputs: records and the last sequence in one batch.

use std::sync::Arc;

use model::PartitionId;

use super::store::Store;
use super::writer::Writer;
use crate::{Output, Outputs, Result, Sequence};

#[derive(Debug)]
pub(super) struct EmbeddedOutputs {
    store: Arc<Store>,
    writer: Arc<Writer>,
}

impl EmbeddedOutputs {
    pub(super) const fn new(store: Arc<Store>, writer: Arc<Writer>) -> Self {
        Self { store, writer }
    }
}

impl Outputs for EmbeddedOutputs {
    fn publish(&mut self, partition: PartitionId, outputs: &[Output]) -> Result<()> {
        if outputs.is_empty() { Ok(()) } else { self.writer.publish(partition, outputs) }
    }

    fn last_published(&mut self, partition: PartitionId) -> Result<Option<Sequence>> {
        self.store.known(partition)?;
        self.store.last_published(partition)
    }
}
