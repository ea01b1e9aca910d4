//! What stands for an event when copies of it are looked for, and for its mail when other events of that are.

use model::Digest;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::event::WebhookEvent;
use super::message_id;

const ID_SEED: u64 = 1;
const CONTENT_SEED: u64 = 2;
const MAIL_SEED: u64 = 3;
const SMTP_SEED: u64 = 4;

/// Stands for the event's id; for its content where it has none.
pub(super) fn of_id_or_content(event: &WebhookEvent<'_>) -> Digest {
    of_id(event).unwrap_or_else(|| of_content(event))
}

/// Stands for the event's id, where it has one.
pub(super) fn of_id(event: &WebhookEvent<'_>) -> Option<Digest> {
    event.sg_event_id.as_deref().filter(|id| !id.is_empty()).map(|id| seeded(id, ID_SEED))
}

/// Stands for what the event tells, without its id: retries have been seen to bring the same event under a new one.
///
/// The order of the fields in the JSON does not matter; each is preceded by its length, so that no two lists of fields
/// look alike.
pub(super) fn of_content(event: &WebhookEvent<'_>) -> Digest {
    let texts = [
        Some(&event.event),
        event.email.as_ref(),
        event.sg_message_id.as_ref(),
        event.smtp_id.as_ref(),
        event.reason.as_ref(),
        event.response.as_ref(),
        event.status.as_ref(),
        event.bounce_type.as_ref(),
        event.url.as_ref(),
        event.useragent.as_ref(),
        event.ip.as_ref(),
    ];
    let mut bytes = Vec::with_capacity(640);
    bytes.extend(event.timestamp.millis().to_le_bytes());
    bytes.extend(event.attempt.unwrap_or(-1).to_le_bytes());
    for text in texts {
        let text = text.map_or("", |text| text.as_ref());
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    Digest(xxh3_128_with_seed(&bytes, CONTENT_SEED))
}

/// Stands for the mail, by SendGrid's id of it.
pub(super) fn of_mail(event: &WebhookEvent<'_>) -> Option<Digest> {
    event.sg_message_id.as_deref().and_then(message_id::mail).map(|mail| seeded(mail, MAIL_SEED))
}

/// Stands for the mail, by its `Message-ID`.
pub(super) fn of_smtp(event: &WebhookEvent<'_>) -> Option<Digest> {
    event.smtp_id.as_deref().and_then(message_id::smtp).map(|id| seeded(id, SMTP_SEED))
}

fn seeded(text: &str, seed: u64) -> Digest {
    Digest(xxh3_128_with_seed(text.as_bytes(), seed))
}
