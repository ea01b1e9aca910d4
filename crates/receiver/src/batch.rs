//! From a body's elements to records.
//!
//! A record's value is a slice of the body, its key is shared among the events of a customer and its headers among all
//! events of the POST, so that an event costs no allocation of its own.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use foldhash::fast::RandomState;
use log::{Append, Headers, REJECT_PSEUDONYMISED, Record, RecordKind, Route, Topic};
use model::{CustomerId, Digest, Timestamp};
use sendgrid::webhook::{BatchError, WebhookEvent, split};
use telemetry::{TRACEPARENT, TraceParent};

use crate::admission::{Permit, Refused};
use crate::config::Source;
use crate::duplicates::{self, KnownEvents};
use crate::origin::{Known, MailIds, Origins};
use crate::pseudonym::PseudonymKey;

/// Memory charged for each element, besides its own bytes: its record, headers and ids.
const RECORD_BYTES: usize = 512;

/// How many elements of a POST became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Events that go to a customer.
    pub(crate) attributed: usize,
    /// Of these, events that name none, and are of a mail whose customer is known.
    pub(crate) joined: usize,
    /// Events that name no customer.
    pub(crate) unattributed: usize,
    /// Copies of events that are durable already; they are not appended.
    pub(crate) duplicates: usize,
    /// Elements that make no sense.
    pub(crate) rejected: usize,
}

/// The records of one POST.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) appends: Vec<Append>,
    pub(crate) tally: Tally,
    /// Why the first reject was rejected.
    pub(crate) first_reason: Option<String>,
    /// Which customers' mails it tells of.
    pub(crate) mails: Vec<(MailIds, Bytes)>,
    /// The ids of events whose copies can be dropped once this batch is durable.
    pub(crate) ids: Vec<Digest>,
}

/// Makes the records of one POST.
pub(crate) struct Recorder<'s> {
    source: &'s Source,
    pseudonyms: Option<&'s PseudonymKey>,
    at: Timestamp,
    body: Bytes,
    headers: Headers,
    source_name: Bytes,
    /// The key of events that name no customer.
    unattributed: Bytes,
    /// Keys made for this POST: a customer mostly has many events in one.
    keys: HashMap<String, Bytes, RandomState>,
    /// Events that name no customer: where in the batch, and their mails.
    nameless: Vec<(usize, MailIds)>,
    /// The last reject's reason and headers: the next reject shares them if its reason is the same.
    last_reject: Option<(String, Headers)>,
    batch: Batch,
}

impl<'s> Recorder<'s> {
    /// For a body that is known to be `source`'s.
    pub(crate) fn new(source: &'s Source, pseudonyms: Option<&'s PseudonymKey>, at: Timestamp, body: Bytes) -> Self {
        let name = source.name.as_str();
        let source_name = Bytes::copy_from_slice(name.as_bytes());
        Self {
            source,
            pseudonyms,
            at,
            body,
            headers: Arc::new([(Box::from("source"), source_name.clone())]),
            source_name,
            unattributed: Bytes::from(CustomerId::unattributed(name).as_str().to_owned()),
            keys: HashMap::default(),
            nameless: Vec::new(),
            last_reject: None,
            batch: Batch::default(),
        }
    }

    /// The same, where the POST's trace is sampled: its events carry the context on.
    pub(crate) fn traced(self, trace: Option<&TraceParent>) -> Self {
        let Some(trace) = trace else { return self };
        let context = (Box::from(TRACEPARENT), Bytes::from(trace.to_string()));
        let headers = self.headers.iter().cloned().chain([context]).collect();
        Self { headers, ..self }
    }

    /// Makes a record for each element of the body. If the body is not an array, or its records cannot fit the memory budget, makes
    /// one reject of the whole body and returns the reason. Events without a customer go to the customer of their mail, if
    /// `origins` or the body itself tell it. Events that are `known` are left out.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the memory budget has no room for the records now.
    pub(crate) fn records(
        mut self,
        origins: &Origins,
        known: &KnownEvents,
        permit: &mut Permit,
    ) -> Result<(Batch, Result<(), BatchError>), Refused> {
        let body = self.body.clone();
        // Rewritten elements are copies.
        let bytes = if self.pseudonyms.is_some() { 2 * body.len() } else { body.len() };
        let most = permit.limit().saturating_sub(bytes) / RECORD_BYTES;
        let elements = match split(&body, most) {
            Ok(elements) => elements,
            Err(error) => {
                self.reject(&body, &error.to_string());
                return Ok((self.batch, Err(error)));
            }
        };
        permit.grow(elements.len() * RECORD_BYTES + bytes - body.len())?;
        self.batch.appends.reserve_exact(elements.len());
        for element in elements {
            match WebhookEvent::parse(element) {
                Ok(event) => self.take(element, &event, known),
                Err(error) => self.reject(element, &error.reason()),
            }
        }
        self.join(origins);
        Ok((self.batch, Ok(())))
    }

    fn join(&mut self, origins: &Origins) {
        if self.nameless.is_empty() {
            return;
        }
        let mut here = Known::default();
        self.batch.mails.iter().for_each(|(ids, customer)| here.learn(*ids, customer));
        let known = origins.lock();
        for (place, ids) in self.nameless.drain(..) {
            let customer = known.customer(ids).or_else(|| here.customer(ids));
            if let (Some(customer), Some(append)) = (customer, self.batch.appends.get_mut(place)) {
                append.record.key = customer;
                self.batch.tally.unattributed -= 1;
                self.batch.tally.attributed += 1;
                self.batch.tally.joined += 1;
            }
        }
    }

    fn take(&mut self, element: &[u8], event: &WebhookEvent<'_>, known: &KnownEvents) {
        let id = event.id_digest();
        if id.is_some_and(|id| known.contains(&id)) {
            self.batch.tally.duplicates += 1;
            return;
        }
        let Some(value) = self.event_value(element) else {
            return self.reject(element, "its addresses could not be replaced");
        };
        let source = self.source;
        let key = match source.customer.customer(event) {
            Some(customer) => {
                self.batch.tally.attributed += 1;
                let key = self.key(&customer);
                self.batch.mails.push((event.mail_ids(), key.clone()));
                // Not in the other arm: a copy of that event may name a customer.
                self.batch.ids.extend(id.filter(|_| duplicates::can_be_deduplicated(event, self.at)));
                key
            }
            None => {
                self.batch.tally.unattributed += 1;
                self.nameless.push((self.batch.appends.len(), event.mail_ids()));
                self.unattributed.clone()
            }
        };
        let record = Record { kind: RecordKind::Event, at: self.at, key, headers: Arc::clone(&self.headers), value };
        self.batch.appends.push(Append { topic: Topic::Events, route: Route::ByKey, record });
    }

    fn reject(&mut self, element: &[u8], reason: &str) {
        let value = match self.pseudonyms {
            None => self.body.slice_ref(element),
            Some(pseudonyms) => pseudonyms.rewrite_reject(element).into(),
        };
        let headers = self.reject_headers(reason);
        self.batch.first_reason.get_or_insert_with(|| reason.to_owned());
        let key = self.source_name.clone();
        let record = Record { kind: RecordKind::Output, at: self.at, key, headers, value };
        self.batch.tally.rejected += 1;
        self.batch.appends.push(Append { topic: Topic::Rejects, route: Route::ByKey, record });
    }

    /// A reject's headers, shared with the previous reject if the reason is the same.
    fn reject_headers(&mut self, reason: &str) -> Headers {
        if let Some((last, headers)) = &self.last_reject
            && last == reason
        {
            return Arc::clone(headers);
        }
        let source = (Box::from("source"), self.source_name.clone());
        let reason_header = (Box::from("reason"), Bytes::copy_from_slice(reason.as_bytes()));
        let pseudonymised = self.pseudonyms.map(|_| (Box::from(REJECT_PSEUDONYMISED), Bytes::from_static(b"true")));
        let headers: Headers = [source, reason_header].into_iter().chain(pseudonymised).collect();
        self.last_reject = Some((reason.to_owned(), Arc::clone(&headers)));
        headers
    }

    fn event_value(&self, element: &[u8]) -> Option<Bytes> {
        match self.pseudonyms {
            None => Some(self.body.slice_ref(element)),
            Some(pseudonyms) => pseudonyms.rewrite_event(element).map(Bytes::from),
        }
    }

    fn key(&mut self, customer: &str) -> Bytes {
        if let Some(key) = self.keys.get(customer) {
            return key.clone();
        }
        let key = Bytes::copy_from_slice(customer.as_bytes());
        self.keys.insert(customer.to_owned(), key.clone());
        key
    }
}
