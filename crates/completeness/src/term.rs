//! A time in office: goes on where the last one was, counts, compares, keeps.

use std::collections::BTreeMap;
use std::sync::Arc;

use log::Topic;
use model::{CompletenessKey, CompletenessReport, Day, Figure, MailAccount};
use sendgrid::api;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::comparison::{figures, of_day};
use crate::completeness::{House, LOOKING};
use crate::hours::missing;
use crate::look::{Told, look};
use crate::memory::{self, Memory};
use crate::reader::{self, Shared};
use crate::retries::Retries;
use crate::schedule::{self, Compared};
use crate::seen::{Bounds, Places};
use crate::tally::{Progress, Tally};

/// How many days a report is kept.
const KEPT_DAYS: u32 = 92;

pub(crate) struct Term<'h> {
    house: &'h House,
    /// The sources of each account.
    accounts: BTreeMap<MailAccount, Vec<String>>,
    shared: Shared,
    /// Tells when the reader has ended, and why.
    reader: Option<oneshot::Receiver<Result<(), Error>>>,
    reports: BTreeMap<CompletenessKey, CompletenessReport>,
    /// Where the events ended when a day came to be compared: they are counted first.
    awaited: Option<Places>,
    retries: Retries,
    /// How far the tally was when it was last kept, and when that was.
    kept: (Progress, Instant),
}

impl<'h> Term<'h> {
    /// Learns what was counted before, and begins to read on from there.
    pub(crate) async fn begin(house: &'h House, end: &CancellationToken) -> Result<Self, Error> {
        let (log, until) = (Arc::clone(&house.log), end.clone());
        let read = tokio::task::spawn_blocking(move || Memory::read(log.as_ref(), &until));
        let mut memory = read.await.map_err(|_| Error::ReaderEnded)??;
        let now = (house.clock)();
        let mut tally = Tally::new(memory.progress.take().unwrap_or_default(), Bounds::default());
        let mut accounts = BTreeMap::<_, Vec<_>>::new();
        for source in &house.config.sources {
            tally.add(&source.name, memory.sources.remove(&source.name), now);
            accounts.entry(source.account.clone()).or_default().push(source.name.clone());
        }
        let kept = (tally.progress(), Instant::now());
        let shared = Shared::new(tally);
        let retries = Retries::new(house.config.retry);
        let mut term =
            Self { house, accounts, shared, reader: None, reports: memory.reports, awaited: None, retries, kept };
        if end.is_cancelled() {
            return Ok(term);
        }
        // A source that is not configured is not counted: were it counted on later, what came meanwhile would be missing.
        let forgotten = memory.sources.keys().map(|source| memory::forgotten(source, now)).collect();
        house.append(forgotten, "forgetting what is no longer counted").await?;
        term.keep().await?;
        term.tell_metrics();
        let (log, shared, end) = (Arc::clone(&house.log), term.shared.clone(), end.clone());
        let started = tokio::task::spawn_blocking(move || reader::start(log.as_ref(), shared, end));
        term.reader = Some(started.await.map_err(|_| Error::ReaderEnded)??);
        Ok(term)
    }

    fn tell_metrics(&self) {
        for account in self.accounts.keys() {
            self.house.metrics.begin(account);
            self.tell_account(account);
        }
    }

    fn tell_account(&self, account: &MailAccount) {
        let mut of_account = self.reports.values().filter(|report| report.account == *account);
        of_account.clone().for_each(|report| self.house.metrics.tell_compared(report));
        // In the order of their days.
        if let Some(latest) = of_account.next_back() {
            self.house.metrics.tell(latest);
        }
    }

    /// Compares what is to be compared and keeps the tally, until `end`, or until the office is another's.
    pub(crate) async fn work(&mut self, end: &CancellationToken) -> Result<(), Error> {
        let Some(mut reader) = self.reader.take() else { return Ok(()) };
        while self.house.candidacy.holds_office() {
            tokio::select! {
                biased;
                () = end.cancelled() => break,
                ended = &mut reader => return ended.unwrap_or(Err(Error::ReaderEnded)),
                turned = self.turn() => turned?,
            }
            if self.kept.1.elapsed() >= self.house.config.keeping {
                self.keep().await?;
            }
        }
        self.reader = Some(reader);
        Ok(())
    }

    /// Waits for the reader, which was told to end, and keeps what it counted.
    pub(crate) async fn finish(&mut self) -> Result<(), Error> {
        let Some(reader) = self.reader.take() else { return Ok(()) };
        reader.await.unwrap_or(Err(Error::ReaderEnded))?;
        if self.house.candidacy.holds_office() { self.keep().await } else { Ok(()) }
    }

    /// Compares one account's day, if one is due; else lets some time pass.
    async fn turn(&mut self) -> Result<(), Error> {
        let Some((account, day)) = self.next_due() else {
            self.awaited = None;
            tokio::time::sleep(LOOKING).await;
            return Ok(());
        };
        if self.is_counted().await? {
            return self.compare(&account, day).await;
        }
        tokio::time::sleep(LOOKING).await;
        Ok(())
    }

    fn next_due(&self) -> Option<(MailAccount, Day)> {
        let now = (self.house.clock)();
        let is_free = |account: &&MailAccount| !self.retries.is_waiting(account);
        let accounts = self.accounts.keys().filter(is_free);
        accounts.flat_map(|account| self.due(account, now).into_iter().map(|day| (account.clone(), day))).next()
    }

    fn due(&self, account: &MailAccount, now: model::Timestamp) -> Vec<Day> {
        let compared = |day| {
            let report = self.reports.get(&CompletenessKey { account: account.clone(), day })?;
            Some(Compared { at: report.compared_at, is_complete: report.is_complete() })
        };
        let mut days = schedule::due(now, self.house.config.after, compared);
        days.retain(|day| self.shared.tally().has_day(*day, self.sources(account)));
        days
    }

    fn sources(&self, account: &MailAccount) -> impl Iterator<Item = &str> {
        self.accounts.get(account).into_iter().flatten().map(String::as_str)
    }

    /// Whether everything is counted that was in the log when the first of the days that are due came to be so.
    async fn is_counted(&mut self) -> Result<bool, Error> {
        if self.awaited.is_none() {
            let log = Arc::clone(&self.house.log);
            let ends = move || {
                let end = |partition| Ok((partition, log.reach(Topic::Events, partition)?.end));
                log.partitions().all().map(end).collect::<log::Result<Places>>()
            };
            let ends = tokio::task::spawn_blocking(ends).await.map_err(|_| Error::ReaderEnded)?;
            self.awaited = Some(ends.map_err(|source| Error::Log { doing: "looking where the events end", source })?);
        }
        Ok(self.awaited.as_ref().is_some_and(|awaited| self.shared.tally().has_read(awaited)))
    }

    async fn compare(&mut self, account: &MailAccount, day: Day) -> Result<(), Error> {
        match look(&self.house.client, account, day).await {
            Ok(told) if self.house.candidacy.holds_office() => self.report(account, day, &told).await,
            Ok(_) => Ok(()),
            Err(error) => {
                self.failed(account, day, &error);
                Ok(())
            }
        }
    }

    fn failed(&mut self, account: &MailAccount, day: Day, error: &api::Error) {
        let wait = self.retries.failed(account, error.retry_after());
        self.house.metrics.failures.with_label_values(&[account.to_string()]).inc();
        tracing::warn!(
            error = error as &dyn std::error::Error,
            %account,
            %day,
            again_in = ?wait,
            "a day's events can't be compared with SendGrid's; tried again"
        );
    }

    /// Puts down what was found.
    async fn report(&mut self, account: &MailAccount, day: Day, told: &Told) -> Result<(), Error> {
        let hours = self.shared.tally().hours(self.sources(account));
        let figures = figures(&told.metrics, &of_day(day, &hours));
        let is_short = figures.iter().any(Figure::is_short);
        let compared_at = (self.house.clock)();
        let report = CompletenessReport {
            account: account.clone(),
            sources: self.sources(account).map(str::to_owned).collect(),
            day,
            compared_at,
            missing_hours: missing(day, &hours, &told.listed, is_short),
            figures,
        };
        let oldest = Day::of(compared_at).before(KEPT_DAYS);
        let outdated: Vec<_> = self.reports.keys().filter(|key| key.day < oldest).cloned().collect();
        let mut appends = vec![memory::report(&report)?];
        appends.extend(outdated.iter().map(|key| memory::outdated(key, compared_at)));
        self.house.append(appends, "putting down what is missing").await?;
        self.retries.succeeded(account);
        outdated.iter().for_each(|key| drop(self.reports.remove(key)));
        log_report(&report);
        self.reports.insert(report.key(), report);
        self.tell_account(account);
        Ok(())
    }

    /// Keeps the tally in the log: the sources first, then how far the whole is. Where that fails for now, it is done again
    /// later.
    async fn keep(&mut self) -> Result<(), Error> {
        let (changed, progress) = {
            let mut tally = self.shared.tally();
            (tally.changed(), tally.progress())
        };
        self.kept.1 = Instant::now();
        if changed.is_empty() && progress == self.kept.0 {
            return Ok(());
        }
        let now = (self.house.clock)();
        let sources =
            changed.iter().map(|(source, kept)| memory::source(source, kept, now)).collect::<Result<_, _>>()?;
        let doing = "keeping what was counted";
        let kept = match self.house.append(sources, doing).await {
            Ok(()) => self.house.append(vec![memory::progress(&progress, now)?], doing).await,
            failed => failed,
        };
        match kept {
            Ok(()) => {
                self.kept.0 = progress;
                Ok(())
            }
            Err(error) if error.may_pass() => {
                changed.iter().for_each(|(source, _)| self.shared.tally().not_kept(source));
                tracing::warn!(error = &error as &dyn std::error::Error, "what was counted can't be kept yet");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

fn log_report(report: &CompletenessReport) {
    let CompletenessReport { account, day, .. } = report;
    if report.is_complete() {
        tracing::info!(%account, %day, "SendGrid counted no event that is not here");
        return;
    }
    let gaps = report.figures.iter().filter(|figure| figure.is_short());
    let gaps: Vec<_> =
        gaps.map(|figure| format!("{} {} of {}", figure.gap, figure.kind.name(), figure.sendgrid)).collect();
    tracing::warn!(
        %account,
        %day,
        missing = gaps.join(", "),
        missing_hours = report.missing_hours.len(),
        "events are missing that SendGrid counted: see `weir completeness`"
    );
}
