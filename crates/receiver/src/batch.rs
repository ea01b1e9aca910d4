//! From a body's elements to records.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use log::{Append, Headers, Record, RecordKind, Route, Topic};
use model::{CustomerId, Timestamp};
use sendgrid::webhook::{BatchError, WebhookEvent, split};

use crate::config::Source;
use crate::pseudonym::PseudonymKey;

/// The records of one POST.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) appends: Vec<Append>,
    /// Events that go to a customer.
    pub(crate) attributed: usize,
    /// Events that name no customer.
    pub(crate) unattributed: usize,
    /// Elements that make no sense.
    pub(crate) rejected: usize,
}

/// What the records of one POST have in common.
pub(crate) struct Recorder<'s> {
    source: &'s Source,
    pseudonyms: Option<&'s PseudonymKey>,
    at: Timestamp,
    headers: Headers,
    body: Bytes,
    /// Keys made for this POST; a customer mostly has many events in one.
    keys: HashMap<String, Bytes>,
}

impl<'s> Recorder<'s> {
    pub(crate) fn new(source: &'s Source, pseudonyms: Option<&'s PseudonymKey>, at: Timestamp, body: Bytes) -> Self {
        let headers = Arc::new([(Box::from("source"), Bytes::copy_from_slice(source.name.as_bytes()))]);
        Self { source, pseudonyms, at, headers, body, keys: HashMap::new() }
    }

    /// A record for each element of the body.
    pub(crate) fn records(&mut self) -> Result<Batch, BatchError> {
        let body = self.body.clone();
        let elements = split(&body)?;
        let mut batch = Batch { appends: Vec::with_capacity(elements.len()), ..Batch::default() };
        for element in elements {
            match WebhookEvent::parse(element) {
                Ok(event) => self.take(element, &event, &mut batch),
                Err(error) => {
                    batch.rejected += 1;
                    batch.appends.push(self.reject(element, &error.to_string()));
                }
            }
        }
        Ok(batch)
    }

    /// The whole body as one reject.
    pub(crate) fn reject_all(&self, reason: &BatchError) -> Append {
        self.reject(&self.body, &reason.to_string())
    }

    fn take(&mut self, element: &[u8], event: &WebhookEvent<'_>, batch: &mut Batch) {
        let key = match self.source.customer.customer(event) {
            Some(customer) => {
                batch.attributed += 1;
                self.key(customer)
            }
            None => {
                batch.unattributed += 1;
                Bytes::from(CustomerId::unattributed(&self.source.name).as_str().to_owned())
            }
        };
        let value = match self.pseudonyms {
            None => self.body.slice_ref(element),
            // It was parsed as an object just before, so it can be rewritten.
            Some(pseudonyms) => pseudonyms.rewrite(element).unwrap_or_else(|| PseudonymKey::digest_of(element)).into(),
        };
        let record = Record { kind: RecordKind::Event, at: self.at, key, headers: Arc::clone(&self.headers), value };
        batch.appends.push(Append { topic: Topic::Events, route: Route::ByKey, record });
    }

    fn key(&mut self, customer: Cow<'_, str>) -> Bytes {
        if let Some(key) = self.keys.get(customer.as_ref()) {
            return key.clone();
        }
        let key = Bytes::copy_from_slice(customer.as_bytes());
        self.keys.insert(customer.into_owned(), key.clone());
        key
    }

    fn reject(&self, element: &[u8], reason: &str) -> Append {
        let value = match self.pseudonyms {
            None => Bytes::copy_from_slice(element),
            Some(pseudonyms) => pseudonyms.rewrite(element).unwrap_or_else(|| PseudonymKey::digest_of(element)).into(),
        };
        let source = Bytes::copy_from_slice(self.source.name.as_bytes());
        let headers = Arc::new([
            (Box::from("source"), source.clone()),
            (Box::from("reason"), Bytes::copy_from_slice(reason.as_bytes())),
        ]);
        let record = Record { kind: RecordKind::Output, at: self.at, key: source, headers, value };
        Append { topic: Topic::Rejects, route: Route::ByKey, record }
    }
}
