//! Where SendGrid's documents contradict themselves, or what is known of SendGrid: each patch and its reason.

use serde_json::{Map, Value, json};

/// Applies all of them.
pub(crate) fn apply(document: &mut Value) {
    null_is_a_type(document);
    patterns_compile_and_hold_whole_ids(document);
    numbers_of_mails_are_not_negative(document);
    days_are_dates(document);
    moments_are_whole_seconds(document);
    subusers_may_be_named_ten_times(document);
    answers_say_what_they_are_about(document);
    examples_are_of_one_account(document);
}

/// Does something to every object in a value, the outer ones first.
pub(crate) fn each_object(value: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            change(object);
            object.values_mut().for_each(|value| each_object(value, change));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| each_object(value, change)),
        _ => {}
    }
}

/// The documents say OpenAPI 3.1, which has no `nullable`: a strict reader would refuse the nulls of their own examples.
fn null_is_a_type(document: &mut Value) {
    each_object(document, &mut |schema| {
        if schema.remove("nullable") != Some(Value::Bool(true)) {
            return;
        }
        if let Some(kind) = schema.get_mut("type") {
            *kind = json!([kind, "null"]);
        }
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.push(Value::Null);
        }
    });
}

/// A scheduled send's pattern holds `\_`, which is no escape where patterns are Unicode, and anchors one character alone.
fn patterns_compile_and_hold_whole_ids(document: &mut Value) {
    each_object(document, &mut |schema| {
        let starts = |pattern: &Value| pattern.as_str().is_some_and(|pattern| pattern.starts_with("^[a-zA-Z0-9"));
        if schema.get("pattern").is_some_and(starts) {
            schema.insert("pattern".to_owned(), json!("^[a-zA-Z0-9_-]+$"));
        }
    });
}

/// Statistics count mails, and the documents call the numbers integers and no more: what is made up would be negative.
fn numbers_of_mails_are_not_negative(document: &mut Value) {
    each_object(document, &mut |schema| {
        let is_number_of_mails = schema.contains_key("spam_reports") && schema.contains_key("requests");
        for metric in schema.values_mut().filter(|_| is_number_of_mails) {
            if metric["type"] == "integer" {
                metric["minimum"] = json!(0);
            }
        }
    });
}

/// A day of statistics is called a string.
fn days_are_dates(document: &mut Value) {
    each_object(document, &mut |schema| {
        if !schema.contains_key("stats") {
            return;
        }
        if let Some(date) = schema.get_mut("date").filter(|date| date["type"] == "string") {
            date["format"] = json!("date");
        }
    });
}

/// A bounce's time is called a number, and integer on the other lists.
fn moments_are_whole_seconds(document: &mut Value) {
    each_object(document, &mut |schema| {
        if let Some(created) = schema.get_mut("created").filter(|created| created["type"] == "number") {
            created["type"] = json!("integer");
        }
    });
}

/// The parameter's own words say that it may be there ten times, its schema that it is one string.
fn subusers_may_be_named_ten_times(document: &mut Value) {
    each_object(document, &mut |parameter| {
        if parameter.get("name") == Some(&json!("subusers")) && parameter.get("in") == Some(&json!("query")) {
            parameter
                .insert("schema".to_owned(), json!({ "type": "array", "maxItems": 10, "items": { "type": "string" } }));
            parameter.insert("explode".to_owned(), json!(true));
        }
    });
}

/// Most schemas of answers require nothing, so that one without a name or an id would be as good. Such a one says nothing.
fn answers_say_what_they_are_about(document: &mut Value) {
    let whole = document.clone();
    each_object(&mut document["paths"], &mut |operation| {
        let Some(Value::Object(responses)) = operation.get_mut("responses") else { return };
        for (_, response) in responses.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            // Requests share schemas with answers, and may leave out what an answer must say.
            *response = without_references(&whole, response);
            each_object(response, &mut require_what_it_is_about);
        }
    });
}

pub(crate) fn without_references(document: &Value, value: &Value) -> Value {
    match value {
        Value::Object(object) => match object.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                without_references(document, &document.pointer(reference.trim_start_matches('#')).cloned().unwrap())
            }
            None => object.iter().map(|(name, value)| (name.clone(), without_references(document, value))).collect(),
        },
        Value::Array(values) => values.iter().map(|value| without_references(document, value)).collect(),
        other => other.clone(),
    }
}

fn require_what_it_is_about(schema: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = schema.get("properties") else { return };
    // What to ask for the next page repeats the query, as far as there was one.
    if properties.contains_key("after_key") {
        return;
    }
    let about = properties.keys().filter(|name| SAYS_WHAT.contains(&name.as_str())).map(|name| json!(name));
    let others = schema.get("required").and_then(Value::as_array).into_iter().flatten().cloned();
    let mut required: Vec<Value> = about.chain(others).collect();
    required.sort_by_key(Value::to_string);
    required.dedup();
    if !required.is_empty() {
        schema.insert("required".to_owned(), Value::Array(required));
    }
}

const SAYS_WHAT: [&str; 14] = [
    "batch_id",
    "created",
    "date",
    "email",
    "id",
    "ip",
    "ips",
    "metrics",
    "name",
    "result",
    "stats",
    "url",
    "webhooks",
    "pool_name",
];

/// The IPs' examples name subusers by ids that the subusers' examples have not.
fn examples_are_of_one_account(document: &mut Value) {
    let mut ids = [12345, 67890].into_iter().cycle();
    each_object(document, &mut |value| {
        if value.get("id") == Some(&json!(1234)) && value.contains_key("username") {
            value.insert("id".to_owned(), json!(ids.next()));
        }
    });
}
