//! What a signed webhook's POST is held to: SendGrid's published vector, its documented events, and what goes wrong.

use model::{Counter, Digest, EventKind, Provider, Timestamp};
use proptest::prelude::*;
use sendgrid::webhook::{CustomerRule, EventError, SignatureError, VerificationKey, Verifier, WebhookEvent, split};
use serde_json::{Value, json};

/// From the tests of SendGrid's own Python library.
const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
const OTHER_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo7aNDthvj+y7GjUuFDb/R1NGe1OPzpA==";
const SIGNATURE: &[u8] =
    b"MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=";
const OTHER_SIGNATURE: &[u8] =
    b"MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH3j/0=";
const TIMESTAMP: &[u8] = b"1600112502";
const BODY: &[u8] = b"[{\"email\":\"hello@world.com\",\"event\":\"dropped\",\"reason\":\"Bounced Address\",\"sg_event_id\":\"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA\",\"sg_message_id\":\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0\",\"smtp-id\":\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>\",\"timestamp\":1600112492}]\r\n";

fn verifier(keys: &[&str]) -> Verifier {
    Verifier::new(keys.iter().map(|key| VerificationKey::from_base64(key).unwrap()).collect()).unwrap()
}

#[test]
fn the_published_vector_is_genuine_and_its_forgeries_are_not() {
    let genuine = verifier(&[KEY]);
    assert_eq!(genuine.verify(TIMESTAMP, SIGNATURE, BODY), Ok(()));
    assert_eq!(verifier(&[OTHER_KEY]).verify(TIMESTAMP, SIGNATURE, BODY), Err(SignatureError::Mismatch));
    assert_eq!(genuine.verify(TIMESTAMP, OTHER_SIGNATURE, BODY), Err(SignatureError::Mismatch));
    assert_eq!(genuine.verify(TIMESTAMP, SIGNATURE, b"payload"), Err(SignatureError::Mismatch));
    assert_eq!(genuine.verify(b"timestamp", SIGNATURE, BODY), Err(SignatureError::BadTimestamp));
    assert_eq!(genuine.verify(b"1600112503", SIGNATURE, BODY), Err(SignatureError::Mismatch));
    let without_line_end = BODY.strip_suffix(b"\r\n").unwrap();
    assert_eq!(genuine.verify(TIMESTAMP, SIGNATURE, without_line_end), Err(SignatureError::Mismatch));
}

#[test]
fn while_a_key_is_replaced_both_are_taken() {
    let both = verifier(&[OTHER_KEY, KEY]);
    for _ in 0..3 {
        assert_eq!(both.verify(TIMESTAMP, SIGNATURE, BODY), Ok(()));
    }
    assert!(Verifier::new(Vec::new()).is_err(), "without a key nothing is taken");
}

#[test]
fn headers_that_are_no_signature_are_told_apart() {
    let genuine = verifier(&[KEY]);
    for timestamp in [&b""[..], b" 1600112502", b"+160011250", b"1600112502.5", b"-1600112502", b"99999999999999999999"]
    {
        assert_eq!(genuine.verify(timestamp, SIGNATURE, BODY), Err(SignatureError::BadTimestamp));
    }
    let long = vec![b'A'; 10_000];
    for signature in [&b""[..], b"not base64!", &long, &SIGNATURE[..SIGNATURE.len() - 1]] {
        assert_eq!(genuine.verify(TIMESTAMP, signature, BODY), Err(SignatureError::BadEncoding));
    }
    for signature in [&b"AAAA"[..], b"MEUC"] {
        assert_eq!(genuine.verify(TIMESTAMP, signature, BODY), Err(SignatureError::Mismatch));
    }
}

fn parse(value: &Value) -> Result<EventKind, EventError> {
    WebhookEvent::parse(value.to_string().as_bytes()).map(|event| event.kind())
}

fn an(event: &str, more: &Value) -> Value {
    let mut value = json!({ "email": "a@example.org", "event": event, "timestamp": 1_600_112_492 });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

#[test]
fn every_documented_event_is_known() {
    for (event, more, counter) in [
        ("processed", json!({ "pool": { "name": "p", "id": 210 } }), Counter::Processed),
        ("dropped", json!({ "reason": "Bounced Address", "status": "5.0.0" }), Counter::Dropped),
        ("deferred", json!({ "response": "400 try again", "attempt": "5" }), Counter::Deferred),
        ("delivered", json!({ "response": "250 OK", "tls": 1, "ip": "192.0.2.1" }), Counter::Delivered),
        ("bounce", json!({ "type": "bounce", "status": "5.1.1" }), Counter::HardBounce),
        ("bounce", json!({ "type": "blocked", "reason": "try again later" }), Counter::Block),
        ("open", json!({ "useragent": "Mozilla" }), Counter::Open),
        ("open", json!({ "sg_machine_open": true }), Counter::MachineOpen),
        ("click", json!({ "url": "https://x.example", "url_offset": { "index": 0, "type": "html" } }), Counter::Click),
        ("spamreport", json!({}), Counter::SpamReport),
        ("unsubscribe", json!({}), Counter::Unsubscribe),
        ("group_unsubscribe", json!({ "asm_group_id": 10 }), Counter::Unsubscribe),
        ("Processed", json!({}), Counter::Processed),
    ] {
        assert_eq!(parse(&an(event, &more)), Ok(EventKind::Counted(counter)), "{event} {more}");
    }
    assert_eq!(parse(&an("group_resubscribe", &json!({}))), Ok(EventKind::Resubscribe));
    let account = json!({ "event": "account_status_change", "type": "compliance_suspend", "timestamp": 1_600_112_492 });
    assert_eq!(parse(&account), Ok(EventKind::AccountStatusChange(model::AccountStatus::Suspended)));
    assert_eq!(parse(&an("received", &json!({ "v3_payload_details": { "a": [1] } }))), Ok(EventKind::Unknown));
}

#[test]
fn a_bounce_without_a_type_convicts_only_on_what_it_says() {
    let bounce = |more: Value| parse(&an("bounce", &more)).unwrap();
    assert_eq!(bounce(json!({ "status": "5.1.1" })), EventKind::Counted(Counter::HardBounce));
    assert_eq!(bounce(json!({ "status": "4.2.2" })), EventKind::Counted(Counter::Block));
    assert_eq!(bounce(json!({ "bounce_classification": "Invalid Address" })), EventKind::Counted(Counter::HardBounce));
    assert_eq!(bounce(json!({})), EventKind::Counted(Counter::Block));
}

#[test]
fn a_block_for_the_list_is_a_hard_bounce_for_an_invalid_address() {
    let hard = (EventKind::Counted(Counter::HardBounce), Some(Counter::InvalidAddress));
    let read = |event: &str, more: Value| {
        let text = an(event, &more).to_string();
        let event = WebhookEvent::parse(text.as_bytes()).unwrap();
        (event.kind(), event.to_event().facet)
    };
    let no_host = "unable to get mx info: failed to get IPs from PTR record: lookup <nil>: no such host";
    for more in [
        json!({ "bounce_classification": "Unclassified", "reason": no_host }),
        json!({ "bounce_classification": "Technical Failure", "reason": no_host }),
        json!({ "bounce_classification": "Invalid Address", "status": "5.4.1", "reason": "access denied" }),
        json!({ "status": "5.1.1", "reason": "550 5.1.1 The email account that you tried to reach does not exist" }),
        json!({ "response": "550 no such user here" }),
    ] {
        let mut bounce = more.clone();
        bounce["type"] = json!("blocked");
        assert_eq!(read("bounce", bounce), hard, "{more}");
        assert_eq!(read("blocked", more), hard);
    }
    for more in [
        json!({ "bounce_classification": "Reputation", "status": "5.7.1", "reason": "user unknown or blocked for spam" }),
        json!({ "bounce_classification": "Reputation", "status": "5.1.1", "reason": "550 5.1.1 user unknown" }),
        json!({ "bounce_classification": "Mailbox Unavailable", "reason": "no such user" }),
        json!({ "bounce_classification": "Technical Failure", "reason": "lookup x.example: server misbehaving" }),
        json!({ "status": "5.7.1", "reason": "550 5.7.1 IP listed: mail to unknown users" }),
        json!({ "type": "expired", "status": "5.1.1" }),
    ] {
        let mut bounce = more.clone();
        if more.get("type").is_none() {
            bounce["type"] = json!("blocked");
        }
        assert_eq!(read("bounce", bounce).0, EventKind::Counted(Counter::Block), "{more}");
    }
}

fn facet(event: &str, more: &Value) -> Option<Counter> {
    WebhookEvent::parse(an(event, more).to_string().as_bytes()).unwrap().to_event().facet
}

#[test]
fn a_classification_tells_the_part_of_bounces_and_blocks_by_its_first_letters_in_any_case() {
    let of = |kind: &str, class: &str| {
        facet("bounce", &json!({ "type": kind, "status": "5.2.2", "bounce_classification": class }))
    };
    for class in ["Invalid Address", "invalid", "INVALID ADDRESS", "Invalid_Address"] {
        assert_eq!([of("bounce", class), of("blocked", class)], [Some(Counter::InvalidAddress); 2], "{class}");
    }
    for class in ["Reputation", "reputation", "Content", "CONTENT", "Frequency or Volume Too High", "frequency"] {
        assert_eq!(of("blocked", class), Some(Counter::ReputationBlock), "{class}");
        assert_eq!(of("bounce", class), None, "{class}");
    }
    for class in ["Mailbox Unavailable", "mailbox", "Technical Failure", "TECHNICAL", "Unclassified", ""] {
        assert_eq!((of("bounce", class), of("blocked", class)), (None, None), "{class}");
    }
}

#[test]
fn where_the_classification_says_nothing_the_status_does() {
    for class in [json!({}), json!({ "bounce_classification": "Unclassified" })] {
        let of = |kind: &str, status: &str| {
            let mut more = class.clone();
            more.as_object_mut()
                .unwrap()
                .extend([("type".to_owned(), json!(kind)), ("status".to_owned(), json!(status))]);
            facet("bounce", &more)
        };
        assert_eq!([of("bounce", "5.1.1"), of("bounce", "5.1.10")], [Some(Counter::InvalidAddress); 2]);
        assert_eq!([of("bounce", "5.7.1"), of("bounce", "5.11.1"), of("bounce", "550"), of("bounce", "")], [None; 4]);
        assert_eq!([of("blocked", "5.7.1"), of("blocked", "4.7.650")], [Some(Counter::ReputationBlock); 2]);
        assert_eq!(
            [of("blocked", "4.2.2"), of("blocked", "5.1.8"), of("blocked", "5.70.1"), of("blocked", "")],
            [None; 4]
        );
    }
    let contradicted = json!({ "type": "blocked", "status": "5.7.1", "bounce_classification": "Technical Failure" });
    assert_eq!(facet("bounce", &contradicted), None, "the classification goes first");
}

#[test]
fn only_a_mails_first_deferral_is_one_and_nothing_else_has_a_part() {
    assert_eq!(facet("deferred", &json!({ "attempt": "1" })), Some(Counter::FirstDeferral));
    assert_eq!(facet("deferred", &json!({ "attempt": 1 })), Some(Counter::FirstDeferral));
    for more in [json!({ "attempt": "2" }), json!({ "attempt": "first" }), json!({ "attempt": "0" }), json!({})] {
        assert_eq!(facet("deferred", &more), None, "{more}");
    }
    for event in ["processed", "dropped", "delivered", "spamreport", "open", "unsubscribe", "unheard_of"] {
        let more = json!({ "attempt": "1", "status": "5.1.1", "bounce_classification": "Invalid Address" });
        assert_eq!(facet(event, &more), None, "{event}");
    }
}

#[test]
fn types_that_drift_are_understood() {
    let raw = br#"{"event":"deferred","timestamp":"1600112492","attempt":5,"tls":"1","cert_err":false,"category":["a","b"],
        "email":"old@x.de","email":"A@GMail.com","sg_event_id":12345,"reason":{"odd":true},"Custom Arg":7,"asm_group_id":"9"}"#;
    let event = WebhookEvent::parse(raw).unwrap();
    assert_eq!(event.timestamp, Timestamp::from_seconds(1_600_112_492));
    assert_eq!(
        (event.attempt, event.tls, event.cert_err, event.asm_group_id),
        (Some(5), Some(true), Some(false), Some(9))
    );
    assert_eq!(event.categories, ["a", "b"]);
    assert_eq!(event.email.as_deref(), Some("A@GMail.com"), "the last of two keys");
    assert_eq!(event.to_event().provider, Provider::Gmail);
    assert_eq!(event.sg_event_id.as_deref(), Some("12345"));
    assert_eq!(event.reason, None, "a type that makes no sense counts as missing");
    assert!(event.extra.iter().any(|(key, value)| key == "reason" && value.get() == "{\"odd\":true}"), "and is kept");
    assert_eq!(event.arg("Custom Arg").as_deref(), Some("7"));
    let milliseconds = WebhookEvent::parse(br#"{"event":"open","timestamp":1600112492123}"#).unwrap().timestamp;
    assert_eq!(milliseconds, Timestamp::from_millis(1_600_112_492_123));
    let single = WebhookEvent::parse(br#"{"event":"open","timestamp":1.6e9,"category":"one"}"#).unwrap().categories;
    assert_eq!(single, ["one"]);
}

#[test]
fn what_is_no_event_says_why() {
    let fault = |raw: &str| WebhookEvent::parse(raw.as_bytes()).unwrap_err();
    assert_eq!(fault(r#"{"timestamp":1}"#), EventError::NoEvent);
    assert_eq!(fault(r#"{"event":{},"timestamp":1}"#), EventError::NoEvent);
    assert_eq!(fault(r#"{"event":" ","timestamp":1}"#), EventError::NoEvent);
    assert_eq!(fault(r#"{"event":"open"}"#), EventError::NoTimestamp);
    for timestamp in ["null", "-5", "\"soon\"", "-0.5", "\"nan\"", "\"inf\"", "1e400", "[]", "99999999999999999999999"]
    {
        let fault = fault(&format!(r#"{{"event":"open","timestamp":{timestamp}}}"#));
        let is_expected = matches!(fault, EventError::BadTimestamp | EventError::NotAnObject(_));
        assert!(is_expected, "{timestamp}: {fault:?}");
    }
    for raw in ["7", "null", "[]", "\"event\"", "{", "{\"event\":\"open\",}", ""] {
        assert!(matches!(fault(raw), EventError::NotAnObject(_)), "{raw}");
    }
    let deep = format!(r#"{{"event":"open","timestamp":1,"x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert!(WebhookEvent::parse(deep.as_bytes()).is_ok() || matches!(fault(&deep), EventError::NotAnObject(_)));
}

#[test]
fn bytes_that_are_no_text_spoil_only_their_own_field() {
    let gbk = b"550 no such mailbox \xb7\xa2\xd0\xc5IP\xb1\xbb\xbd\xfb\xd6\xb9";
    let iso_2022_jp = b"550 \x1b$B%f!<%6!<\x1b(B";
    for reason in [&gbk[..], iso_2022_jp, b"\xff", b"caf\xe9", b"\xed\xa0\x80"] {
        let mut raw = br#"{"email":"a@gmail.com","event":"bounce","type":"bounce","timestamp":1600112492,"customer_id":"acme","n":7,"reason":""#.to_vec();
        raw.extend_from_slice(reason);
        raw.extend_from_slice(br#"","status":"5.1.1"}"#);
        let body = [b"[", raw.as_slice(), b",\r\n{\"event\":\"open\",\"timestamp\":1}]\r\n"].concat();
        assert_eq!(split(&body, 2).unwrap().len(), 2);
        let event = WebhookEvent::parse(&raw).unwrap();
        let read = event.to_event();
        assert_eq!((read.kind, read.facet), (EventKind::Counted(Counter::HardBounce), Some(Counter::InvalidAddress)));
        assert_eq!((event.arg("customer_id").as_deref(), event.arg("n").as_deref()), (Some("acme"), Some("7")));
        assert!(event.reason.unwrap().contains(char::REPLACEMENT_CHARACTER), "{reason:?}");
    }
}

#[test]
fn a_name_whose_bytes_are_no_text_is_no_customers() {
    let event = WebhookEvent::parse(b"{\"event\":\"open\",\"timestamp\":1,\"customer_id\":\"a\xffb\"}").unwrap();
    assert_eq!(CustomerRule::CustomArg("customer_id".to_owned()).customer(&event), None);
}

#[test]
fn a_complaint_is_known_in_each_spelling() {
    for name in ["spamreport", "spam report", "spam_report", "Spam-Report", " spamreport "] {
        assert_eq!(parse(&an(name, &json!({}))), Ok(EventKind::Counted(Counter::SpamReport)), "{name}");
    }
}

const MADE_UP: &str = "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0";

#[test]
fn sendgrids_own_test_events_are_no_mail() {
    for name in ["processed", "bounce", "spamreport", "open", "group_resubscribe"] {
        let more = json!({ "email": "example@test.com", "sg_message_id": MADE_UP, "category": ["cat facts"], "status": "5.0.0" });
        let raw = an(name, &more).to_string();
        let event = WebhookEvent::parse(raw.as_bytes()).unwrap();
        assert_eq!((event.kind(), event.to_event().facet), (EventKind::Test, None), "{name}");
    }
}

#[test]
fn no_mail_can_pass_for_a_test_by_what_its_sender_chooses() {
    let real = "euo2iKxdSayPF4YE4--I7A.recvd-5f54b5d587-pczjm-1-67BADEEA-6.0";
    let imitated = json!({
        "email": "example@test.com", "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>", "sg_message_id": real,
        "category": ["cat facts"], "test": "true",
    });
    assert_eq!(parse(&an("spamreport", &imitated)), Ok(EventKind::Counted(Counter::SpamReport)));
    let own_message_id = json!({
        "email": "example@test.com", "sg_message_id": "14c5d75ce93.dfd.64b469.recvd-5f54b5d587-pczjm-1-67BADEEA-6.0",
    });
    assert_eq!(parse(&an("spamreport", &own_message_id)), Ok(EventKind::Counted(Counter::SpamReport)));
    let elsewhere = json!({ "email": "b@test.com", "sg_message_id": MADE_UP });
    assert_eq!(parse(&an("spamreport", &elsewhere)), Ok(EventKind::Counted(Counter::SpamReport)));
}

#[test]
fn a_pool_is_sendgrids_object_and_no_custom_argument() {
    let pool = |value: Value| {
        let raw = an("processed", &json!({ "pool": value })).to_string();
        let event = WebhookEvent::parse(raw.as_bytes()).unwrap();
        event.pool.map(|pool| (pool.name.into_owned(), pool.id))
    };
    assert_eq!(pool(json!({ "name": "good-1", "id": 210 })), Some(("good-1".to_owned(), 210)));
    for argument in [
        json!("good-1"),
        json!(210),
        json!("{\"name\":\"good-1\",\"id\":210}"),
        json!({ "name": "good-1" }),
        json!({ "id": 1 }),
        json!(["good-1"]),
    ] {
        assert_eq!(pool(argument.clone()), None, "{argument}");
    }
    let event = an("processed", &json!({ "pool": "good-1" })).to_string();
    let event = WebhookEvent::parse(event.as_bytes()).unwrap();
    assert_eq!(event.arg("pool").as_deref(), Some("good-1"), "it stays a custom argument");
}

#[test]
fn an_overlong_pool_name_is_ignored() {
    let counted = |name: &str| {
        let raw = an("processed", &json!({ "pool": { "name": name, "id": 1 } })).to_string();
        let event = WebhookEvent::parse(raw.as_bytes()).unwrap();
        event.to_event().pool.map(str::to_owned)
    };
    let longest = "é".repeat(64);
    assert_eq!(counted(&longest), Some(longest.clone()));
    assert_eq!(counted(&format!("{longest}é")), None);
    assert_eq!(counted(&"p".repeat(10_000)), None);
}

#[test]
fn a_moment_may_have_a_fraction() {
    for (written, millis) in [
        ("1600112492.25", 1_600_112_492_250),
        ("\"1600112492.25\"", 1_600_112_492_250),
        ("\" 1600112492 \"", 1_600_112_492_000),
        ("1600112492.0", 1_600_112_492_000),
        ("1600112492123.5", 1_600_112_492_123),
    ] {
        let event = format!(r#"{{"event":"open","timestamp":{written}}}"#);
        assert_eq!(
            WebhookEvent::parse(event.as_bytes()).unwrap().timestamp,
            Timestamp::from_millis(millis),
            "{written}"
        );
    }
}

#[test]
fn scheduled_mail_is_sent_at_its_send_at() {
    let id = "euo2iKxdSayPF4YE4--I7A.recvd-5f54b5d587-pczjm-1-67BADEEA-6.0";
    let (accepted, day) = (0x67BA_DEEA, 26 * 3_600);
    for send_at in [json!(accepted + day), json!(f64::from(accepted + day) + 0.5), json!((accepted + day).to_string())]
    {
        let event =
            json!({ "event": "bounce", "timestamp": accepted + day + 9, "sg_message_id": id, "send_at": send_at });
        let raw = event.to_string();
        let sent = WebhookEvent::parse(raw.as_bytes()).unwrap().to_event().sent_at;
        assert_eq!(sent.map(Timestamp::seconds), Some(i64::from(accepted + day)), "{send_at}");
    }
    for implausible in [json!(0), json!(-1), json!("soon"), json!(accepted - day), json!(accepted + 3 * day)] {
        let event =
            json!({ "event": "bounce", "timestamp": accepted + day + 9, "sg_message_id": id, "send_at": implausible });
        let raw = event.to_string();
        let event = WebhookEvent::parse(raw.as_bytes()).unwrap();
        let sent = (event.to_event().sent_at.map(Timestamp::seconds), event.to_event().send_at);
        assert_eq!(sent, (Some(i64::from(accepted)), None), "{implausible}");
    }
}

/// Of the mail and its `Message-ID`.
fn mail_ids(value: &Value) -> [Option<Digest>; 2] {
    WebhookEvent::parse(value.to_string().as_bytes()).unwrap().mail_ids()
}

#[test]
fn an_event_tells_which_mail_it_is_of() {
    let id = |last: &str| format!("euo2iKxdSayPF4YE4--I7A.recvd-5f54b5d587-pczjm-1-67BADEEA-6.{last}");
    let sent = an("processed", &json!({ "sg_message_id": id("0"), "smtp-id": "<a@ismtpd-555>", "email": "A@x.de" }));
    let [mail, smtp] = mail_ids(&sent);
    assert!(mail.is_some() && smtp.is_some() && mail != smtp);
    let other = an("open", &json!({ "sg_message_id": id("1"), "smtp-id": "a@ismtpd-555", "email": "<a@X.de>" }));
    assert_eq!(mail_ids(&other), [mail, smtp], "another event of it");
    let late = an("bounce", &json!({ "sg_message_id": "", "smtp-id": "<a@ismtpd-555>", "email": "b@x.de" }));
    assert_eq!(mail_ids(&late), [None, smtp], "an asynchronous bounce");
    assert_eq!(mail_ids(&json!({ "event": "open", "timestamp": 1, "smtp-id": " ", "email": "" })), [None; 2]);
}

fn digests(value: &Value) -> (Digest, Digest) {
    let raw = value.to_string();
    let event = WebhookEvent::parse(raw.as_bytes()).unwrap();
    let event = event.to_event();
    (event.id_digest, event.content_digest)
}

#[test]
fn a_copy_under_a_new_id_has_the_same_content_and_another_event_has_not() {
    let event = an("bounce", &json!({ "sg_event_id": "one", "sg_message_id": "m", "reason": "no" }));
    let mut copy = event.clone();
    copy["sg_event_id"] = json!("two");
    assert_ne!(digests(&event).0, digests(&copy).0);
    assert_eq!(digests(&event).1, digests(&copy).1);
    for (field, value) in [
        ("timestamp", json!(1_600_112_493)),
        ("email", json!("b@example.org")),
        ("reason", json!("yes")),
        ("sg_message_id", json!("n")),
        ("event", json!("deferred")),
        ("attempt", json!(2)),
    ] {
        let mut other = event.clone();
        other[field] = value;
        assert_ne!(digests(&event).1, digests(&other).1, "{field}");
    }
    let nameless = an("open", &json!({}));
    assert_eq!(digests(&nameless).0, digests(&nameless).1, "without an id its content stands for it");
}

proptest! {
    #[test]
    fn no_single_bit_can_be_changed(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut body = BODY.to_vec();
        let at = at.index(body.len());
        body[at] ^= 1 << bit;
        prop_assert_eq!(verifier(&[KEY]).verify(TIMESTAMP, SIGNATURE, &body), Err(SignatureError::Mismatch));
    }

    #[test]
    fn no_signature_but_its_own_is_taken(at in any::<prop::sample::Index>(), byte: u8) {
        let mut signature = SIGNATURE.to_vec();
        let at = at.index(signature.len());
        prop_assume!(signature[at] != byte);
        signature[at] = byte;
        prop_assert!(verifier(&[KEY]).verify(TIMESTAMP, &signature, BODY).is_err());
    }

    #[test]
    fn no_bytes_make_the_parser_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _any = split(&body, usize::MAX);
        if let Ok(event) = WebhookEvent::parse(&body) {
            let _any = event.to_event();
        }
    }

    #[test]
    fn parsing_agrees_with_a_general_parser(
        email in "[a-zA-Z0-9\"\\\\é]{0,12}@[a-z]{1,8}\\.com",
        id in ".{0,20}",
        timestamp in 0_i64..4_000_000_000,
        args in prop::collection::btree_map("[a-z]{3,6}_[a-z]{2}", ".{0,10}", 0..4),
    ) {
        let mut value = json!({ "email": email, "event": "click", "timestamp": timestamp, "sg_event_id": id });
        value.as_object_mut().unwrap().extend(args.iter().map(|(key, value)| (key.clone(), json!(value))));
        let raw = value.to_string();
        let event = WebhookEvent::parse(raw.as_bytes()).unwrap();
        prop_assert_eq!(event.email.as_deref(), value["email"].as_str());
        prop_assert_eq!(event.sg_event_id.as_deref(), value["sg_event_id"].as_str());
        prop_assert_eq!(event.timestamp.seconds(), timestamp);
        for (key, value) in &args {
            let found = event.arg(key);
            prop_assert_eq!(found.as_deref(), Some(value.as_str()));
        }
    }
}
