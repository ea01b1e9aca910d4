//! Why a backtest has no outcome.

/// What can go wrong before there is an outcome.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file can't be opened, or can't be read to its end.
    #[error(
        "{name} can't be read {}; if it is packed, `gzip -t` or `zstd -t` says whether it is whole",
        beyond(*after)
    )]
    Unreadable {
        /// Which file.
        name: String,
        /// How many bytes of its text, unpacked, were read before.
        after: u64,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file does not hold events.
    #[error(
        "{name} holds more than {most} bytes that are no whole event: events or posted arrays are expected, as SendGrid posts them"
    )]
    NoLines {
        /// Which file.
        name: String,
        /// The longest event that is taken.
        most: usize,
    },
    /// Nothing was read that is an event.
    #[error("no event was found in {place}{}", first_fault(faults.as_deref()))]
    NoEvent {
        /// Where it was looked for.
        place: String,
        /// The first line that is no event, and why.
        faults: Option<String>,
    },
    /// The log can't be read.
    #[error("the log can't be read")]
    Log(#[from] log::Error),
    /// Whoever asked no longer wants to know.
    #[error("the backtest was stopped before its end")]
    Stopped,
    /// The thread that reads can't be started.
    #[error("a thread that reads can't be started")]
    Thread(#[source] std::io::Error),
}

fn beyond(bytes: u64) -> String {
    if bytes == 0 { "at all".to_owned() } else { format!("beyond byte {bytes} of its text") }
}

fn first_fault(fault: Option<&str>) -> String {
    fault.map_or_else(String::new, |fault| format!("; {fault}"))
}
