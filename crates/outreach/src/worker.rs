//! Takes decisions in, and tells what is due, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use log::{Stored, Tail, Topic};
use model::{CaseView, CustomerId, Decision, InForce, Millis, Stage, Standing, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::alarms::Alarms;
use crate::book::{Book, How};
use crate::channel::{Channel, Line};
use crate::contacts::Contacts;
use crate::diary::Diary;
use crate::feed::{self, Fed};
use crate::force::Force;
use crate::house::House;
use crate::memory::{self, Progress, Remembered};
use crate::pauses::Pauses;
use crate::recovery::Place;

/// How long the enforcer has to say what comes of a decision, before customer success is told of it.
const SETTLING: Millis = Millis::seconds(3);
/// How often the time is looked at, and what waits.
const LOOKING: Duration = Duration::from_millis(250);
/// How far decisions were read is kept no more often than this; what a crash forgets is read again, and known.
const KEEPING: Duration = Duration::from_secs(1);
/// Contacts are looked at no more often than this.
const CONTACTS: Duration = Duration::from_secs(5);

/// Tells.
pub(crate) struct Worker {
    pub(crate) house: House,
    pub(crate) contacts: Contacts,
    pub(crate) books: BTreeMap<CustomerId, Book>,
    /// What the enforcer says, and when it said so.
    pub(crate) cases: BTreeMap<CustomerId, (CaseView, Timestamp)>,
    pub(crate) diary: Diary,
    /// The standings of customers that do not send freely.
    pub(crate) places: BTreeMap<CustomerId, Place>,
    /// Whether all standings that were there at the start are read: what letters say of the way back rests on them.
    knows_places: bool,
    /// What SendGrid did to the account and to subusers.
    pub(crate) alarms: Alarms,
    /// Where something waits.
    waiting: BTreeSet<(CustomerId, Line)>,
    /// Where the latest message did not arrive, or is not known to have.
    lost: BTreeSet<(CustomerId, Line)>,
    lines: Vec<Line>,
    pub(crate) pauses: Pauses,
    looked_at_contacts: Instant,
    /// Once lost it stays so: whoever gets it again reads everything anew.
    pub(crate) has_lost_office: AtomicBool,
}

impl Worker {
    pub(crate) fn new(house: House, Remembered { books, cases, diary, alarms }: Remembered) -> Self {
        let config = &house.config;
        let lines = Line::ALL.into_iter().filter(|line| config.tells(line.channel())).collect();
        let mut worker = Self {
            contacts: config.contacts.clone(),
            house,
            books,
            cases,
            diary,
            places: BTreeMap::new(),
            knows_places: false,
            alarms,
            waiting: BTreeSet::new(),
            lost: BTreeSet::new(),
            lines,
            pauses: Pauses::default(),
            looked_at_contacts: Instant::now(),
            has_lost_office: AtomicBool::new(false),
        };
        worker.reconcile();
        let customers: Vec<_> = worker.books.keys().cloned().collect();
        customers.iter().for_each(|customer| worker.note(customer));
        worker
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.house.clock.0)()
    }

    /// Says what is not known to have arrived, because a process ended meanwhile.
    pub(crate) async fn recover(&mut self) -> Result<(), Error> {
        let now = self.now();
        let (mut appends, mut recovered) = (Vec::new(), BTreeSet::new());
        for (customer, book) in &mut self.books {
            for line in book.recover(now) {
                let channel = line.channel().name();
                tracing::warn!(%customer, channel, "it is not known whether a message arrived; it is not repeated");
                self.house.metrics.deliveries.with_label_values(&[channel, "unknown"]).inc();
                appends.push(memory::book(customer, book, now)?);
                recovered.insert(customer.clone());
            }
        }
        // A decision may have come into force while no process sent messages.
        let customers: Vec<_> = self.books.keys().cloned().collect();
        for customer in customers {
            if !self.announce(&customer) && recovered.contains(&customer) {
                self.note(&customer);
            }
        }
        let mut is_digest_recovered = false;
        for (channel, page) in &mut self.diary.pages {
            if page.recover() {
                let channel = channel.name();
                tracing::warn!(channel, "it is not known whether the digest arrived; it is not repeated");
                self.house.metrics.deliveries.with_label_values(&[channel, "unknown"]).inc();
                is_digest_recovered = true;
            }
        }
        if is_digest_recovered {
            appends.push(memory::diary(&self.diary, now)?);
        }
        self.append(appends).await
    }

    /// Tells until `shutdown`, or until the office is lost.
    pub(crate) async fn run(
        mut self,
        mut progress: Progress,
        enforcement: Box<dyn Tail>,
        shutdown: &CancellationToken,
    ) -> Result<(), Error> {
        let log = Arc::clone(&self.house.log);
        let begun = tokio::task::spawn_blocking(move || {
            let is_new = feed::fit(log.as_ref(), &mut progress)?;
            Ok::<_, Error>((feed::open(log.as_ref(), &progress, enforcement)?, progress, is_new))
        });
        let (mut fed, mut progress, is_new) = begun.await.map_err(|_| Error::Panicked)??;
        if is_new {
            // A beginning is kept first, so that no crash moves it.
            self.append(vec![memory::progress(&progress, self.now())?]).await?;
        }
        let (mut is_changed, mut kept) = (false, Instant::now());
        while self.holds_office() && !shutdown.is_cancelled() {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                records = fed.recv() => is_changed |= self.take(records.ok_or(Error::ReaderEnded)?, &mut progress).await?,
                () = tokio::time::sleep(LOOKING) => {}
            }
            if self.looked_at_contacts.elapsed() >= CONTACTS {
                self.looked_at_contacts = Instant::now();
                self.contacts.refresh();
            }
            if self.knows_places {
                self.tell_due(shutdown).await?;
            }
            self.tell_alarms(shutdown).await?;
            self.tell_digests(shutdown).await?;
            self.gauge();
            if is_changed && kept.elapsed() >= KEEPING {
                self.append(vec![memory::progress(&progress, self.now())?]).await?;
                (is_changed, kept) = (false, Instant::now());
            }
        }
        if is_changed && self.holds_office() {
            self.append(vec![memory::progress(&progress, self.now())?]).await?;
        }
        Ok(())
    }

    /// Takes in what was read; whether decisions were among it.
    async fn take(&mut self, fed: Fed, progress: &mut Progress) -> Result<bool, Error> {
        let (topic, records) = fed.map_err(|source| Error::Log { doing: "reading what is told", source })?;
        if records.is_empty() {
            self.knows_places |= topic == Topic::Standings;
            return Ok(false);
        }
        let mut changed = BTreeSet::new();
        for stored in &records {
            match topic {
                Topic::Enforcement => changed.extend(self.enforced(stored)),
                Topic::Standings => changed.extend(self.stood(stored)),
                _ => {
                    changed.extend(self.decided(stored));
                    progress.insert(stored.position.partition, stored.position.offset.next());
                }
            }
        }
        let now = self.now();
        let book = |customer| self.books.get(customer).map(|book| memory::book(customer, book, now));
        let appends = changed.iter().filter_map(book).collect::<Result<Vec<_>, _>>()?;
        // What waits is kept before it counts as read.
        self.append(appends).await?;
        Ok(topic == Topic::Decisions)
    }

    /// Whose book has changed.
    fn enforced(&mut self, stored: &Stored) -> Option<CustomerId> {
        if let Ok(key) = std::str::from_utf8(&stored.record.key) {
            self.alarms.take(key, &stored.record.value);
        }
        let (customer, case) = memory::case_of(&stored.record)?;
        let at = stored.record.at;
        let in_force = case.as_ref().and_then(|case| case.in_force.clone());
        memory::keep(&mut self.cases, customer.clone(), case.map(|case| (case, at)));
        let is_announced = self.announce(&customer);
        let is_entered = self.keeps_ledgers() && self.enter(&customer, in_force.as_ref(), at);
        (is_announced || is_entered).then_some(customer)
    }

    /// Enters what restrains a customer now into its ledger. Returns whether that changed the ledger.
    fn enter(&mut self, customer: &CustomerId, in_force: Option<&InForce>, at: Timestamp) -> bool {
        if in_force.is_some_and(|passed| passed.stage > Stage::Watch) {
            self.books.entry(customer.clone()).or_default();
        }
        self.books.get_mut(customer).is_some_and(|book| book.ledger.enforce(in_force, at))
    }

    /// Queues one more message for everyone who was told that a decision is not in force, if it is in force now. Returns whether it
    /// queued any.
    fn announce(&mut self, customer: &CustomerId) -> bool {
        let case = self.cases.get(customer).map(|(case, _)| case);
        let (now, modes) = (self.now(), &self.house.config.modes);
        let Some(book) = self.books.get_mut(customer) else { return false };
        let mut is_any = false;
        for (_, state) in book.lines.iter_mut().filter(|(line, _)| self.lines.contains(line)) {
            let force = state.pending.as_ref().map(|decision| Force::of(decision, case, modes));
            is_any |= matches!(force, Some(Force::InForce { .. })) && state.come_into_force(now);
        }
        if is_any {
            self.note(customer);
        }
        is_any
    }

    fn stood(&mut self, stored: &Stored) -> Option<CustomerId> {
        match serde_json::from_slice::<Standing>(&stored.record.value) {
            Ok(standing) => self.stand(&standing).then_some(standing.customer),
            Err(error) => {
                tracing::warn!(%error, offset = %stored.position.offset, "a standing is unreadable and left out");
                None
            }
        }
    }

    fn decided(&mut self, stored: &Stored) -> Option<CustomerId> {
        let decision: Decision = match serde_json::from_slice(&stored.record.value) {
            Ok(decision) => decision,
            Err(error) => {
                tracing::warn!(%error, offset = %stored.position.offset, "a decision is unreadable and left out");
                return None;
            }
        };
        let (customer, due) = (decision.customer.clone(), self.now() + SETTLING);
        let book = self.books.entry(customer.clone()).or_default();
        if !book.take(&decision, stored.position.offset, (&self.lines, due)) {
            return None;
        }
        self.recall(&customer);
        self.note(&customer);
        Some(customer)
    }

    /// Takes note of where something waits for a customer, or was lost.
    fn note(&mut self, customer: &CustomerId) {
        for line in Line::ALL {
            let state = self.books.get(customer).and_then(|book| book.lines.get(&line));
            // Where nothing is told any more, nothing is ever told again that would end it.
            let state = state.filter(|_| self.lines.contains(&line));
            let waits = state.is_some_and(|state| state.waiting.is_some());
            let told = state.and_then(|state| state.told.as_ref());
            let is_lost = told.is_some_and(|told| told.how != How::Delivered);
            for (places, is_there) in [(&mut self.waiting, waits), (&mut self.lost, is_lost)] {
                let place = (customer.clone(), line);
                if is_there {
                    places.insert(place);
                } else {
                    places.remove(&place);
                }
            }
        }
    }

    /// Tells everything that is due, as long as nothing new is to be read.
    async fn tell_due(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        let now = self.now();
        let due: Vec<_> =
            self.waiting.iter().filter(|(customer, line)| self.is_due(customer, *line, now)).cloned().collect();
        for (customer, line) in due {
            // One that was frozen may have been replaced.
            if shutdown.is_cancelled() || !self.holds_office() {
                return Ok(());
            }
            if !self.pauses.has(line.channel(), self.now()) {
                self.tell(&customer, line).await?;
                self.note(&customer);
            }
        }
        Ok(())
    }

    fn gauge(&self) {
        for channel in Channel::ALL {
            let count = |places: &BTreeSet<(CustomerId, Line)>| {
                let of_it = places.iter().filter(|(_, line)| line.channel() == channel);
                i64::try_from(of_it.count()).unwrap_or(i64::MAX)
            };
            let (mut waiting, mut lost) = (count(&self.waiting), count(&self.lost));
            let page = self.diary.pages.get(&channel).filter(|_| self.has_digest(channel));
            if let Some((page, weekly)) = page.zip(self.house.config.digest) {
                waiting = page.waits(weekly.last(self.now())).into();
                lost = (page.how != How::Delivered).into();
            }
            self.house.metrics.waiting.with_label_values(&[channel.name()]).set(waiting);
            self.house.metrics.given_up.with_label_values(&[channel.name()]).set(lost);
        }
    }
}
