//! Supervises the tasks and threads that a process consists of.

use std::future::Future;
use std::thread::JoinHandle;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Parts that are stopped together.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
    pub(crate) shutdown: CancellationToken,
}

impl Parts {
    /// Starts a part, which has to end when `shutdown` is cancelled.
    pub(crate) fn spawn<E>(&mut self, name: &'static str, part: impl Future<Output = Result<(), E>> + Send + 'static)
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        self.tasks.spawn(async move { (name, part.await.with_context(|| format!("the {name} stopped"))) });
    }

    /// Supervises running threads, which have to end when `shutdown` is cancelled.
    pub(crate) fn watch(&mut self, name: &'static str, threads: Vec<JoinHandle<()>>) {
        for thread in threads {
            self.spawn(name, async move {
                let ended = tokio::task::spawn_blocking(move || thread.join()).await?;
                ended.map_err(|_panic| std::io::Error::other("its thread panicked"))
            });
        }
    }

    /// Stops all parts. Returns the first error that one of them ended with.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        let mut result = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            let ended = ended.context("a part panicked").and_then(|(_name, ended)| ended);
            result = result.and(ended);
        }
        result
    }

    /// Resolves when a part ends before [`Parts::stop`].
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok((_name, Err(error)))) => error,
            Some(Ok((name, Ok(())))) => anyhow::anyhow!("the {name} ended by itself"),
            Some(Err(error)) => anyhow::Error::from(error).context("a part panicked"),
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(work: impl FnOnce() + Send + 'static) -> Vec<JoinHandle<()>> {
        vec![std::thread::spawn(work)]
    }

    #[tokio::test]
    async fn a_part_that_ends_fails_or_panics_is_reported_by_name() {
        let failure = |part: fn(&mut Parts)| async move {
            let mut parts = Parts::default();
            parts.spawn("waiter", std::future::pending::<std::io::Result<()>>());
            part(&mut parts);
            format!("{:#}", parts.failed().await)
        };
        assert_eq!(failure(|parts| parts.watch("reader", threads(|| ()))).await, "the reader ended by itself");
        let panicked = failure(|parts| parts.watch("reader", threads(|| panic!("as wanted")))).await;
        assert_eq!(panicked, "the reader stopped: its thread panicked");
        let failed = |parts: &mut Parts| parts.spawn("hooks", async { Err(std::io::Error::other("no space left")) });
        assert_eq!(failure(failed).await, "the hooks stopped: no space left");
        let panics = |parts: &mut Parts| parts.spawn("hooks", async { panic!("as wanted") as std::io::Result<()> });
        assert!(failure(panics).await.starts_with("a part panicked"));
    }

    #[tokio::test]
    async fn a_stop_ends_all_parts_and_returns_the_first_error() {
        let mut parts = Parts::default();
        let ending = parts.shutdown.clone();
        parts.spawn("hooks", async move {
            ending.cancelled().await;
            Err(std::io::Error::other("no space left"))
        });
        assert_eq!(format!("{:#}", parts.stop().await.unwrap_err()), "the hooks stopped: no space left");
    }
}
