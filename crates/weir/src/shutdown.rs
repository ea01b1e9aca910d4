//! What ends a command that otherwise runs on: a signal, or standard output that nobody reads any more.

use std::os::fd::AsFd as _;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often standard output is checked for a reader.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// Ctrl-C, SIGTERM, and the end of the terminal. From [`Signals::listen`] on, none of them kills the process.
pub(crate) struct Signals([Signal; 3]);

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// Where the system refuses the handler of a signal.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let [interrupt, terminate, hangup] = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Ok(Self([signal(interrupt)?, signal(terminate)?, signal(hangup)?]))
    }

    /// Resolves at the next signal.
    pub(crate) async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Resolves once nobody reads standard output any more, as when it is a pipe whose other end is closed.
pub(crate) async fn nobody_reads() {
    let mut checks = tokio::time::interval(CHECK_INTERVAL);
    loop {
        checks.tick().await;
        if is_closed() {
            return;
        }
    }
}

fn is_closed() -> bool {
    let stdout = std::io::stdout();
    let mut polled = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    let is_ready = poll(&mut polled, PollTimeout::ZERO).is_ok_and(|ready| ready > 0);
    is_ready && polled[0].revents().is_some_and(|events| events.intersects(PollFlags::POLLERR | PollFlags::POLLHUP))
}
