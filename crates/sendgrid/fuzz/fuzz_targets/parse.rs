//! Any body: split, and each element parsed and read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sendgrid::webhook::{WebhookEvent, split};

fuzz_target!(|body: &[u8]| {
    let Ok(elements) = split(body) else { return };
    for element in elements {
        if let Ok(event) = WebhookEvent::parse(element) {
            let _read = event.to_event();
            let _read = event.arg("customer_id");
        }
    }
});
