//! A reject, read again: by today's parser, and for the customer that today's configuration tells.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use log::{Append, REJECT_PSEUDONYMISED, Record, RecordKind, Route, Topic};
use model::{CustomerId, Timestamp};
use sendgrid::webhook::{CustomerRule, WebhookEvent, split};

/// How deep arrays within arrays are opened: a POST within an element of another.
const DEEPEST: usize = 3;

/// Replaces recipients' addresses in an event; `None` where they can't be replaced.
pub type Rewrite = Arc<dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// A source, as far as reading its rejects again needs it.
#[derive(Clone)]
pub struct RejectSource {
    /// Its name.
    pub name: String,
    /// How its events tell their customer.
    pub customer: CustomerRule,
    /// Replaces recipients' addresses, where the configuration wants that.
    pub rewrite: Option<Rewrite>,
}

impl fmt::Debug for RejectSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectSource")
            .field("name", &self.name)
            .field("customer", &self.customer)
            .finish_non_exhaustive()
    }
}

/// What a reject holds, as it is read today.
#[derive(Clone, Debug, Default)]
pub struct ReadAgain {
    /// The events, ready to be appended, and when each happened.
    pub events: Vec<(Timestamp, Append)>,
    /// Elements that still make no sense.
    pub unreadable: usize,
    /// Why the first of them makes none.
    pub reason: Option<String>,
}

/// Reads the reject `record` of `source` again. It may hold an element, a whole array, or a part of one.
///
/// The events found are as the receiver would have stored them at `at`.
pub fn read_again(source: &RejectSource, record: &Record, at: Timestamp) -> ReadAgain {
    let is_rewritten = record.header(REJECT_PSEUDONYMISED).is_some();
    let rewrite = source.rewrite.as_ref().filter(|_| !is_rewritten);
    let mut reader = Reader { source, rewrite, at, read: ReadAgain::default() };
    let value = opened(&record.value);
    match split(&value, usize::MAX) {
        Ok(elements) => elements.into_iter().for_each(|element| reader.element(&value, element, DEEPEST)),
        Err(error) => reader.refuse(|| error.to_string()),
    }
    reader.read
}

/// The value as an array: a reject is an element of one, the whole of one, or some elements with what is left of the brackets.
fn opened(value: &Bytes) -> Bytes {
    let inner = value.trim_ascii();
    if split(inner, usize::MAX).is_ok() {
        return value.clone();
    }
    let inner = inner.strip_prefix(b",").unwrap_or(inner);
    let inner = inner.strip_suffix(b",").unwrap_or(inner);
    let around = [(&b"["[..], &b"]"[..]), (b"", b"]"), (b"[", b"")];
    let candidates = around.map(|(before, after)| [before, inner, after].concat());
    let whole = candidates
        .into_iter()
        .find(|candidate| split(candidate, usize::MAX).is_ok_and(|elements| !elements.is_empty()));
    whole.map_or_else(|| value.clone(), Bytes::from)
}

struct Reader<'s> {
    source: &'s RejectSource,
    rewrite: Option<&'s Rewrite>,
    at: Timestamp,
    read: ReadAgain,
}

impl Reader<'_> {
    /// Reads an element of `value`; where it is an array itself, each of its elements.
    fn element(&mut self, value: &Bytes, element: &[u8], depth: usize) {
        if element.first() == Some(&b'[')
            && depth > 0
            && let Ok(inner) = split(element, usize::MAX)
            && !inner.is_empty()
        {
            return inner.into_iter().for_each(|element| self.element(value, element, depth - 1));
        }
        match WebhookEvent::parse(element) {
            Ok(event) => self.event(value, element, &event),
            Err(error) => self.refuse(|| error.reason()),
        }
    }

    fn event(&mut self, whole: &Bytes, element: &[u8], event: &WebhookEvent<'_>) {
        let value = match self.rewrite {
            None => whole.slice_ref(element),
            Some(rewrite) => match rewrite(element) {
                Some(rewritten) => rewritten.into(),
                None => return self.refuse(|| "its addresses could not be replaced".to_owned()),
            },
        };
        let source = &self.source.name;
        let key = match self.source.customer.customer(event) {
            Some(customer) => Bytes::copy_from_slice(customer.as_bytes()),
            None => Bytes::from(CustomerId::unattributed(source).as_str().to_owned()),
        };
        let headers = Arc::new([(Box::from("source"), Bytes::copy_from_slice(source.as_bytes()))]);
        let record = Record { kind: RecordKind::Event, at: self.at, key, headers, value };
        self.read.events.push((event.timestamp, Append { topic: Topic::Events, route: Route::ByKey, record }));
    }

    fn refuse(&mut self, why: impl FnOnce() -> String) {
        self.read.unreadable += 1;
        self.read.reason.get_or_insert_with(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(rewrite: Option<Rewrite>) -> RejectSource {
        RejectSource { name: "main".to_owned(), customer: CustomerRule::CustomArg("customer_id".to_owned()), rewrite }
    }

    fn reject(value: &str, pseudonymised: bool) -> Record {
        let header = pseudonymised.then(|| (Box::from(REJECT_PSEUDONYMISED), Bytes::from_static(b"true")));
        Record {
            kind: RecordKind::Output,
            at: Timestamp::from_seconds(1),
            key: Bytes::from_static(b"main"),
            headers: header.into_iter().collect(),
            value: Bytes::copy_from_slice(value.as_bytes()),
        }
    }

    fn read(value: &str) -> (Vec<(String, String)>, usize, Option<String>) {
        let read = read_again(&source(None), &reject(value, false), Timestamp::from_seconds(7));
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let events = read.events.iter().map(|(_, append)| {
            assert_eq!((append.topic, append.record.kind), (Topic::Events, RecordKind::Event));
            assert_eq!(append.record.at, Timestamp::from_seconds(7));
            assert_eq!(append.record.header("source"), Some(&Bytes::from_static(b"main")));
            (text(&append.record.key), text(&append.record.value))
        });
        (events.collect(), read.unreadable, read.reason)
    }

    const OPEN: &str = r#"{"event":"open","timestamp":1,"customer_id":"acme"}"#;
    const CLICK: &str = r#"{"event":"click","timestamp":1}"#;

    #[test]
    fn what_is_readable_is_found_in_an_element_an_array_and_a_part_of_one() {
        let open = || ("acme".to_owned(), OPEN.to_owned());
        let click = || ("unattributed:main".to_owned(), CLICK.to_owned());
        assert_eq!(read(OPEN), (vec![open()], 0, None));
        for whole in [
            format!("[{OPEN},{CLICK}]"),
            format!("{OPEN},\r\n{CLICK}"),
            format!("[{OPEN},{CLICK}"),
            format!("{OPEN},{CLICK}]\r\n"),
            format!(",{OPEN},{CLICK},"),
            format!("[[{OPEN}],[{CLICK}]]"),
        ] {
            assert_eq!(read(&whole), (vec![open(), click()], 0, None), "{whole}");
        }
    }

    #[test]
    fn what_makes_no_sense_still_is_counted_with_the_reason() {
        let (events, unreadable, reason) = read(&format!(r#"[{{"Key":"email"}},{OPEN},7]"#));
        assert_eq!((events.len(), unreadable), (1, 2));
        assert_eq!(reason.unwrap(), "`event` is missing or no text");
        for (value, reason) in
            [("", "the body is empty"), ("{\"a\":", "0x7b"), ("\u{fffd}", "no JSON object"), ("[]", ""), ("]]", "0x5d")]
        {
            let (events, unreadable, found) = read(value);
            assert_eq!((events.len(), unreadable), (0, usize::from(!reason.is_empty())), "{value}");
            assert!(found.unwrap_or_default().contains(reason), "{value}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read(&deep).1, 1);
    }

    #[test]
    fn addresses_are_replaced_where_that_is_wanted_and_was_not_done_before() {
        let rewrite: Rewrite = Arc::new(|element| Some([b"rewritten ", element].concat()));
        let values = |pseudonymised| {
            let read =
                read_again(&source(Some(Arc::clone(&rewrite))), &reject(OPEN, pseudonymised), Timestamp::default());
            read.events.into_iter().map(|(_, append)| append.record.value).collect::<Vec<_>>()
        };
        assert_eq!(values(false), [format!("rewritten {OPEN}")]);
        assert_eq!(values(true), [OPEN]);
        let refusing: Rewrite = Arc::new(|_| None);
        let read = read_again(&source(Some(refusing)), &reject(OPEN, false), Timestamp::default());
        assert_eq!((read.events.len(), read.unreadable), (0, 1));
    }
}
