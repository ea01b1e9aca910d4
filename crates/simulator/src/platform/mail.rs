//! What becomes of one mail, as SendGrid tells it: complete, late, twice, out of order.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Counter, Millis, Timestamp};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Account;
use super::population::{Chances, Character, stream};
use super::recipients::{has_outage, reports_complaints};

/// A mail that leaves.
pub(super) struct Mail<'a> {
    pub(super) seed: u64,
    pub(super) customer: usize,
    pub(super) number: usize,
    pub(super) at: Timestamp,
    pub(super) account: &'a Account,
    pub(super) pool: Option<Arc<str>>,
    pub(super) outage: (Timestamp, Timestamp),
}

/// One thing that happened, and the copies in which it is told.
pub(super) struct Occurrence {
    pub(super) counter: Counter,
    /// Whether it names its customer.
    pub(super) attributed: bool,
    /// When each copy is posted, and the JSON.
    pub(super) copies: Vec<(Timestamp, String)>,
}

/// What an event has beyond the fields that all have.
#[derive(Default)]
struct Extra {
    text: String,
    /// An asynchronous bounce: it comes without the mail's id.
    asynchronous: bool,
    /// It has lost its custom arguments, and with them its customer.
    anonymous: bool,
}

impl Mail<'_> {
    /// Everything that happens to it, in no order of arrival.
    pub(super) fn occurrences(&self, character: &Character) -> Vec<Occurrence> {
        let mut rng = stream(self.seed, self.customer, 2);
        // Each mail has its own stretch of the stream: whether an earlier mail was sent changes nothing for this one.
        rng.set_word_pos((self.number as u128) << 12);
        let chances = self.chances(character);
        let domain = character.recipients.domain(&mut rng);
        let mut teller = Teller { mail: self, domain, rng, told: Vec::new() };
        teller.processed();
        teller.outcome(chances);
        teller.told
    }

    fn chances(&self, character: &Character) -> Chances {
        let since = self.at.since(self.account.bad_from);
        if since < Millis::ZERO {
            return character.usual;
        }
        if character.slowly {
            // Reaches its worst after an hour; millions of milliseconds are exact in a float.
            #[expect(clippy::cast_precision_loss, reason = "an hour in milliseconds is exact in a float")]
            let share = (since.get() as f64 / 3_600_000.0).min(1.0);
            return character.usual.towards(character.bad, share);
        }
        character.bad
    }
}

/// Tells a mail's story.
struct Teller<'m> {
    mail: &'m Mail<'m>,
    domain: &'static str,
    rng: ChaCha8Rng,
    told: Vec<Occurrence>,
}

impl Teller<'_> {
    fn processed(&mut self) {
        let mut extra = Extra::default();
        if let Some(pool) = &self.mail.pool {
            let _unfailing = write!(extra.text, r#","pool":{{"name":"{pool}","id":210}},"send_at":0"#);
        }
        self.tell(Counter::Processed, Millis::ZERO, extra);
    }

    fn outcome(&mut self, chances: Chances) {
        let (start, end) = self.mail.outage;
        let refused = has_outage(self.domain) && (start..end).contains(&self.mail.at) && self.rng.random_bool(0.7);
        let fate: f64 = self.rng.random_range(0.0..1.0);
        if fate < chances.hard_bounce {
            self.hard_bounce();
        } else if refused {
            self.deferred("451 4.7.650 The mail server has been temporarily rate limited due to IP reputation (S775)");
            self.blocked(
                "550 5.7.1 messages from [192.0.2.7] weren't sent; part of their network is on our block list (S3140)",
            );
        } else if fate < chances.hard_bounce + chances.block {
            self.blocked("554 5.7.1 message refused by policy");
        } else {
            self.delivered(chances);
        }
    }

    fn delivered(&mut self, chances: Chances) {
        if self.rng.random_bool(0.03) {
            self.deferred("421 4.7.0 try again later");
        }
        let taken = self.after(1, 8);
        let text = r#","response":"250 2.0.0 OK","tls":1,"ip":"192.0.2.7""#.to_owned();
        self.tell(Counter::Delivered, taken, Extra { text, ..Extra::default() });
        if reports_complaints(self.domain) && self.rng.random_bool(chances.complaint) {
            let after = taken + self.after(20, 120);
            self.tell(Counter::SpamReport, after, Extra::default());
        } else if self.rng.random_bool(chances.open) {
            self.opened(taken);
        }
    }

    fn opened(&mut self, taken: Millis) {
        let by_machine = self.domain == "icloud.com" || self.rng.random_bool(0.1);
        let counter = if by_machine { Counter::MachineOpen } else { Counter::Open };
        let after = taken + self.after(30, 600);
        let agent = r#","useragent":"Mozilla/5.0","ip":"203.0.113.9","sg_content_type":"html""#;
        let text = format!(r#"{agent},"sg_machine_open":{by_machine}"#);
        self.tell(counter, after, Extra { text, ..Extra::default() });
        if !by_machine && self.rng.random_bool(0.2) {
            let text =
                format!(r#"{agent},"url":"https://shop.example/offer?n=1","url_offset":{{"index":0,"type":"html"}}"#);
            let later = after + self.after(2, 60);
            self.tell(Counter::Click, later, Extra { text, ..Extra::default() });
        }
        if self.rng.random_bool(0.01) {
            let later = after + self.after(5, 90);
            self.tell(Counter::Unsubscribe, later, Extra::default());
        }
    }

    fn hard_bounce(&mut self) {
        let asynchronous = self.rng.random_bool(0.05);
        if asynchronous {
            let text = r#","response":"250 OK","tls":1"#.to_owned();
            let taken = self.after(1, 5);
            self.tell(Counter::Delivered, taken, Extra { text, ..Extra::default() });
        }
        let text = concat!(
            r#","type":"bounce","status":"5.1.1","bounce_classification":"Invalid Address""#,
            r#","reason":"550 5.1.1 The email account that you tried to reach does not exist""#
        );
        let after = self.after(6, 30);
        self.tell(Counter::HardBounce, after, Extra { text: text.to_owned(), asynchronous, ..Extra::default() });
    }

    fn blocked(&mut self, reason: &str) {
        let text = format!(
            r#","type":"blocked","status":"5.7.1","reason":"{reason}","bounce_classification":"Reputation","ip":"192.0.2.7""#
        );
        let after = self.after(5, 30);
        self.tell(Counter::Block, after, Extra { text, ..Extra::default() });
    }

    fn deferred(&mut self, response: &str) {
        let text = format!(r#","response":"{response}","attempt":"1""#);
        let after = self.after(1, 5);
        self.tell(Counter::Deferred, after, Extra { text, ..Extra::default() });
    }

    fn after(&mut self, from: i64, to: i64) -> Millis {
        Millis::seconds(self.rng.random_range(from..=to))
    }

    /// Tells one occurrence: mostly once and soon, sometimes late, twice, or twice under two ids.
    fn tell(&mut self, counter: Counter, after: Millis, mut extra: Extra) {
        let at = self.mail.at + after;
        // Bounces by the return path lose their custom arguments now and then.
        extra.anonymous = extra.asynchronous && self.rng.random_bool(0.1);
        let event = self.event(counter, at, &extra, 0);
        let late = self.rng.random_bool(0.02);
        let soon = if late { self.after(60, 300) } else { self.after(1, 6) };
        let mut copies = Vec::with_capacity(1);
        if self.rng.random_bool(0.01) {
            let again = soon + self.after(5, 120);
            copies.push((at + again, event.clone()));
        }
        if self.rng.random_bool(0.003) {
            let again = soon + self.after(5, 120);
            copies.push((at + again, self.event(counter, at, &extra, 1)));
        }
        copies.push((at + soon, event));
        self.told.push(Occurrence { counter, attributed: !extra.anonymous, copies });
    }

    /// One event as JSON, in SendGrid's field order; `copy` makes another id of the same content.
    fn event(&self, counter: Counter, at: Timestamp, extra: &Extra, copy: usize) -> String {
        let Mail { customer, number, account, at: sent, .. } = self.mail;
        let name = name_of(counter);
        let digits = format!("{:06}{:010}", customer, number);
        let message = URL_SAFE_NO_PAD.encode(digits);
        let id = URL_SAFE_NO_PAD.encode(format!("{name}-{copy}-{customer}-{message}-{}", at.seconds()));
        let mut json = String::with_capacity(640);
        let _unfailing = write!(
            json,
            r#"{{"email":"person{customer}x{number}@{}","event":"{name}","smtp-id":"<{message}@geopod-ismtpd-3>","timestamp":{},"sg_event_id":"{id}""#,
            self.domain,
            at.seconds()
        );
        if !extra.asynchronous {
            let sent = sent.seconds();
            let _unfailing =
                write!(json, r#","sg_message_id":"{message}.recvd-5f54b5d587-pczjm-1-{sent:08X}-{:X}.0""#, number % 64);
        }
        let category = if number % 3 == 0 { r#"["newsletter","eu"]"# } else { r#""newsletter""# };
        let _unfailing = write!(json, r#","category":{category}"#);
        if !extra.anonymous {
            let _unfailing = write!(json, r#","customer_id":"{}""#, account.id);
        }
        json.push_str(&extra.text);
        json.push('}');
        json
    }
}

/// SendGrid's name of an event of this kind.
const fn name_of(counter: Counter) -> &'static str {
    match counter {
        Counter::Processed => "processed",
        Counter::Delivered => "delivered",
        Counter::Deferred => "deferred",
        Counter::HardBounce | Counter::Block => "bounce",
        Counter::SpamReport => "spamreport",
        Counter::Dropped => "dropped",
        Counter::Unsubscribe => "unsubscribe",
        Counter::Open | Counter::MachineOpen => "open",
        Counter::Click => "click",
    }
}
