//! Outputs: records and the place of the last one in one batch.

use std::sync::Arc;

use model::PartitionId;

use super::speakers::Speaker;
use super::store::Store;
use super::writer::Writer;
use crate::{Output, Outputs, Published, Result};

#[derive(Debug)]
pub(super) struct EmbeddedOutputs {
    store: Arc<Store>,
    writer: Arc<Writer>,
    speaker: Speaker,
}

impl EmbeddedOutputs {
    pub(super) fn open(store: Arc<Store>, writer: Arc<Writer>, partition: PartitionId) -> Result<Self> {
        store.known(partition)?;
        let speaker = store.speakers().appoint(partition);
        Ok(Self { store, writer, speaker })
    }
}

impl Outputs for EmbeddedOutputs {
    fn publish(&mut self, outputs: &[Output]) -> Result<()> {
        self.store.speakers().check(self.speaker)?;
        if outputs.is_empty() { Ok(()) } else { self.writer.publish(self.speaker, outputs) }
    }

    fn last_published(&mut self) -> Result<Option<Published>> {
        self.store.last_published(self.speaker.partition)
    }
}
