//! What an operator asks of a Weir that runs, by its API: a file for each group of commands. `cli` says what can be asked,
//! `rendering` how the answers look.

pub(crate) mod customers;
pub(crate) mod decisions;
pub(crate) mod enforcement;
pub(crate) mod fleet;
pub(crate) mod rejects;
pub(crate) mod steering;
pub(crate) mod top;

use std::io::IsTerminal as _;

use anyhow::Context;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cli::operate::{Asking, OperateCommand};
use crate::cli::{print, try_print};
use crate::clock;
use crate::rendering::{Look, printable};
use crate::running_weir::RunningWeir;

/// Asks what the command is for.
///
/// # Errors
///
/// Where there is no answer, or Weir refuses: [`Failure`](crate::running_weir::Failure) says which.
pub(crate) async fn operate(command: OperateCommand) -> anyhow::Result<()> {
    match command {
        OperateCommand::Top(options) => top::show(options).await,
        OperateCommand::Customers(options) => customers::list(options).await,
        OperateCommand::Customer(options) => customers::show(options).await,
        OperateCommand::Decisions(options) => decisions::show(options).await,
        OperateCommand::Pools(asking) => fleet::pools(asking).await,
        OperateCommand::Fleet(asking) => fleet::show(asking).await,
        OperateCommand::Hold(options) => steering::hold(options).await,
        OperateCommand::Release(options) => steering::release(options).await,
        OperateCommand::SetStage(options) => steering::set_stage(options).await,
        OperateCommand::Phase(options) => steering::phase(options).await,
        OperateCommand::Exempt(options) => steering::exempt(options).await,
        OperateCommand::Note(options) => steering::note(options).await,
        OperateCommand::Enforce(command) => enforcement::enforce(command).await,
        OperateCommand::Approvals(asking) => enforcement::approvals(asking).await,
        OperateCommand::Approve(options) => enforcement::answer(options, true).await,
        OperateCommand::Reject(options) => enforcement::answer(options, false).await,
        OperateCommand::Undo(options) => enforcement::undo(options).await,
        OperateCommand::Rejects(options) => rejects::rejects(options).await,
    }
}

/// How answers are printed.
pub(crate) struct Output {
    is_json: bool,
    look: Look,
}

impl Output {
    /// As is asked for, and as standard output can show it: no colours where it is no terminal, or somebody does not want any
    /// (<https://no-color.org>).
    fn new(is_json: bool) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let size = ratatui::crossterm::terminal::size().ok().filter(|(columns, _)| is_terminal && *columns > 0);
        let look = Look {
            colours: is_terminal && !is_unwanted && !is_dumb,
            width: size.map(|(columns, _)| columns),
            now: clock::system()(),
        };
        Self { is_json, look }
    }

    /// Prints an answer, as one object of JSON or in words.
    fn show<T: DeserializeOwned>(&self, answer: Value, words: impl FnOnce(&T, &Look) -> String) -> anyhow::Result<()> {
        if self.is_json {
            print(&serde_json::to_string_pretty(&answer)?);
        } else {
            print(&words(&read(answer)?, &self.look));
        }
        Ok(())
    }

    /// Prints things of a list: a line of JSON each, or all in words.
    fn list<T: DeserializeOwned>(
        &self,
        answers: Vec<Value>,
        words: impl FnOnce(&[T], &Look) -> String,
    ) -> anyhow::Result<()> {
        if self.is_json {
            return print_lines(&answers);
        }
        let things: Vec<T> = answers.into_iter().map(read).collect::<anyhow::Result<_>>()?;
        print(&words(&things, &self.look));
        Ok(())
    }
}

fn print_lines(answers: &[Value]) -> anyhow::Result<()> {
    for answer in answers {
        if try_print(&serde_json::to_string(answer)?).is_err() {
            // Whoever closes the pipe has read enough.
            break;
        }
    }
    Ok(())
}

/// What an answer says, without what a terminal would obey.
fn read<T: DeserializeOwned>(answer: Value) -> anyhow::Result<T> {
    serde_json::from_value(printable(answer)).context("Weir answers what makes no sense; is it of this version?")
}

/// A page's `next`, as it is asked for: it is text, and once was a number.
fn cursor(next: Option<Value>) -> Option<String> {
    match next? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// Whom to ask, and how to print the answer.
fn open(asking: &Asking) -> anyhow::Result<(RunningWeir, Output)> {
    Ok((RunningWeir::named(&asking.at)?, Output::new(asking.json)))
}
