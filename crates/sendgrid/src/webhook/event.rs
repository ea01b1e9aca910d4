//! One event of a POST.

use std::borrow::Cow;
use std::fmt;

use model::{Digest, Event, EventKind, PoolName, Provider, Timestamp};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::message_id::{self, SendAt, Sending};
use super::{digest, kind, raw};

/// Why an element of a POST is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not a JSON object, or not JSON.
    #[error("it is no JSON object ({0})")]
    NotAnObject(String),
    /// `event` is missing, empty or no string.
    #[error("`event` is missing or no text")]
    NoEvent,
    /// `timestamp` is missing.
    #[error("`timestamp` is missing")]
    NoTimestamp,
    /// `timestamp` is no number of seconds, or lies before 1970.
    #[error("`timestamp` is no number of seconds since 1970")]
    BadTimestamp,
}

impl EventError {
    /// The same without any of the element: a parser's own words quote what it found, at any length.
    pub fn reason(&self) -> String {
        match self {
            Self::NotAnObject(found) => match found.rsplit_once(" at line ") {
                Some((_, place)) => format!("it is no JSON object (line {place})"),
                None => "it is no JSON object".to_owned(),
            },
            other => other.to_string(),
        }
    }
}

/// The pool that a mail was sent through; only `processed` events of mail that named one have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// SendGrid's number of it.
    pub id: i64,
}

/// An event as SendGrid posts it, borrowing from the body wherever it has no escapes.
///
/// Every field but `event` and `timestamp` may be missing. A field of an unexpected type counts as missing; it and every
/// field that is not listed here (custom arguments, and what SendGrid may add) is kept in `extra`. Where a key stands
/// twice, the last one counts.
#[derive(Clone, Debug)]
pub struct WebhookEvent<'a> {
    /// What happened, for example `bounce`.
    pub event: Cow<'a, str>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The recipient.
    pub email: Option<Cow<'a, str>>,
    /// SendGrid's id of the event.
    pub sg_event_id: Option<Cow<'a, str>>,
    /// SendGrid's id of the mail; asynchronous bounces have none.
    pub sg_message_id: Option<Cow<'a, str>>,
    /// The mail's `Message-ID`.
    pub smtp_id: Option<Cow<'a, str>>,
    /// Categories; sent as one string or as an array.
    pub categories: Vec<Cow<'a, str>>,
    /// The unsubscribe group.
    pub asm_group_id: Option<i64>,
    /// Why it was dropped, deferred or bounced, in the words of SendGrid or of the receiving server.
    pub reason: Option<Cow<'a, str>>,
    /// The enhanced status code, for example `5.1.1`.
    pub status: Option<Cow<'a, str>>,
    /// What the receiving server answered.
    pub response: Option<Cow<'a, str>>,
    /// Which attempt of delivery was deferred.
    pub attempt: Option<i64>,
    /// `type`: `bounce` or `blocked`, of a bounce; a status of an account.
    pub bounce_type: Option<Cow<'a, str>>,
    /// SendGrid's class of the bounce, for example `Invalid Address`.
    pub bounce_classification: Option<Cow<'a, str>>,
    /// Whether the mail went over TLS.
    pub tls: Option<bool>,
    /// Whether the receiving server's certificate was faulty.
    pub cert_err: Option<bool>,
    /// The sending IP on delivery events; the recipient's or its proxy's on engagement events.
    pub ip: Option<Cow<'a, str>>,
    /// The recipient's program.
    pub useragent: Option<Cow<'a, str>>,
    /// The link that was followed.
    pub url: Option<Cow<'a, str>>,
    /// Whether a privacy proxy opened the mail.
    pub machine_open: bool,
    /// Which part of the mail was opened or clicked, for example `html`.
    pub content_type: Option<Cow<'a, str>>,
    /// The pool that the mail was sent through.
    pub pool: Option<Pool<'a>>,
    /// When the mail was to be sent.
    pub send_at: Option<SendAt>,
    /// The marketing campaign.
    pub marketing_campaign_id: Option<i64>,
    /// Its name.
    pub marketing_campaign_name: Option<Cow<'a, str>>,
    /// The Single Send.
    pub singlesend_id: Option<Cow<'a, str>>,
    /// The template.
    pub template_id: Option<Cow<'a, str>>,
    /// Everything else, in the order of the event.
    pub extra: Vec<(Cow<'a, str>, Cow<'a, RawValue>)>,
}

impl<'a> WebhookEvent<'a> {
    /// Reads one element of a POST.
    ///
    /// Bytes that are no text do not spoil the rest of an event: servers answer in encodings of their own, and those
    /// answers become its `reason`. Such bytes are read as U+FFFD.
    ///
    /// # Errors
    ///
    /// [`EventError`], whose text is the reason with which it is rejected.
    pub fn parse(element: &'a [u8]) -> Result<Self, EventError> {
        let read = std::str::from_utf8(element).ok().map(Self::parse_text);
        match read {
            Some(Err(EventError::NotAnObject(_))) | None => match raw::readable(element) {
                Cow::Borrowed(text) => Self::parse_text(text),
                Cow::Owned(text) => WebhookEvent::parse_text(&text).map(WebhookEvent::into_owned),
            },
            Some(read) => read,
        }
    }

    fn parse_text(text: &'a str) -> Result<Self, EventError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let fields = json.deserialize_map(FieldsVisitor).and_then(|fields| json.end().map(|()| fields));
        fields.map_err(|error| EventError::NotAnObject(error.to_string()))?.finish()
    }

    /// Whether it is one of those that SendGrid makes up to test a webhook.
    ///
    /// They all carry one `sg_message_id`, which names a server of 2015. SendGrid writes that field and no sender can
    /// choose it, so that no real mail is taken for a test; the recipient alone, whom everybody can write to, would not do.
    pub fn is_test(&self) -> bool {
        const RECIPIENT: &str = "example@test.com";
        const MADE_UP_MESSAGE: &str = "14c5d75ce93.dfd.64b469.filter0001.";
        self.sg_message_id.as_deref().is_some_and(|id| id.starts_with(MADE_UP_MESSAGE))
            && self.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(RECIPIENT))
    }

    /// What it tells.
    pub fn kind(&self) -> EventKind {
        kind::of(self)
    }

    /// What SendGrid's own statistics count it as.
    pub fn kind_at_sendgrid(&self) -> EventKind {
        kind::at_sendgrid(self)
    }

    /// The custom argument `name`; numbers and booleans as their text.
    pub fn arg(&self, name: &str) -> Option<Cow<'a, str>> {
        self.extra.iter().rev().find(|(key, _)| key == name).and_then(|(_, value)| match value {
            Cow::Borrowed(value) => raw::text(value),
            Cow::Owned(value) => raw::text(value).map(|text| Cow::Owned(text.into_owned())),
        })
    }

    /// The digest of the event's id, if it has one. Copies of an event have the same digest, whatever source they come from.
    pub fn id_digest(&self) -> Option<Digest> {
        digest::of_id(self)
    }

    /// Digests of its mail's ids: SendGrid's, which the recipients of one API call share and asynchronous events lack, and
    /// its `Message-ID`, which two customers can have in common, since whoever sends by SMTP chooses that header.
    pub fn mail_ids(&self) -> [Option<Digest>; 2] {
        [digest::of_mail(self), digest::of_smtp(self)]
    }

    /// What the fold needs of it.
    pub fn to_event(&self) -> Event<'_> {
        let accepted = self.sg_message_id.as_deref().and_then(|id| message_id::accepted_at(id, self.timestamp));
        let Sending { sent_at, send_at } = message_id::sending(accepted, self.send_at, self.timestamp);
        Event {
            kind: self.kind(),
            facet: kind::facet(self),
            at: self.timestamp,
            sent_at,
            accepted_at: accepted,
            send_at,
            provider: self.email.as_deref().map_or(Provider::Other, Provider::of_address),
            pool: self.pool.as_ref().map(|pool| pool.name.as_ref()).filter(|name| is_name_of_a_pool(name)),
            id: self.sg_event_id.as_deref().unwrap_or_default(),
            id_digest: digest::of_id_or_content(self),
            content_digest: digest::of_content(self),
        }
    }

    /// The same, with nothing borrowed.
    fn into_owned(self) -> WebhookEvent<'static> {
        let owned = |text: Option<Cow<'a, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        let own = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        WebhookEvent {
            event: own(self.event),
            timestamp: self.timestamp,
            email: owned(self.email),
            sg_event_id: owned(self.sg_event_id),
            sg_message_id: owned(self.sg_message_id),
            smtp_id: owned(self.smtp_id),
            categories: self.categories.into_iter().map(own).collect(),
            asm_group_id: self.asm_group_id,
            reason: owned(self.reason),
            status: owned(self.status),
            response: owned(self.response),
            attempt: self.attempt,
            bounce_type: owned(self.bounce_type),
            bounce_classification: owned(self.bounce_classification),
            tls: self.tls,
            cert_err: self.cert_err,
            ip: owned(self.ip),
            useragent: owned(self.useragent),
            url: owned(self.url),
            machine_open: self.machine_open,
            content_type: owned(self.content_type),
            pool: self.pool.map(|Pool { name, id }| Pool { name: own(name), id }),
            send_at: self.send_at,
            marketing_campaign_id: self.marketing_campaign_id,
            marketing_campaign_name: owned(self.marketing_campaign_name),
            singlesend_id: owned(self.singlesend_id),
            template_id: owned(self.template_id),
            extra: self.extra.into_iter().map(|(key, value)| (own(key), Cow::Owned(value.into_owned()))).collect(),
        }
    }

    fn empty() -> Self {
        Self {
            event: Cow::Borrowed(""),
            timestamp: Timestamp::default(),
            email: None,
            sg_event_id: None,
            sg_message_id: None,
            smtp_id: None,
            categories: Vec::new(),
            asm_group_id: None,
            reason: None,
            status: None,
            response: None,
            attempt: None,
            bounce_type: None,
            bounce_classification: None,
            tls: None,
            cert_err: None,
            ip: None,
            useragent: None,
            url: None,
            machine_open: false,
            content_type: None,
            pool: None,
            send_at: None,
            marketing_campaign_id: None,
            marketing_campaign_name: None,
            singlesend_id: None,
            template_id: None,
            extra: Vec::new(),
        }
    }
}

/// An event while its fields come in.
struct Fields<'a> {
    event: WebhookEvent<'a>,
    timestamp: Option<&'a RawValue>,
}

impl<'a> Fields<'a> {
    fn take(&mut self, key: Cow<'a, str>, value: &'a RawValue) {
        if key == "timestamp" {
            self.timestamp = Some(value);
        } else if !self.take_known(&key, value) {
            self.event.extra.push((key, Cow::Borrowed(value)));
        }
    }

    /// Takes a field that SendGrid documents; whether it was one and of a type that makes sense.
    fn take_known(&mut self, key: &str, value: &'a RawValue) -> bool {
        let event = &mut self.event;
        match key {
            "event" => set(&mut event.event, raw::text(value)),
            "email" => some(&mut event.email, raw::text(value)),
            "sg_event_id" => some(&mut event.sg_event_id, raw::text(value)),
            "sg_message_id" => some(&mut event.sg_message_id, raw::text(value)),
            "smtp-id" => some(&mut event.smtp_id, raw::text(value)),
            "category" => set(&mut event.categories, Some(raw::texts(value))),
            "asm_group_id" => some(&mut event.asm_group_id, raw::integer(value)),
            "reason" => some(&mut event.reason, raw::text(value)),
            "status" => some(&mut event.status, raw::text(value)),
            "response" => some(&mut event.response, raw::text(value)),
            "attempt" => some(&mut event.attempt, raw::integer(value)),
            "type" => some(&mut event.bounce_type, raw::text(value)),
            "bounce_classification" => some(&mut event.bounce_classification, raw::text(value)),
            "tls" => some(&mut event.tls, raw::boolean(value)),
            "cert_err" => some(&mut event.cert_err, raw::boolean(value)),
            "ip" => some(&mut event.ip, raw::text(value)),
            "useragent" => some(&mut event.useragent, raw::text(value)),
            "url" => some(&mut event.url, raw::text(value)),
            "sg_machine_open" => set(&mut event.machine_open, raw::boolean(value)),
            "sg_content_type" => some(&mut event.content_type, raw::text(value)),
            "pool" => some(&mut event.pool, pool(value)),
            "send_at" => some(&mut event.send_at, send_at(value)),
            "marketing_campaign_id" => some(&mut event.marketing_campaign_id, raw::integer(value)),
            "marketing_campaign_name" => some(&mut event.marketing_campaign_name, raw::text(value)),
            "singlesend_id" => some(&mut event.singlesend_id, raw::text(value)),
            "template_id" => some(&mut event.template_id, raw::text(value)),
            _ => false,
        }
    }

    fn finish(self) -> Result<WebhookEvent<'a>, EventError> {
        let Self { mut event, timestamp } = self;
        if event.event.trim().is_empty() {
            return Err(EventError::NoEvent);
        }
        event.timestamp = raw::moment(timestamp.ok_or(EventError::NoTimestamp)?).ok_or(EventError::BadTimestamp)?;
        Ok(event)
    }
}

fn set<T>(field: &mut T, value: Option<T>) -> bool {
    let made_sense = value.is_some();
    if let Some(value) = value {
        *field = value;
    }
    made_sense
}

fn some<T>(field: &mut Option<T>, value: Option<T>) -> bool {
    *field = value;
    field.is_some()
}

fn send_at(value: &RawValue) -> Option<SendAt> {
    raw::moment(value).map(|at| SendAt { at, is_text: value.get().starts_with('"') })
}

fn is_name_of_a_pool(name: &str) -> bool {
    name.chars().nth(PoolName::MAX_CHARS).is_none()
}

/// SendGrid's own object; a custom argument of this name is always a string, and no pool.
fn pool(value: &RawValue) -> Option<Pool<'_>> {
    if !value.get().starts_with('{') {
        return None;
    }
    let mut json = serde_json::Deserializer::from_str(value.get());
    json.deserialize_map(PoolVisitor).ok().flatten()
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields { event: WebhookEvent::empty(), timestamp: None };
        while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            fields.take(key, value);
        }
        Ok(fields)
    }
}

struct PoolVisitor;

impl<'de> Visitor<'de> for PoolVisitor {
    type Value = Option<Pool<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pool")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut name, mut id) = (None, None);
        while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            match key.as_ref() {
                "name" => name = raw::text(value),
                "id" => id = raw::integer(value),
                _ => {}
            }
        }
        Ok(name.zip(id).map(|(name, id)| Pool { name, id }))
    }
}

/// A key, borrowed where it has no escapes (serde's own `Cow` never borrows).
struct Key<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}
