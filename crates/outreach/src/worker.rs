//! Takes decisions in, and tells what is due, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{Append, Stored, Tail, Topic};
use model::{CaseView, CustomerId, Decision, Millis, Timestamp};
use rand::RngExt as _;
use tokio_util::sync::CancellationToken;

use crate::book::{Book, How, Waiting};
use crate::channel::{Channel, Line, Outcome};
use crate::config::Address;
use crate::contacts::Contacts;
use crate::feed::{self, Fed};
use crate::force::Force;
use crate::letter::{Circumstances, CustomerTold, Letter};
use crate::mail::Ready;
use crate::memory::{self, Progress};
use crate::outreach::House;
use crate::templates::Message;
use crate::{Error, chat, mail};

/// How long the enforcer has to say what comes of a decision, before customer success is told of it.
const SETTLING: Millis = Millis::seconds(3);
/// How often the time is looked at, and what waits.
const LOOKING: Duration = Duration::from_millis(250);
/// How far decisions were read is kept no more often than this; what a crash forgets is read again, and known.
const KEEPING: Duration = Duration::from_secs(1);
/// Contacts are looked at no more often than this.
const CONTACTS: Duration = Duration::from_secs(5);
/// How long a channel that fails is left alone: doubled with each failure on end, up to the longest.
const PAUSE: Millis = Millis::seconds(1);
const LONGEST_PAUSE: Millis = Millis::minutes(5);

/// Tells.
pub(crate) struct Worker {
    house: House,
    contacts: Contacts,
    books: BTreeMap<CustomerId, Book>,
    cases: BTreeMap<CustomerId, CaseView>,
    /// Where something waits.
    waiting: BTreeSet<(CustomerId, Line)>,
    /// Where the latest message did not arrive, or is not known to have.
    lost: BTreeSet<(CustomerId, Line)>,
    lines: Vec<Line>,
    pauses: BTreeMap<Channel, Pause>,
    looked_at_contacts: Instant,
}

/// A channel fails.
#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    failures: u32,
    until: Timestamp,
}

impl Worker {
    pub(crate) fn new(house: House, books: BTreeMap<CustomerId, Book>, cases: BTreeMap<CustomerId, CaseView>) -> Self {
        let is_on = |line: &Line| match line.channel() {
            Channel::SuccessMail => house.config.mail.is_some() && house.config.success.is_some(),
            Channel::SuccessChat => house.config.chat.is_some(),
            Channel::CustomerMail => house.config.mail.is_some() && house.config.tell_customers,
        };
        let lines = Line::ALL.into_iter().filter(is_on).collect();
        let contacts = house.config.contacts.clone();
        let mut worker = Self {
            house,
            contacts,
            books,
            cases,
            waiting: BTreeSet::new(),
            lost: BTreeSet::new(),
            lines,
            pauses: BTreeMap::new(),
            looked_at_contacts: Instant::now(),
        };
        let customers: Vec<_> = worker.books.keys().cloned().collect();
        customers.iter().for_each(|customer| worker.note(customer));
        worker
    }

    fn now(&self) -> Timestamp {
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
        recovered.iter().for_each(|customer| self.note(customer));
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
        while self.house.candidacy.holds_office() && !shutdown.is_cancelled() {
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
            self.tell_due(shutdown).await?;
            self.gauge();
            if is_changed && kept.elapsed() >= KEEPING {
                self.append(vec![memory::progress(&progress, self.now())?]).await?;
                (is_changed, kept) = (false, Instant::now());
            }
        }
        if is_changed && self.house.candidacy.holds_office() {
            self.append(vec![memory::progress(&progress, self.now())?]).await?;
        }
        Ok(())
    }

    /// Takes in what was read; whether decisions were among it.
    async fn take(&mut self, fed: Fed, progress: &mut Progress) -> Result<bool, Error> {
        let (topic, records) = fed.map_err(|source| Error::Log { doing: "reading what is told", source })?;
        if topic == Topic::Enforcement {
            for (customer, case) in records.iter().filter_map(|stored| memory::case_of(&stored.record)) {
                memory::keep(&mut self.cases, customer, case);
            }
            return Ok(false);
        }
        let mut changed = BTreeSet::new();
        for stored in &records {
            changed.extend(self.decided(stored));
            progress.insert(stored.position.partition, stored.position.offset.next());
        }
        let now = self.now();
        let book = |customer| self.books.get(customer).map(|book| memory::book(customer, book, now));
        let appends = changed.iter().filter_map(book).collect::<Result<Vec<_>, _>>()?;
        // What waits is kept before it counts as read.
        self.append(appends).await?;
        Ok(true)
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
        self.note(&customer);
        Some(customer)
    }

    /// Takes note of where something waits for a customer, or was lost.
    fn note(&mut self, customer: &CustomerId) {
        for line in Line::ALL {
            let state = self.books.get(customer).and_then(|book| book.lines.get(&line));
            let waits = state.is_some_and(|state| state.waiting.is_some()) && self.lines.contains(&line);
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
            if shutdown.is_cancelled() || !self.house.candidacy.holds_office() {
                return Ok(());
            }
            if !self.is_paused(line.channel()) {
                self.tell(&customer, line).await?;
                self.note(&customer);
            }
        }
        Ok(())
    }

    fn is_paused(&self, channel: Channel) -> bool {
        self.pauses.get(&channel).is_some_and(|pause| pause.until > self.now())
    }

    fn is_due(&self, customer: &CustomerId, line: Line, now: Timestamp) -> bool {
        let state = self.books.get(customer).and_then(|book| book.lines.get(&line));
        let quiet = self.house.config.quiet;
        let Some((state, ready)) = state.and_then(|state| Some((state, state.ready_at(quiet)?))) else { return false };
        let Some(waiting) = &state.waiting else { return false };
        // A customer hears only of what holds.
        let holds = || match self.force(&waiting.decision) {
            Force::InForce { .. } | Force::Shadow => true,
            Force::AwaitsApproval(_) | Force::HeldBack(_) | Force::Undecided => false,
        };
        ready <= now && !self.is_paused(line.channel()) && (line != Line::CustomerMail || holds())
    }

    fn force(&self, decision: &Decision) -> Force {
        Force::of(decision, self.cases.get(&decision.customer), &self.house.config.modes)
    }

    async fn tell(&mut self, customer: &CustomerId, line: Line) -> Result<(), Error> {
        let state = self.books.get(customer).and_then(|book| book.lines.get(&line));
        let Some(waiting) = state.and_then(|state| state.waiting.clone()) else { return Ok(()) };
        let force = self.force(&waiting.decision);
        let is_for_the_customer = line == Line::CustomerMail;
        if is_for_the_customer && force == Force::Shadow {
            return self.leave(customer, line).await;
        }
        let to = self.recipients(customer, line.channel());
        if is_for_the_customer && to.is_empty() {
            self.count(line, "no_contact");
            return self.leave(customer, line).await;
        }
        let message = match self.message(&waiting, line, force) {
            Ok(message) => message,
            Err(fault) => {
                tracing::error!(%customer, %fault, "a template can't be filled");
                return self.end(customer, line, How::GivenUp).await;
            }
        };
        let outcome = self.send(customer, line, (&waiting, &message, &to)).await;
        self.settle(customer, line, (waiting.tries, outcome)).await
    }

    fn message(&self, waiting: &Waiting, line: Line, force: Force) -> Result<Message, crate::TemplateFault> {
        let (audience, config) = (line.channel().audience(), &self.house.config);
        let customer = &waiting.decision.customer;
        let customer_told = match config.tell_customers {
            _ if line.is_shadow() || config.mail.is_none() => CustomerTold::Off,
            false => CustomerTold::Off,
            true if self.contacts.of(customer).contact.is_none() => CustomerTold::NoContact,
            true => CustomerTold::WhenInForce,
        };
        let (earlier_moves, console) = (waiting.earlier, config.console.clone());
        let circumstances = Circumstances { audience, force, earlier_moves, customer_told, console };
        let letter = Letter::new(&waiting.decision, &circumstances);
        config.templates.letter(&audience.template(waiting.decision.to), &letter)
    }

    fn recipients(&self, customer: &CustomerId, channel: Channel) -> Vec<Address> {
        let contact = self.contacts.of(customer);
        match channel {
            Channel::CustomerMail => contact.contact.into_iter().collect(),
            Channel::SuccessMail => {
                let success = self.house.config.success.clone();
                let mut to: Vec<_> = contact.owner.into_iter().chain(success).collect();
                to.dedup();
                to
            }
            Channel::SuccessChat => Vec::new(),
        }
    }

    async fn send(
        &mut self,
        customer: &CustomerId,
        line: Line,
        (waiting, message, to): (&Waiting, &Message, &[Address]),
    ) -> Outcome {
        let house = self.house.clone();
        let keep = async || {
            if !self.house.candidacy.holds_office() {
                return false;
            }
            if let Some(state) = self.books.get_mut(customer).and_then(|book| book.lines.get_mut(&line)) {
                state.start();
            }
            match self.keep(customer).await {
                Ok(()) => true,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a message waits for the log");
                    false
                }
            }
        };
        match line.channel() {
            Channel::SuccessChat => match &house.config.chat {
                Some(url) => chat::send(&house.client, url, message, keep).await,
                None => Outcome::NotKept,
            },
            channel => {
                let Some((smtp, from)) = &house.config.mail else { return Outcome::NotKept };
                let id = format!("{}.{}", waiting.decision.id, channel.name());
                match Ready::new(message, from, to, &id) {
                    Ok(ready) => mail::send(smtp, &ready, keep).await,
                    Err(outcome) => outcome,
                }
            }
        }
    }

    /// Learns what came of a try.
    async fn settle(
        &mut self,
        customer: &CustomerId,
        line: Line,
        (tries, outcome): (u32, Outcome),
    ) -> Result<(), Error> {
        let (now, channel) = (self.now(), line.channel());
        let name = channel.name();
        match outcome {
            Outcome::Delivered => {
                self.count(line, "delivered");
                self.pauses.remove(&channel);
                self.end(customer, line, How::Delivered).await
            }
            Outcome::Unknown(said) => {
                self.count(line, "unknown");
                tracing::warn!(%customer, channel = name, said, "it is not known whether a message arrived; it is not repeated");
                self.end(customer, line, How::Unknown).await
            }
            Outcome::Refused(said) => {
                self.count(line, "given_up");
                tracing::warn!(%customer, channel = name, said, "a message is refused for good and not tried again");
                self.end(customer, line, How::GivenUp).await
            }
            Outcome::NotKept => self.again(customer, line, now + PAUSE).await,
            Outcome::Failed(said) => {
                self.count(line, "failed");
                self.pause(channel);
                let wait = usize::try_from(tries).ok().and_then(|tries| self.house.config.waits.get(tries)).copied();
                let Some(wait) = wait else {
                    self.count(line, "given_up");
                    tracing::warn!(%customer, channel = name, said, "a message is given up and not tried again");
                    return self.end(customer, line, How::GivenUp).await;
                };
                tracing::warn!(
                    channel = name,
                    said,
                    tries = tries + 1,
                    "a message could not be sent and is tried again"
                );
                let spread = rand::rng().random_range(wait.get() / 5 * 4..=wait.get() / 5 * 6);
                self.again(customer, line, now + Millis::new(spread)).await
            }
        }
    }

    /// Leaves a channel alone that fails, so that not everything is tried in vain at once.
    fn pause(&mut self, channel: Channel) {
        let now = self.now();
        let pause = self.pauses.entry(channel).or_default();
        let longer = Millis::new(PAUSE.get().saturating_mul(1 << pause.failures.min(12)));
        pause.failures = pause.failures.saturating_add(1);
        pause.until = now + longer.min(LONGEST_PAUSE);
    }

    async fn again(&mut self, customer: &CustomerId, line: Line, due: Timestamp) -> Result<(), Error> {
        if let Some(state) = self.books.get_mut(customer).and_then(|book| book.lines.get_mut(&line)) {
            // A failure before it went on its way.
            if state.sending.is_none() {
                state.start();
            }
            state.again(due);
        }
        self.keep(customer).await
    }

    async fn end(&mut self, customer: &CustomerId, line: Line, how: How) -> Result<(), Error> {
        let now = self.now();
        if let Some(state) = self.books.get_mut(customer).and_then(|book| book.lines.get_mut(&line)) {
            state.end(how, now);
        }
        self.keep(customer).await
    }

    /// Leaves what waits untold.
    async fn leave(&mut self, customer: &CustomerId, line: Line) -> Result<(), Error> {
        if let Some(state) = self.books.get_mut(customer).and_then(|book| book.lines.get_mut(&line)) {
            state.waiting = None;
        }
        self.keep(customer).await
    }

    async fn keep(&self, customer: &CustomerId) -> Result<(), Error> {
        let Some(book) = self.books.get(customer) else { return Ok(()) };
        self.append(vec![memory::book(customer, book, self.now())?]).await
    }

    async fn append(&self, appends: Vec<Append>) -> Result<(), Error> {
        if appends.is_empty() {
            return Ok(());
        }
        let failed = |source| Error::Log { doing: "keeping whom was told", source };
        self.house.producer.append(appends).await.map_err(failed)
    }

    fn count(&self, line: Line, outcome: &str) {
        self.house.metrics.deliveries.with_label_values(&[line.channel().name(), outcome]).inc();
    }

    fn gauge(&self) {
        for channel in Channel::ALL {
            let count = |places: &BTreeSet<(CustomerId, Line)>| {
                let of_it = places.iter().filter(|(_, line)| line.channel() == channel);
                i64::try_from(of_it.count()).unwrap_or(i64::MAX)
            };
            self.house.metrics.waiting.with_label_values(&[channel.name()]).set(count(&self.waiting));
            self.house.metrics.given_up.with_label_values(&[channel.name()]).set(count(&self.lost));
        }
    }
}
