//! One element of a batch: what makes no sense is set aside with the reason and spoils only itself; everything else is
//! stored with SendGrid's own bytes, however odd, and the fold decides.

use log::{RecordKind, Topic};

use crate::support::{Rig, assert_taken, text};

/// Says that of a batch of `element` alone, it is set aside whole, for `reason`.
async fn sets_aside(element: &str, reason: &str) {
    let rig = Rig::new().await;
    assert_taken(&rig.post(format!("[{element}]")).await, 0, 1);
    assert_eq!(rig.events(), Vec::<String>::new());
    assert_eq!(rig.rejects(), [element]);
    assert!(rig.reasons()[0].contains(reason), "{:?}", rig.reasons());
    rig.is_well().await;
}

/// Says that of a batch of `element` alone, it is stored as it is.
async fn stores(element: &str) {
    let rig = Rig::new().await;
    assert_taken(&rig.post(format!("[{element}]")).await, 1, 0);
    assert_eq!(rig.events(), [element]);
    assert_eq!(rig.rejects(), Vec::<String>::new());
    rig.is_well().await;
}

#[tokio::test]
async fn elements_that_are_no_objects_are_set_aside_one_by_one() {
    let rig = Rig::new().await;
    rig.takes(r#"[null, 1, "a", [], true, [{"event":"open"}]]"#, 0, 6).await;
    assert_eq!(rig.rejects(), ["null", "1", "\"a\"", "[]", "true", r#"[{"event":"open"}]"#]);
    assert!(rig.reasons().iter().all(|reason| reason.contains("no JSON object")), "{:?}", rig.reasons());
}

#[tokio::test]
async fn a_bad_element_spoils_only_itself() {
    let rig = Rig::new().await;
    let good = |n: usize| format!(r#"{{"event":"open","timestamp":1795000000,"customer_id":"c{n}"}}"#);
    let elements: Vec<String> =
        (0..1_000).map(|n| if n == 500 { r#"{"event":}"#.to_owned() } else { good(n) }).collect();
    assert_taken(&rig.post(format!("[{}]", elements.join(",\r\n"))).await, 999, 1);
    assert_eq!((rig.events().len(), rig.rejects()), (999, vec![r#"{"event":}"#.to_owned()]));
    rig.is_well().await;
}

#[tokio::test]
async fn an_event_without_event_is_set_aside() {
    sets_aside(r#"{"timestamp":1795000000,"email":"jo@example.org"}"#, "`event`").await;
}

#[tokio::test]
async fn an_event_without_timestamp_is_set_aside() {
    sets_aside(r#"{"event":"open","email":"jo@example.org"}"#, "`timestamp`").await;
}

#[tokio::test]
async fn an_event_before_1970_is_set_aside() {
    sets_aside(r#"{"event":"open","timestamp":-1}"#, "`timestamp`").await;
}

#[tokio::test]
async fn an_event_whose_event_is_no_text_is_set_aside() {
    sets_aside(r#"{"event":["open"],"timestamp":1795000000}"#, "`event`").await;
}

#[tokio::test]
async fn an_event_whose_timestamp_is_no_number_is_set_aside() {
    sets_aside(r#"{"event":"open","timestamp":"yesterday"}"#, "`timestamp`").await;
    sets_aside(r#"{"event":"open","timestamp":1e400}"#, "`timestamp`").await;
}

#[tokio::test]
async fn an_object_that_is_no_json_is_set_aside_with_the_place() {
    sets_aside(r#"{"event":"open",}"#, "line 1 column").await;
}

#[tokio::test]
async fn a_lone_surrogate_in_a_key_is_set_aside() {
    sets_aside(r#"{"event":"open","timestamp":1,"\ud800":1}"#, "no JSON object").await;
}

#[tokio::test]
async fn the_reason_of_a_reject_is_short_and_holds_nothing_of_it() {
    let rig = Rig::new().await;
    let element = format!("\"{}\"", "secret".repeat(50_000));
    assert_taken(&rig.post(format!("[{element}]")).await, 0, 1);
    assert_eq!(rig.rejects(), [element]);
    let reason = &rig.reasons()[0];
    assert!(reason.len() < 100 && !reason.contains("secret"), "{reason}");
}

#[tokio::test]
async fn an_event_with_bytes_that_are_no_utf_8_is_stored_byte_for_byte() {
    let rig = Rig::new().await;
    let bounce = b"{\"event\":\"bounce\",\"timestamp\":1795000000,\"customer_id\":\"acme\",\"reason\":\"550 \xb7\xa2\xd0\xc5IP\"}";
    let none = b"{\"timestamp\":1795000000,\"x\":\"\xff\xfe\"}";
    let body = [b"[", &bounce[..], b",", none, b"]"].concat();
    assert_taken(&rig.post(&body).await, 1, 1);
    let stored = rig.records(Topic::Events);
    assert_eq!((&stored[0].key[..], &stored[0].value[..]), (&b"acme"[..], &bounce[..]));
    assert_eq!(rig.records(Topic::Rejects)[0].value, &none[..]);
    assert!(rig.reasons()[0].contains("`event`"), "{:?}", rig.reasons());
    rig.is_well().await;
}

#[tokio::test]
async fn an_element_nested_ten_thousand_deep_is_set_aside() {
    sets_aside(&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)), "no JSON object").await;
}

#[tokio::test]
async fn a_field_nested_ten_thousand_deep_is_stored_untouched() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    stores(&format!(r#"{{"event":"open","timestamp":1795000000,"x":{deep}}}"#)).await;
}

#[tokio::test]
async fn an_event_without_id_is_stored() {
    stores(r#"{"event":"open","timestamp":1795000000,"email":"jo@example.org"}"#).await;
}

#[tokio::test]
async fn an_event_without_recipient_is_stored() {
    stores(
        r#"{"event":"account_status_change","timestamp":1795000000,"sg_event_id":"e1","type":"compliance_suspend"}"#,
    )
    .await;
}

#[tokio::test]
async fn an_event_of_an_unknown_kind_is_stored() {
    stores(r#"{"event":"received","timestamp":1795000000}"#).await;
}

#[tokio::test]
async fn fields_of_wrong_types_are_stored() {
    stores(
        r#"{"event":"bounce","timestamp":1795000000,"email":7,"sg_event_id":[],"category":{"a":1},"reason":null,"tls":{},"pool":3}"#,
    )
    .await;
}

#[tokio::test]
async fn a_category_is_a_string_or_an_array() {
    stores(r#"{"event":"open","timestamp":1795000000,"category":"news"}"#).await;
    stores(r#"{"event":"open","timestamp":1795000000,"category":["news","acme"]}"#).await;
    stores(r#"{"event":"open","timestamp":1795000000,"category":[]}"#).await;
}

#[tokio::test]
async fn a_bounce_without_status_and_type_is_stored() {
    stores(r#"{"event":"bounce","timestamp":1795000000,"email":"jo@example.org","reason":"500 unknown"}"#).await;
}

#[tokio::test]
async fn numbers_that_come_as_strings_are_stored() {
    stores(r#"{"event":"deferred","timestamp":"1795000000","attempt":"5","tls":"1","asm_group_id":"7"}"#).await;
}

#[tokio::test]
async fn odd_numbers_are_stored() {
    stores(r#"{"event":"open","timestamp":1795000000.0,"a":1e400,"b":-0,"c":18446744073709551616,"d":1.50}"#).await;
}

#[tokio::test]
async fn duplicate_keys_are_stored_as_they_came() {
    stores(
        r#"{"event":"open","email":"a@x.de","event":"click","timestamp":1,"timestamp":1795000000,"email":"b@x.de"}"#,
    )
    .await;
}

#[tokio::test]
async fn events_of_long_ago_and_of_the_far_future_are_stored_for_the_fold_to_decide() {
    stores(r#"{"event":"open","timestamp":0}"#).await;
    stores(r#"{"event":"open","timestamp":86400}"#).await;
    stores(r#"{"event":"open","timestamp":99999999999}"#).await;
    stores(r#"{"event":"open","timestamp":9223372036854775807}"#).await;
}

#[tokio::test]
async fn an_event_in_milliseconds_is_stored() {
    stores(r#"{"event":"click","timestamp":1795000000123}"#).await;
}

#[tokio::test]
async fn hostile_texts_are_stored_as_they_came() {
    stores(
        r#"{"event":"open","timestamp":1795000000,"email":"\r\nBcc: all@x.de","reason":"\u0000\u001b[2J<script>${jndi:x}","sg_event_id":"a\u0000b","__proto__":{"x":1},"url":"javascript:1"}"#,
    )
    .await;
}

#[tokio::test]
async fn white_space_between_elements_is_left_out_and_within_them_kept() {
    let rig = Rig::new().await;
    assert_taken(
        &rig.post("[ { \"event\" : \"open\",\r\n \"timestamp\":1 } ,\r\n\t{\"event\":\"open\",\"timestamp\":2}]\r\n")
            .await,
        2,
        0,
    );
    let mut events = rig.events();
    events.sort();
    assert_eq!(events, ["{ \"event\" : \"open\",\r\n \"timestamp\":1 }", "{\"event\":\"open\",\"timestamp\":2}"]);
}

#[tokio::test]
async fn a_reject_is_an_output_under_its_source() {
    let rig = Rig::new().await;
    assert_taken(&rig.post("[null]").await, 0, 1);
    let [reject] = &rig.records(Topic::Rejects)[..] else { panic!("one reject was expected") };
    assert_eq!((reject.kind, text(&reject.key)), (RecordKind::Output, "main".to_owned()));
    assert_eq!(reject.header("source").map(text).as_deref(), Some("main"));
}

#[tokio::test]
async fn what_became_of_events_is_counted_by_source() {
    let rig = Rig::new().await;
    let body = r#"[{"event":"open","timestamp":1,"customer_id":"a"},{"event":"open","timestamp":1},{"event":"open","timestamp":1,"customer_id":"b"},7]"#;
    assert_taken(&rig.post(body).await, 3, 1);
    for (outcome, count) in [("accepted", 2.0), ("unattributed", 1.0), ("rejected", 1.0)] {
        rig.comes_to("weir_receiver_events_total", &[("source", "main"), ("outcome", outcome)], count).await;
    }
}
