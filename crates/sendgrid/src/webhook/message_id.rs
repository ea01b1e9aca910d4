//! When a mail was sent, read out of its `sg_message_id`.
//!
//! Not documented by SendGrid, but observed in old and new ids alike: the part before the last `-n.n` is the send time,
//! as Unix seconds in eight hexadecimal digits. `…-18-5F5FC76C-9.0` was sent at 1600112492. It is used only where it is
//! plausible for the event.

use model::{Millis, Timestamp};

/// How much later than the event a mail may seem to be sent: clocks differ.
const AFTER: Millis = Millis::minutes(5);
/// How long after a mail an event of it may come.
const BEFORE: Millis = Millis::days(35);

/// The send time of the mail with this id, where the id tells it and `event` may well be of that mail.
pub(super) fn sent_at(sg_message_id: &str, event: Timestamp) -> Option<Timestamp> {
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
    fn old_and_new_ids_tell_when_their_mail_was_sent() {
        let new = "euo2iKxdSayPF4YE4--I7A.recvd-5f54b5d587-pczjm-1-67BADEEA-6.0";
        assert_eq!(sent_at(new, at(1_740_300_015)), Some(at(1_740_300_010)));
        let old = "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0";
        assert_eq!(sent_at(old, at(1_600_112_492)), Some(at(1_600_112_492)));
    }

    #[test]
    fn an_implausible_time_is_not_used() {
        let id = "euo2iKxdSayPF4YE4--I7A.recvd-5f54b5d587-pczjm-1-67BADEEA-6.0";
        assert_eq!(sent_at(id, at(1_740_300_010 - 3_600)), None, "sent after its own event");
        assert_eq!(sent_at(id, at(1_740_300_010 + 40 * 86_400)), None, "sent long ago");
        for id in
            ["", "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0", "a-b-c", "a-67BADEE-6.0", "a-+7BADEEA-6.0"]
        {
            assert_eq!(sent_at(id, at(1_740_300_015)), None, "{id}");
        }
    }
}
