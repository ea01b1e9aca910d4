//! Any texts in the fields that tell which mail an event is of, when it was sent, and to whom.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Millis, Provider, bare_address};
use sendgrid::webhook::WebhookEvent;

fuzz_target!(|input: (&str, &str, &str, &str, u32)| {
    let (id, smtp, send_at, email, timestamp) = input;
    assert!(email.contains(bare_address(email)));
    let _provider = Provider::of_address(email);
    let quoted = |text: &str| format!("\"{}\"", text.escape_default().to_string().replace("\\u{", "\\\\u{").replace("\\'", "'"));
    for send_at in [quoted(send_at), send_at.to_owned()] {
        let json = format!(
            r#"{{"event":"bounce","timestamp":{timestamp},"sg_message_id":{},"smtp-id":{},"email":{},"send_at":{send_at}}}"#,
            quoted(id),
            quoted(smtp),
            quoted(email)
        );
        let Ok(parsed) = WebhookEvent::parse(json.as_bytes()) else { continue };
        let event = parsed.to_event();
        assert!(event.sent_at.is_none_or(|sent| sent <= event.at + Millis::minutes(5)));
    }
});
