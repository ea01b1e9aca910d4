//! What an event has beyond the fields that all of its mail's events have: the words of servers and browsers.

use std::fmt::Write as _;

use model::Counter;

use super::dice::Dice;
use super::fate::{Trouble, What};

/// SendGrid's name of it.
pub(super) const fn name(what: What) -> &'static str {
    match what {
        What::Processed => "processed",
        What::Dropped => "dropped",
        What::Delivered => "delivered",
        What::Deferred(..) => "deferred",
        What::HardBounce | What::LateBounce | What::Block(_) => "bounce",
        What::SpamReport => "spamreport",
        What::Unsubscribe => "unsubscribe",
        What::GroupUnsubscribe => "group_unsubscribe",
        What::Open | What::MachineOpen => "open",
        What::Click => "click",
    }
}

/// Writes the fields, each with a comma before it, and says as what they have the event counted besides its kind.
pub(super) fn write(what: What, ip: &str, json: &mut String, dice: &mut Dice) -> Option<Counter> {
    match what {
        What::Processed => json.push_str(r#","send_at":0"#),
        What::Dropped => dropped(json, dice),
        What::Delivered => delivered(ip, json, dice),
        What::Deferred(attempt, trouble) => return deferred(attempt, trouble, ip, json),
        What::HardBounce => return hard_bounce(ip, json, dice),
        What::LateBounce => return late_bounce(json),
        What::Block(trouble) => return block(trouble, ip, json, dice),
        What::SpamReport | What::Unsubscribe => {}
        What::GroupUnsubscribe => browser(BROWSERS[0], json, dice),
        What::Open => {
            let agent = dice.pick(BROWSERS);
            browser(agent, json, dice);
            json.push_str(r#","sg_content_type":"html","sg_machine_open":false"#);
        }
        What::MachineOpen => {
            browser("Mozilla/5.0", json, dice);
            json.push_str(r#","sg_content_type":"html","sg_machine_open":true"#);
        }
        What::Click => click(json, dice),
    }
    None
}

const BROWSERS: [&str; 3] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
];

/// A bounce by the return path tells less than others, and the mail's id is not in it.
const LATE_BOUNCE: &str = concat!(
    r#","type":"bounce","status":"5.1.1","bounce_classification":"Invalid Address""#,
    r#","reason":"550 5.1.1 user unknown (in reply to end of DATA command)""#
);

fn put(json: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string can't fail.
    let _unfailing = json.write_fmt(text);
}

fn dropped(json: &mut String, dice: &mut Dice) {
    let reason = dice.pick(["Bounced Address", "Bounced Address", "Unsubscribed Address", "Spam Reporting Address"]);
    put(json, format_args!(r#","reason":"{reason}","status":"5.0.0""#));
}

fn delivered(ip: &str, json: &mut String, dice: &mut Dice) {
    let id = dice.bits() & 0xff_ffff;
    let response = dice.pick(["250 2.0.0 OK", "250 2.6.0 Queued mail for delivery", "250 OK"]);
    put(json, format_args!(r#","response":"{response} {id:06x}","ip":"{ip}","tls":1"#));
}

fn deferred(attempt: u32, trouble: Trouble, ip: &str, json: &mut String) -> Option<Counter> {
    let (response, from) = match trouble {
        Trouble::Outage => (
            "451 4.7.650 The mail server has been temporarily rate limited due to IP reputation. (S3150)",
            r#","domain":"outlook.com","from":"news@platform.example""#,
        ),
        Trouble::Usual => ("421 4.7.0 Try again later, closing connection", ""),
    };
    // The attempt is a text in SendGrid's own examples.
    put(json, format_args!(r#","response":"{response}","attempt":"{attempt}","ip":"{ip}"{from}"#));
    (attempt == 1).then_some(Counter::FirstDeferral)
}

fn late_bounce(json: &mut String) -> Option<Counter> {
    json.push_str(LATE_BOUNCE);
    Some(Counter::InvalidAddress)
}

fn hard_bounce(ip: &str, json: &mut String, dice: &mut Dice) -> Option<Counter> {
    let (status, reason) = dice.pick([
        (
            "5.1.1",
            r"550 5.1.1 The email account that you tried to reach does not exist. Please check \u003caddress\u003e",
        ),
        ("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable"),
        ("5.1.10", r#"550 5.1.10 RESOLVER.ADR.RecipientNotFound; \"recipient\" not found by SMTP address lookup"#),
        ("5.0.0", "554 delivery error: dd This user doesn't have an account"),
    ]);
    // The type is missing now and then, and the classification then tells a bounce from a block.
    if !dice.chance(0.01) {
        json.push_str(r#","type":"bounce""#);
    }
    put(
        json,
        format_args!(
            r#","status":"{status}","reason":"{reason}","bounce_classification":"Invalid Address","ip":"{ip}","tls":1"#
        ),
    );
    Some(Counter::InvalidAddress)
}

fn block(trouble: Trouble, ip: &str, json: &mut String, dice: &mut Dice) -> Option<Counter> {
    if trouble == Trouble::Outage {
        let code = dice.pick(["S3140", "S3150"]);
        put(
            json,
            format_args!(
                concat!(
                    r#","type":"blocked","status":"5.7.1","bounce_classification":"Reputation","ip":"{ip}","tls":1"#,
                    r#","reason":"550 5.7.1 Unfortunately, messages from [{ip}] weren't sent. Please contact your "#,
                    r#"Internet service provider since part of their network is on our block list ({code}).""#
                ),
                ip = ip,
                code = code
            ),
        );
        return Some(Counter::ReputationBlock);
    }
    let (fields, facet) = dice.pick([
        (
            r#","type":"blocked","status":"5.7.1","bounce_classification":"Content","reason":"554 5.7.1 spam message rejected""#,
            Some(Counter::ReputationBlock),
        ),
        (
            r#","type":"blocked","status":"4.2.2","bounce_classification":"Mailbox Unavailable","reason":"452 4.2.2 over quota""#,
            None,
        ),
        // Trouble with the recipient's DNS has no status.
        (
            r#","type":"blocked","bounce_classification":"Technical Failure","reason":"unable to get mx info: i/o timeout""#,
            None,
        ),
    ]);
    json.push_str(fields);
    facet
}

fn browser(agent: &str, json: &mut String, dice: &mut Dice) {
    // On engagement events the address is the recipient's, not the sender's.
    let (a, b) = (dice.number(0, 256), dice.number(1, 255));
    put(json, format_args!(r#","ip":"203.0.{a}.{b}","useragent":"{agent}""#));
}

fn click(json: &mut String, dice: &mut Dice) {
    let offer = dice.number(1, 6);
    let agent = dice.pick(BROWSERS);
    browser(agent, json, dice);
    put(
        json,
        format_args!(
            r#","url":"https://shop.example/offer/{offer}?utm=mail","url_offset":{{"index":0,"type":"html"}}"#
        ),
    );
}
