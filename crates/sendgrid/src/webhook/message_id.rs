//! Which mail an event is of, and when that mail was sent: `sg_message_id`, `smtp-id` and `send_at`.
//!
//! Not documented by SendGrid, but observed in old and new ids alike: the part of `sg_message_id` before the last `-n.n`
//! is the moment at which SendGrid accepted the mail, as Unix seconds in eight hexadecimal digits. `…-18-5F5FC76C-9.0` was
//! accepted at 1600112492. That is when it was sent, but for scheduled mail: `send_at` says so. Both are used only where
//! they are plausible for the event.

use model::{Millis, Timestamp};

/// How much later than the event a mail may seem to be sent: clocks differ.
const AFTER: Millis = Millis::minutes(5);
/// How long after a mail an event of it may come.
const BEFORE: Millis = Millis::days(35);

/// How far ahead mail can be scheduled, by SendGrid's documentation.
const SCHEDULED_AHEAD: Millis = Millis::hours(72);

/// `send_at`, as an event carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendAt {
    /// The moment.
    pub at: Timestamp,
    /// Whether it was a JSON string. SendGrid writes numbers, and strings on Single Sends; a custom argument of this name
    /// is always a string.
    pub is_text: bool,
}

/// When the mail of an event was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sending {
    /// The moment, never later than the event but for what clocks differ.
    pub(super) sent_at: Option<Timestamp>,
    /// What was scheduled, which may still lie ahead of the event.
    pub(super) send_at: Option<Timestamp>,
}

/// When the mail of an event of the moment `event` was sent.
///
/// `send_at` only moves that later: it counts from `accepted` up to 72 hours behind it. Text, which a custom argument may
/// imitate, is believed only up to the event itself, where the mail had left in any case.
pub(super) fn sending(accepted: Option<Timestamp>, send_at: Option<SendAt>, event: Timestamp) -> Sending {
    let known = accepted.unwrap_or(event);
    let latest = known + SCHEDULED_AHEAD;
    let is_due = |at: Timestamp| at <= event + AFTER;
    let earliest = accepted.unwrap_or(event - SCHEDULED_AHEAD);
    let plausible = send_at.filter(|send| (earliest..=latest).contains(&send.at) && (!send.is_text || is_due(send.at)));
    let send_at = plausible.map(|send| send.at);
    Sending { sent_at: send_at.filter(|at| is_due(*at)).or(accepted), send_at }
}

/// The part of an `sg_message_id` that all events of a mail share; the rest names servers and counts recipients.
///
/// It is the first half of the `smtp-id` that SendGrid gave. In old ids that has dots itself
/// (`14c5d75ce93.dfd.64b469.filter0001.…`), so the name of the server ends it.
pub(super) fn mail(sg_message_id: &str) -> Option<&str> {
    let id = sg_message_id.trim();
    let server = ["filter", "recvd"].into_iter().filter_map(|name| {
        let found = id.match_indices('.').find(|(at, _)| id.get(at + 1..).is_some_and(|rest| rest.starts_with(name)));
        found.map(|(at, _)| at)
    });
    let end = server.min().or_else(|| id.find('.')).unwrap_or(id.len());
    id.get(..end).filter(|mail| !mail.is_empty())
}

/// The `Message-ID` in an `smtp-id`, without the brackets around it.
pub(super) fn smtp(smtp_id: &str) -> Option<&str> {
    let id = smtp_id.trim();
    let id = id.strip_prefix('<').unwrap_or(id);
    let id = id.strip_suffix('>').unwrap_or(id).trim();
    Some(id).filter(|id| !id.is_empty())
}

/// When SendGrid accepted the mail with this id, where the id tells it and `event` may well be of that mail.
pub(super) fn accepted_at(sg_message_id: &str, event: Timestamp) -> Option<Timestamp> {
    let (before_last, _) = sg_message_id.rsplit_once('-')?;
    let (_, hex) = before_last.rsplit_once('-')?;
    let is_time = hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    let seconds = i64::from_str_radix(hex, 16).ok().filter(|_| is_time)?;
    let sent = Timestamp::from_seconds(seconds);
    (sent <= event + AFTER && sent >= event - BEFORE).then_some(sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn scheduled_mail_is_sent_when_it_was_scheduled() {
        let number = |seconds| Some(SendAt { at: at(seconds), is_text: false });
        let text = |seconds| Some(SendAt { at: at(seconds), is_text: true });
        let of = |accepted: i64, send_at, event: i64| sending(Some(at(accepted)), send_at, at(event));
        let hour = 3_600;
        let seen = |sent: i64, send: Option<i64>| Sending { sent_at: Some(at(sent)), send_at: send.map(at) };
        let start = 1_600_000_000;
        let due = start + 26 * hour;
        assert_eq!(of(start, None, start), seen(start, None));
        assert_eq!(of(start, number(due), due), seen(due, Some(due)), "processed when it is sent");
        assert_eq!(of(start, number(due), due + 2), seen(due, Some(due)), "bounced at once");
        assert_eq!(of(start, text(due), due), seen(due, Some(due)), "a Single Send's text");
        assert_eq!(of(start, number(due), start), seen(start, Some(due)), "accepted, and not sent yet");
        assert_eq!(of(start, text(due), start), seen(start, None), "a text that may be a custom argument's");
        assert_eq!(of(start, number(start + 73 * hour), due), seen(start, None), "no mail is scheduled so far ahead");
        assert_eq!(of(start, number(start - hour), due), seen(start, None), "it never moves back");
        assert_eq!(sending(None, number(due), at(due)), seen(due, Some(due)), "without an id");
        assert_eq!(sending(None, number(0), at(due)), Sending::default(), "zero is no moment");
    }

    #[test]
    fn events_of_a_mail_are_known_by_what_their_ids_share() {
        assert_eq!(
            mail("LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0"),
            Some("LRzXl_NHStOGhQ4kofSm_A")
        );
        assert_eq!(
            mail("euo2iKxdSayPF4YE4--I7A.recvd-5f54b5d587-pczjm-1-67BADEEA-6.1"),
            Some("euo2iKxdSayPF4YE4--I7A")
        );
        assert_eq!(mail("14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0"), Some("14c5d75ce93.dfd.64b469"));
        assert_eq!(mail("abc"), Some("abc"));
        assert_eq!([mail(""), mail(" "), mail(".x")], [None; 3]);
        assert_eq!(smtp("<14c5d75ce93.dfd.64b469@ismtpd-555>"), Some("14c5d75ce93.dfd.64b469@ismtpd-555"));
        assert_eq!(smtp(" a@b "), Some("a@b"));
        assert_eq!([smtp(""), smtp(" "), smtp("<>")], [None; 3]);
    }

    #[test]
    fn old_and_new_ids_tell_when_their_mail_was_accepted() {
        let new = "euo2iKxdSayPF4YE4--I7A.recvd-5f54b5d587-pczjm-1-67BADEEA-6.0";
        assert_eq!(accepted_at(new, at(1_740_300_015)), Some(at(1_740_300_010)));
        let old = "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0";
        assert_eq!(accepted_at(old, at(1_600_112_492)), Some(at(1_600_112_492)));
    }

    #[test]
    fn an_implausible_time_is_not_used() {
        let id = "euo2iKxdSayPF4YE4--I7A.recvd-5f54b5d587-pczjm-1-67BADEEA-6.0";
        assert_eq!(accepted_at(id, at(1_740_300_010 - 3_600)), None, "sent after its own event");
        assert_eq!(accepted_at(id, at(1_740_300_010 + 40 * 86_400)), None, "sent long ago");
        for id in
            ["", "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0", "a-b-c", "a-67BADEE-6.0", "a-+7BADEEA-6.0"]
        {
            assert_eq!(accepted_at(id, at(1_740_300_015)), None, "{id}");
        }
    }
}
