//! What else is asked of an answer: that it has all that the documents name, and nothing that they don't.
//!
//! As they stand, most schemas require nothing and forbid nothing, so that `{}` would do.

use serde_json::{Map, Value, json};

use super::patches::{each_object, without_references};

/// A document that says so.
pub(crate) fn tightened(document: &str) -> String {
    let mut document: Value = serde_json::from_str(document).unwrap();
    let whole = document.clone();
    each_object(&mut document["paths"], &mut |operation| {
        let Some(Value::Object(responses)) = operation.get_mut("responses") else { return };
        for (status, response) in responses {
            *response = without_references(&whole, response);
            let mut tighten = if status.starts_with('2') { tighten_answer } else { tighten_refusal };
            each_object(response, &mut tighten);
        }
    });
    document.to_string()
}

fn tighten_answer(schema: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    let is_next_page = properties.contains_key("after_key");
    let must = |name: &&String| match name.as_str() {
        "after_key" | "limit" => true,
        // The others repeat the query, as far as there was one.
        _ if is_next_page => false,
        name => !OPTIONAL.contains(&name),
    };
    let named: Vec<_> = properties.keys().filter(must).cloned().collect();
    // A grant that is not given anew has nothing to say here; the documents require it, and know three words for it.
    if let Some(every) = properties.get_mut("reset_frequency").filter(|every| every.get("enum").is_some()) {
        *every = json!({ "enum": ["monthly", "weekly", "daily", null] });
    }
    schema.insert("required".to_owned(), json!(named));
    schema.insert("additionalProperties".to_owned(), json!(false));
}

/// What is there at times only: on request, and of a webhook that is signed.
const OPTIONAL: [&str; 3] = ["region", "account_status_change", "public_key"];

/// A refusal says something.
fn tighten_refusal(schema: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = schema.get("properties") else { return };
    let says = |name: &&String| ["errors", "error", "message"].contains(&name.as_str());
    let named: Vec<_> = properties.keys().filter(says).cloned().collect();
    schema.insert("required".to_owned(), json!(named));
    schema.insert("additionalProperties".to_owned(), json!(false));
}
