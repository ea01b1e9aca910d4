//! One message: when it is due, what it says, and how it goes.

use model::{CustomerId, Decision, Timestamp};

use crate::book::{How, Waiting};
use crate::channel::{Channel, Line, Outcome};
use crate::config::Address;
use crate::force::Force;
use crate::house::House;
use crate::letter::{Circumstances, CustomerTold, Letter};
use crate::mail::Ready;
use crate::templates::Message;
use crate::worker::Worker;
use crate::{Error, TemplateFault, chat, draft, mail, memory};

impl Worker {
    pub(crate) fn is_due(&self, customer: &CustomerId, line: Line, now: Timestamp) -> bool {
        let state = self.books.get(customer).and_then(|book| book.lines.get(&line));
        let quiet = self.house.config.quiet;
        let Some((state, ready)) = state.and_then(|state| Some((state, state.ready_at(quiet)?))) else { return false };
        let Some(waiting) = &state.waiting else { return false };
        // A customer hears only of what holds.
        let holds = || match self.force(&waiting.decision) {
            Force::InForce { .. } | Force::Shadow => true,
            Force::AwaitsApproval(_) | Force::HeldBack(_) | Force::Undecided => false,
        };
        ready <= now && !self.pauses.has(line.channel(), now) && (!line.is_for_the_customer() || holds())
    }

    fn force(&self, decision: &Decision) -> Force {
        let case = self.cases.get(&decision.customer).map(|(case, _)| case);
        Force::of(decision, case, &self.house.config.modes)
    }

    pub(crate) async fn tell(&mut self, customer: &CustomerId, line: Line) -> Result<(), Error> {
        let state = self.books.get(customer).and_then(|book| book.lines.get(&line));
        let Some(waiting) = state.and_then(|state| state.waiting.clone()) else { return Ok(()) };
        let (force, channel) = (self.force(&waiting.decision), line.channel());
        if line.is_for_the_customer() && force == Force::Shadow {
            return self.leave(customer, line).await;
        }
        if waiting.comes_into_force && !matches!(force, Force::InForce { .. }) {
            return self.take_back(customer, line).await;
        }
        let to = self.recipients(customer, channel);
        if channel == Channel::CustomerMail && to.is_empty() {
            self.count(channel, "no_contact");
            return self.leave(customer, line).await;
        }
        let message = match self.message(&waiting, line, force.clone()).await {
            Ok(message) => message,
            Err(fault) => {
                tracing::error!(%customer, %fault, "a template can't be filled");
                self.count(channel, "given_up");
                return self.end(customer, line, How::GivenUp).await;
            }
        };
        if channel.is_draft() {
            return self.draft((customer, line), &waiting, &message, &force).await;
        }
        let outcome = self.send((customer, line), &waiting, (&message, &to), &force).await;
        self.settle(customer, line, (waiting.tries, outcome)).await
    }

    async fn message(&self, waiting: &Waiting, line: Line, force: Force) -> Result<Message, TemplateFault> {
        let (audience, config) = (line.audience(), &self.house.config);
        let customer = &waiting.decision.customer;
        let customer_told = match config.tell_customers {
            _ if line.is_shadow() || config.mail.is_none() => CustomerTold::Off,
            false => CustomerTold::Off,
            true if self.contacts.of(customer).contact.is_none() => CustomerTold::NoContact,
            true => CustomerTold::WhenInForce,
        };
        let circumstances = Circumstances {
            comes_into_force: waiting.comes_into_force,
            earlier_moves: waiting.earlier,
            customer_told,
            console: config.console.clone(),
            policy: config.policies.in_force(&waiting.decision.policy).await,
            place: self.places.get(customer).cloned(),
            ..Circumstances::new(audience, force)
        };
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
            _ => Vec::new(),
        }
    }

    /// Puts it into the log, and with it that it is there.
    async fn draft(
        &mut self,
        (customer, line): (&CustomerId, Line),
        waiting: &Waiting,
        message: &Message,
        force: &Force,
    ) -> Result<(), Error> {
        let now = self.now();
        let draft = draft::append(waiting, message, (line.audience(), force), now)?;
        let Some(book) = self.books.get_mut(customer) else { return Ok(()) };
        if let Some(state) = book.lines.get_mut(&line) {
            state.start(force.is_pending(&waiting.decision));
            state.end(How::Delivered, now);
        }
        let book = memory::book(customer, book, now)?;
        self.append(vec![draft, book]).await?;
        self.count(line.channel(), "delivered");
        Ok(())
    }

    async fn send(
        &mut self,
        (customer, line): (&CustomerId, Line),
        waiting: &Waiting,
        (message, to): (&Message, &[Address]),
        force: &Force,
    ) -> Outcome {
        let (house, channel) = (self.house.clone(), line.channel());
        let once_more = if waiting.comes_into_force { ".in-force" } else { "" };
        let id = format!("{}.{}{once_more}", waiting.decision.id, channel.name());
        let is_pending = force.is_pending(&waiting.decision);
        let keep = async || {
            if !self.holds_office() {
                return false;
            }
            if let Some(state) = self.books.get_mut(customer).and_then(|book| book.lines.get_mut(&line)) {
                state.start(is_pending);
            }
            self.is_kept(self.keep(customer).await)
        };
        house.send(channel, (message, to, &id), keep).await
    }
}

impl House {
    /// Sends `message`; `keep` keeps that it is on its way, or says that it can't.
    pub(crate) async fn send(
        &self,
        channel: Channel,
        (message, to, id): (&Message, &[Address], &str),
        keep: impl AsyncFnOnce() -> bool,
    ) -> Outcome {
        match channel {
            Channel::SuccessChat | Channel::DigestChat => match &self.config.chat {
                Some(url) => chat::send(&self.client, url, message, keep).await,
                None => Outcome::NotKept,
            },
            Channel::SuccessMail | Channel::CustomerMail | Channel::DigestMail => {
                let Some((smtp, from)) = &self.config.mail else { return Outcome::NotKept };
                match Ready::new(message, from, to, id) {
                    Ok(ready) => mail::send(smtp, &ready, keep).await,
                    Err(outcome) => outcome,
                }
            }
            // These go into the log.
            Channel::SuccessDraft | Channel::CustomerDraft => Outcome::NotKept,
        }
    }
}
