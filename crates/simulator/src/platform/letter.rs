//! A mail, and its events as JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Timestamp;

use super::Account;
use super::character::Character;
use super::dice::Dice;

/// A mail that left, with what all of its events have in common.
pub(super) struct Letter<'a> {
    customer: usize,
    account: &'a Account,
    sent: Timestamp,
    email: String,
    /// The part that all its ids have in common: 22 characters, as in life.
    message: String,
    category: &'static str,
    group: Option<usize>,
    pool: Option<Arc<str>>,
}

/// What tells one event of a mail from another.
pub(super) struct Line<'a> {
    pub(super) name: &'static str,
    pub(super) at: Timestamp,
    /// Its number among the mail's events; two copies of it under two ids differ in `copy`.
    pub(super) number: usize,
    pub(super) copy: usize,
    /// Whether the mail's id is left out.
    pub(super) without_message: bool,
    /// Whether the custom arguments are left out, and with them the customer.
    pub(super) anonymous: bool,
    /// The fields that are its own.
    pub(super) own: &'a str,
}

impl<'a> Letter<'a> {
    /// The customer's mail with this number, sent at `sent` to somebody at `domain`.
    pub(super) fn new(
        (customer, account, character): (usize, &'a Account, &Character),
        (number, sent): (usize, Timestamp),
        domain: &str,
        pool: Option<Arc<str>>,
        dice: &mut Dice,
    ) -> Self {
        let mut unique = [0_u8; 16];
        let (random, serial) = unique.split_at_mut(8);
        random.copy_from_slice(&dice.bits().to_be_bytes());
        serial.copy_from_slice(&((customer as u64) << 32 | number as u64).to_be_bytes());
        Self {
            customer,
            account,
            sent,
            email: format!("person{customer}x{number}@{domain}"),
            message: URL_SAFE_NO_PAD.encode(unique),
            category: category(character.lists_categories, dice),
            group: character.group,
            pool,
        }
    }

    /// The IP that it leaves from: the customer's own, or one of its pool.
    pub(super) fn ip(&self) -> String {
        match &self.account.placement {
            super::Placement::DedicatedIps(ips) => ips.first().cloned().unwrap_or_default(),
            super::Placement::Subuser(_) | super::Placement::Route => {
                let of_pool = crate::addresses::of_pool(self.pool.as_deref());
                of_pool[self.customer % of_pool.len()].to_owned()
            }
        }
    }

    /// One event, its fields in SendGrid's order.
    pub(super) fn event(&self, line: &Line<'_>) -> String {
        let mut json = String::with_capacity(900);
        let Line { name, at, number, copy, .. } = line;
        let user = 18_000_000 + self.customer;
        // Decoded, SendGrid's ids read like this: what, a number, the user's number, the message.
        let id = URL_SAFE_NO_PAD.encode(format!("{name}-{}-{user}-{}-0", number + copy * 10, self.message));
        // What names no customer names no mail either: a receiver would join it to its mail by the ids, where it has seen that.
        let lost = if line.anonymous { "lost-" } else { "" };
        let _unfailing = write!(
            json,
            r#"{{"email":"{}","timestamp":{},"smtp-id":"<{lost}{}@geopod-ismtpd-{}>","event":"{name}","sg_event_id":"{id}""#,
            self.email,
            at.seconds(),
            self.message,
            self.customer % 9
        );
        if !line.without_message && !line.anonymous {
            self.write_message_id(&mut json);
        }
        let _unfailing = write!(json, r#","category":{}"#, self.category);
        if let Some(group) = self.group {
            let _unfailing = write!(json, r#","asm_group_id":{group}"#);
        }
        if !line.anonymous {
            let _unfailing = write!(json, r#","customer_id":"{}""#, self.account.id);
        }
        self.write_pool(line.name, &mut json);
        json.push_str(line.own);
        json.push('}');
        json
    }

    /// The id holds the moment of sending, in hexadecimal seconds.
    fn write_message_id(&self, json: &mut String) {
        let (sent, shard) = (self.sent.seconds(), self.customer % 64);
        let _unfailing =
            write!(json, r#","sg_message_id":"{}.recvd-5f54b5d587-pczjm-1-{sent:08X}-{shard:X}.0""#, self.message);
    }

    /// Only `processed` events tell the pool, and only of mail that named one.
    fn write_pool(&self, name: &str, json: &mut String) {
        if let Some(pool) = self.pool.as_ref().filter(|_| name == "processed") {
            let number = 200 + pool.len();
            let _unfailing = write!(json, r#","pool":{{"name":"{pool}","id":{number}}}"#);
        }
    }
}

fn category(lists: bool, dice: &mut Dice) -> &'static str {
    match (lists, dice.chance(0.9)) {
        (true, true) => r#"["newsletter","eu"]"#,
        (true, false) => "[]",
        (false, true) => r#""newsletter""#,
        (false, false) => r#""receipts""#,
    }
}
