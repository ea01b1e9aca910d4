//! Any body: split, and each element parsed and read.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sendgrid::webhook::{CustomerRule, WebhookEvent, readable, split};

static RULES: LazyLock<Vec<CustomerRule>> = LazyLock::new(|| {
    ["custom_arg:customer_id", "category_prefix:customer:", "pool", "fixed:acme"].map(|rule| rule.parse().unwrap()).into()
});

fuzz_target!(|body: &[u8]| {
    let Ok(elements) = split(body, usize::MAX) else { return };
    for element in elements {
        let _text = readable(element);
        if let Ok(event) = WebhookEvent::parse(element) {
            let _read = event.to_event();
            for rule in RULES.iter() {
                let customer = rule.customer(&event);
                assert!(customer.is_none_or(|name| !name.is_empty() && !name.starts_with("unattributed:")));
            }
        }
    }
});
