//! What SendGrid posts when a webhook is tested.

use model::Timestamp;

/// One event of each kind.
///
/// As the real one's: a bounce without `type`, `attempt` in quotes, `<` and `>` of a message id escaped, and identifiers of
/// a form that real mail has no more. [`Poster`](super::Poster) brings the line breaks.
pub(super) fn events(now: Timestamp) -> Vec<String> {
    let agent =
        r#""useragent":"Mozilla/4.0 (compatible; MSIE 6.1; Windows XP; .NET CLR 1.1.4322; .NET CLR 2.0.50727)","#;
    let engagement = format!(r#""category":["cat facts"],{agent}"ip":"255.255.255.255""#);
    let click = format!(r#"{engagement},"url":"http://www.sendgrid.com/""#);
    let group = format!(r#"{click},"asm_group_id":10"#);
    let kinds: [(&str, &str); 11] = [
        ("processed", r#""category":["cat facts"]"#),
        ("deferred", r#""category":["cat facts"],"response":"400 try again later","attempt":"5""#),
        ("delivered", r#""category":["cat facts"],"response":"250 OK""#),
        ("open", &engagement),
        ("click", &click),
        ("bounce", r#""category":["cat facts"],"reason":"500 unknown recipient","status":"5.0.0""#),
        ("dropped", r#""category":["cat facts"],"reason":"Bounced Address","status":"5.0.0""#),
        ("spamreport", r#""category":["cat facts"]"#),
        ("unsubscribe", r#""category":["cat facts"]"#),
        ("group_unsubscribe", &group),
        ("group_resubscribe", &group),
    ];
    kinds.iter().zip(0..).map(|((kind, rest), number)| event(now, kind, rest, number)).collect()
}

fn event(now: Timestamp, kind: &str, rest: &str, number: u32) -> String {
    let seconds = now.seconds();
    format!(
        r#"{{"email":"example@test.com","timestamp":{seconds},"smtp-id":"\u003c14c5d75ce93.dfd.64b469@ismtpd-555\u003e","#
    ) + &format!(
        r#""event":"{kind}",{rest},"sg_event_id":"{seconds:012x}{number:08}AAAA==","sg_message_id":"14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0"}}"#
    )
}
