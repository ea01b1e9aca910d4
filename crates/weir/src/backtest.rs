//! `weir backtest`: what policies would have decided over recorded events, or over the log.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use backtest::{Candidate, Outcome, Reading, Recording, over_log, over_recordings, report};
use model::Millis;
use sendgrid::webhook::CustomerRule;

use crate::cli::BacktestOptions;
use crate::{config, opening};

/// Runs it and shows what came of it.
pub(crate) fn run(options: BacktestOptions, runtime: &tokio::runtime::Runtime) -> anyhow::Result<()> {
    anyhow::ensure!(
        options.policy.len() <= 2,
        "two policies are held against each other, not {}",
        options.policy.len()
    );
    let candidates = options.policy.iter().map(|path| candidate(path)).collect::<anyhow::Result<Vec<_>>>()?;
    // Before the work is done, so that it is not in vain.
    let page = options.html.as_deref().map(Page::open).transpose()?;
    let outcome = if options.log {
        let settings = config::load_log(options.config.as_deref())?;
        let log = runtime.block_on(opening::open_to_read(&settings))?;
        over_log(&candidates, log.as_ref(), &|| false)?
    } else {
        let recordings = options.events.iter().map(|path| recording(path)).collect();
        over_recordings(&candidates, recordings, &reading(&options)?)?
    };
    show(&outcome, options.json)?;
    page.map_or(Ok(()), |page| page.write(&report::html(&outcome)))
}

/// How recorded events are to be taken: as it is asked for, or else as the configuration has it, where there is one.
fn reading(options: &BacktestOptions) -> anyhow::Result<Reading> {
    let mut reading = Reading::default();
    if let Some(path) = options.config.as_ref().filter(|_| options.customer.is_none() || options.tick.is_none()) {
        let settings = config::load_recorded(path)?;
        reading.tick = Millis::new(i64::try_from(settings.tick_interval.as_millis())?);
        if options.customer.is_none() {
            let rule = one_rule(settings.customers).with_context(|| format!("the sources of {}", path.display()))?;
            reading.customer = rule.unwrap_or(reading.customer);
        }
    }
    reading.customer = options.customer.clone().unwrap_or(reading.customer);
    reading.tick = options.tick.unwrap_or(reading.tick);
    let sound = Millis::seconds(1)..=Millis::hours(1);
    anyhow::ensure!(sound.contains(&reading.tick), "time ticks every 1s to 1h: say how often by --tick");
    Ok(reading)
}

/// The rule of all sources; `None` without any.
fn one_rule(mut rules: Vec<CustomerRule>) -> anyhow::Result<Option<CustomerRule>> {
    anyhow::ensure!(
        rules.len() <= 1,
        "tell their customers in {} ways: say by --customer which holds here",
        rules.len()
    );
    Ok(rules.pop())
}

fn recording(path: &Path) -> Recording {
    match path.to_str() {
        Some("-") => Recording::reader("standard input", std::io::stdin()),
        _ => Recording::file(path),
    }
}

fn candidate(path: &Path) -> anyhow::Result<Candidate> {
    let policy = config::load_policy(path)?;
    Ok(Candidate { name: path.display().to_string(), policy: Arc::new(policy) })
}

/// With `--json` only decisions go to standard output, so that a program can read them.
fn show(outcome: &Outcome, json: bool) -> anyhow::Result<()> {
    if !json {
        crate::cli::print(&report::text(outcome));
        return Ok(());
    }
    eprintln!("{}", report::summary(outcome));
    let lines = outcome.json_lines().context("a decision can't be written")?;
    std::io::stdout().lock().write_all(lines.as_bytes()).context("standard output is closed")
}

/// A page to be written. What stands in its file stays until then.
struct Page<'p> {
    path: &'p Path,
    file: File,
}

impl<'p> Page<'p> {
    fn open(path: &'p Path) -> anyhow::Result<Self> {
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = opened.with_context(|| format!("{} can't be written", path.display()))?;
        Ok(Self { path, file })
    }

    fn write(mut self, text: &str) -> anyhow::Result<()> {
        self.replace(text).with_context(|| format!("{} can't be written", self.path.display()))
    }

    fn replace(&mut self, text: &str) -> std::io::Result<()> {
        // A pipe has no length.
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    /// How `weir backtest --events` with these arguments, and a configuration of this text, takes the events.
    fn reading_of(text: &str, arguments: &[&str]) -> anyhow::Result<Reading> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("weir.toml");
        std::fs::write(&path, text)?;
        let asked = ["weir", "backtest", "--policy", "p.toml", "--events", "e.ndjson", "--config"].map(Into::into);
        let given = arguments.iter().map(Into::into);
        match Cli::try_parse_from(asked.into_iter().chain([path.into_os_string()]).chain(given))?.command {
            Command::Backtest(options) => reading(&options),
            other => unreachable!("{other:?}"),
        }
    }

    fn source(customer: &str) -> String {
        format!("[[source]]\nname = \"main\"\nverification_keys = []\ncustomer = {{ {customer} }}\n")
    }

    #[test]
    fn recorded_events_are_read_as_the_configurations_sources_say() {
        let scorer = "[scorer]\ntick_interval = \"10s\"\n";
        let text = [scorer, &source("pool = true"), &source("pool = true")].concat();
        let reading = reading_of(&text, &[]).unwrap();
        assert_eq!((reading.customer, reading.tick), (CustomerRule::Pool, Millis::seconds(10)));
        let asked = reading_of(&text, &["--customer", "fixed:acme", "--tick", "1m"]).unwrap();
        assert_eq!((asked.customer, asked.tick), ("fixed:acme".parse().unwrap(), Millis::minutes(1)));
        let none = reading_of("", &[]).unwrap();
        let default = Reading::default();
        assert_eq!((none.customer, none.tick), (default.customer, default.tick));
    }

    #[test]
    fn sources_that_tell_their_customers_in_two_ways_ask_for_one() {
        let text = [source("pool = true"), source("custom_arg = \"tenant\"")].concat();
        let refused = format!("{:#}", reading_of(&text, &[]).unwrap_err());
        assert!(refused.contains("--customer"), "{refused}");
        assert_eq!(reading_of(&text, &["--customer", "pool"]).unwrap().customer, CustomerRule::Pool);
    }

    #[test]
    fn a_page_that_cannot_be_written_is_refused_before_anything_is_done_and_one_that_can_is_kept_until_then() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Page::open(&folder.path().join("missing/page.html")).is_err());
        let path = folder.path().join("page.html");
        std::fs::write(&path, "a longer page from before").unwrap();
        let page = Page::open(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a longer page from before");
        page.write("new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }
}
