//! Replies of mail servers, read by hand: what each means, and which are not known.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::path::Path;

use anyhow::Context;
use replies::{Cause, Reading, Table};
use serde::Serialize;

use crate::cli::{self, ReplyOptions};
use crate::rendering::printable_text;

/// The longest line that is read, in bytes; the rest of it is passed over.
const LONGEST: usize = 64 << 10;
/// Kinds of unknown replies that are told apart.
const KINDS: usize = 10_000;

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'l> {
    #[serde(flatten)]
    reading: Reading<'l>,
    /// Of an unknown reply: what it has in common with others of its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<&'l str>,
}

/// Reads one reply a line from standard input until its end.
pub(crate) fn read(options: &ReplyOptions) -> anyhow::Result<()> {
    let table = table(options.table.as_deref())?;
    let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    while next_line(&mut input, &mut line).context("standard input can't be read")? {
        let reply = String::from_utf8_lossy(&line);
        let reading = table.read(&reply);
        let template = (reading.cause == Cause::Unknown).then(|| printable_text(&replies::template(&reply)));
        let told = if options.json {
            serde_json::to_string(&Line { reading, template: template.as_deref() })?
        } else {
            words(&reading)
        };
        if cli::try_print(&told).is_err() {
            return Ok(());
        }
        if let Some(template) = template
            && (unknown.len() < KINDS || unknown.contains_key(&template))
        {
            *unknown.entry(template).or_default() += 1;
        }
    }
    if !options.json && !unknown.is_empty() {
        cli::print(&clusters(unknown));
    }
    Ok(())
}

fn table(file: Option<&Path>) -> anyhow::Result<Table> {
    let Some(file) = file else { return Ok(Table::built_in()?) };
    let text = std::fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    Table::parse(&text).with_context(|| format!("{} is no table of replies", file.display()))
}

/// The next line without its end, cut at [`LONGEST`]; whether there was one.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let read = input.fill_buf()?;
        if read.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = read.iter().position(|byte| *byte == b'\n');
        let part = read.get(..end.unwrap_or(read.len())).unwrap_or_default();
        let room = LONGEST.saturating_sub(line.len());
        line.extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
        let taken = end.map_or(read.len(), |end| end + 1);
        input.consume(taken);
        if end.is_some() {
            return Ok(true);
        }
    }
}

fn words(reading: &Reading<'_>) -> String {
    let rule = reading.rule.unwrap_or("-");
    format!("{:<14} {:<17} {:<32} {}", reading.cause.name(), reading.charged_to.name(), rule, reading.means)
}

/// Unknown replies by kind, the most frequent first.
fn clusters(unknown: BTreeMap<String, u64>) -> String {
    let mut kinds: Vec<_> = unknown.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let lines = kinds.iter().map(|(template, count)| format!("{count:>8}  {template}"));
    format!("\nNo rule knows these:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_one_by_one_and_long_ones_are_cut() {
        let long = "x".repeat(3 * LONGEST);
        let text = format!("first\r\n\n{long}\nlast");
        let mut input = io::BufReader::with_capacity(7, text.as_bytes());
        let (mut line, mut lines) = (Vec::new(), Vec::new());
        while next_line(&mut input, &mut line).unwrap() {
            lines.push(String::from_utf8(line.clone()).unwrap());
        }
        assert_eq!(lines, ["first\r", "", "x".repeat(LONGEST).as_str(), "last"]);
    }

    #[test]
    fn unknown_replies_are_told_by_kind() {
        let unknown = [("b …".to_owned(), 2), ("a …".to_owned(), 1)].into();
        assert_eq!(clusters(unknown), "\nNo rule knows these:\n       2  b …\n       1  a …");
    }
}
