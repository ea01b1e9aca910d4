//! Parts that run beside each other and end together.

use std::future::Future;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Parts that end together.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    tasks: JoinSet<anyhow::Result<()>>,
    pub(crate) shutdown: CancellationToken,
}

impl Parts {
    /// Starts a part, which `shutdown` ends.
    pub(crate) fn spawn<E>(&mut self, name: &'static str, part: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        self.tasks.spawn(async move { part.await.with_context(|| format!("the {name} stopped")) });
    }

    /// Ends all of them; the first error that one ended with.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        let mut result = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            let ended = ended.context("a part panicked").and_then(|ended| ended);
            result = result.and(ended);
        }
        result
    }

    /// Resolves when a part ends that should not.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Ok(Ok(()))) => anyhow::anyhow!("a part ended by itself"),
            Some(Err(error)) => anyhow::Error::from(error).context("a part panicked"),
            None => std::future::pending().await,
        }
    }
}
