//! `weir reply`: classifies mail servers' replies from standard input.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::path::Path;

use anyhow::Context;
use replies::{Cause, Classification, ReplyTable};
use serde::Serialize;

use crate::cli::{self, ReplyOptions};
use crate::rendering::printable_text;

/// The longest line, in bytes. The rest of a longer line is ignored.
const LONGEST: usize = 64 << 10;
/// The most templates of unknown replies that are counted.
const KINDS: usize = 10_000;

/// A line of `--json` output.
#[derive(Serialize)]
struct Line<'l> {
    #[serde(flatten)]
    classification: Classification<'l>,
    /// The template of an unknown reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<&'l str>,
}

/// Classifies each line of standard input.
pub(crate) fn read(options: &ReplyOptions) -> anyhow::Result<()> {
    let table = table(options.table.as_deref())?;
    let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    while next_line(&mut input, &mut line).context("cannot read standard input")? {
        let reply = String::from_utf8_lossy(&line);
        let classification = table.classify(&reply);
        let template = (classification.cause == Cause::Unknown).then(|| printable_text(&replies::template(&reply)));
        let output = if options.json {
            serde_json::to_string(&Line { classification, template: template.as_deref() })?
        } else {
            words(&classification)
        };
        if cli::try_print(&output).is_err() {
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

fn table(file: Option<&Path>) -> anyhow::Result<Cow<'static, ReplyTable>> {
    let Some(file) = file else { return Ok(Cow::Borrowed(ReplyTable::built_in())) };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let table = ReplyTable::parse(&text).with_context(|| format!("{} is not a table of replies", file.display()))?;
    Ok(Cow::Owned(table))
}

/// Reads the next line without its line break, up to [`LONGEST`] bytes. Returns whether there was one.
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

fn words(classification: &Classification<'_>) -> String {
    let Classification { cause, charged_to, rule, means } = classification;
    format!("{:<14} {:<17} {:<32} {means}", cause.name(), charged_to.name(), rule.unwrap_or("-"))
}

/// Lists the templates of unknown replies, the most frequent first.
fn clusters(unknown: BTreeMap<String, u64>) -> String {
    let mut kinds: Vec<_> = unknown.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let lines = kinds.iter().map(|(template, count)| format!("{count:>8}  {template}"));
    format!("\nNo rule matches these:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_truncated() {
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
    fn unknown_replies_are_counted_by_template() {
        let unknown = [("b …".to_owned(), 2), ("a …".to_owned(), 1)].into();
        assert_eq!(clusters(unknown), "\nNo rule matches these:\n       2  b …\n       1  a …");
    }
}
