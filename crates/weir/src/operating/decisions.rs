//! Decisions: the latest, and those that come.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::{Output, open, read};
use crate::cli::see::DecisionsOptions;
use crate::cli::try_print;
use crate::rendering::decisions::{DecisionsPage, two_lines};
use crate::running_weir::{Ending, RunningWeir};
use crate::shutdown::{Signals, nobody_reads};

/// How long Weir waits with its answer for a decision to come, in seconds.
const WAITING: u64 = 30;
/// How long until it is asked again where it did not answer.
const RETRYING: Duration = Duration::from_secs(1);

/// Prints the latest decisions, and with `--follow` those that come, until Ctrl-C or until nobody reads any more.
pub(crate) async fn show(options: DecisionsOptions) -> anyhow::Result<()> {
    let (weir, output) = open(&options.asking)?;
    let reader = Reader { weir, output, options };
    if !reader.options.follow {
        reader.past().await?;
        return Ok(());
    }
    // Before anything is printed: whoever has read something may end it.
    let mut signals = Signals::listen().context("signals can't be listened for")?;
    tokio::select! {
        ended = reader.follow() => ended,
        () = signals.next() => Ok(()),
        () = nobody_reads() => Ok(()),
    }
}

/// Whether anybody reads on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    On,
    Ended,
}

struct Reader {
    weir: RunningWeir,
    output: Output,
    options: DecisionsOptions,
}

impl Reader {
    /// Prints what there is already; returns how far that is, and whether anybody reads on.
    async fn past(&self) -> anyhow::Result<(String, Reading)> {
        let started = self.start()?;
        let is_resumed = started.is_some();
        let mut after = started.unwrap_or_default();
        let mut latest = VecDeque::new();
        loop {
            let page = self.ask(&after, 0).await?;
            let is_end = page.decisions.is_empty();
            after = page.next;
            latest.extend(page.decisions.into_iter().filter(|decision| self.is_wanted(decision)));
            if !is_resumed {
                latest.drain(..latest.len().saturating_sub(self.options.limit));
            } else if self.print(&latest)? == Reading::Ended {
                return Ok((after, Reading::Ended));
            } else {
                self.keep(&after)?;
                latest.clear();
            }
            if is_end {
                let reading = self.print(&latest)?;
                self.keep_unless_ended(reading, &after)?;
                return Ok((after, reading));
            }
        }
    }

    async fn follow(&self) -> anyhow::Result<()> {
        let (mut after, mut reading) = self.past().await?;
        while reading == Reading::On {
            match self.ask(&after, WAITING).await {
                Ok(page) => {
                    let wanted: Vec<_> = page.decisions.into_iter().filter(|one| self.is_wanted(one)).collect();
                    reading = self.print(&wanted)?;
                    after = page.next;
                    self.keep_unless_ended(reading, &after)?;
                }
                Err(error) if Ending::of(&error) == Ending::Unavailable => tokio::time::sleep(RETRYING).await,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whoever stopped reading has not seen all of it: it is told again to the next.
    fn keep_unless_ended(&self, reading: Reading, after: &str) -> anyhow::Result<()> {
        if reading == Reading::On { self.keep(after) } else { Ok(()) }
    }

    async fn ask(&self, after: &str, wait: u64) -> anyhow::Result<DecisionsPage> {
        let request = self.weir.get("/v1/decisions").query(&[("after", after)]).query(&[("wait", wait)]);
        self.weir.answer(request).await
    }

    fn is_wanted(&self, decision: &Value) -> bool {
        let is = |member: &str, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| decision[member].as_str() == Some(wanted))
        };
        is("customer", &self.options.customer) && is("rule", &self.options.rule)
    }

    fn print<'a>(&self, decisions: impl IntoIterator<Item = &'a Value>) -> anyhow::Result<Reading> {
        for decision in decisions {
            let text = if self.output.is_json {
                serde_json::to_string(decision)?
            } else {
                two_lines(&read(decision.clone())?, &self.output.look)
            };
            match try_print(&text) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Reading::Ended),
                Err(error) => return Err(error).context("decisions can't be printed"),
            }
        }
        Ok(Reading::On)
    }

    /// The cursor to go on after, where one is named.
    fn start(&self) -> anyhow::Result<Option<String>> {
        match &self.options.cursor_file {
            Some(file) => cursor_in(file),
            None => Ok(self.options.after.clone()),
        }
    }

    /// Remembers how far everything was printed.
    fn keep(&self, after: &str) -> anyhow::Result<()> {
        let Some(file) = &self.options.cursor_file else { return Ok(()) };
        let written = file.with_extension("new");
        let kept = std::fs::write(&written, after).and_then(|()| std::fs::rename(&written, file));
        kept.with_context(|| format!("the cursor file {} can't be written", file.display()))
    }
}

/// What is in the cursor file; nothing where there is none.
fn cursor_in(file: &Path) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("the cursor file {} can't be read", file.display())),
    }
}
