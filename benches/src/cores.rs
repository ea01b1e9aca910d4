//! Each side on one thread, which keeps to one core.

use std::future::Future;
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

/// Whose core.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Core {
    /// Those who answer.
    Server = 0,
    /// Those who ask.
    Askers = 1,
}

/// Runs `work` on a thread that keeps to this core, where there are two.
pub(crate) fn on_core<T: Send + 'static>(
    core: Core,
    work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
) -> JoinHandle<anyhow::Result<T>> {
    std::thread::spawn(move || {
        let mut cores = CpuSet::new();
        cores.set(core as usize)?;
        if std::thread::available_parallelism()?.get() > 1 {
            sched_setaffinity(Pid::from_raw(0), &cores)?;
        }
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
    })
}

/// How long this thread has worked so far.
pub(crate) fn worked() -> anyhow::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}
