//! A mailbox provider that refuses everybody's mail for a while.

use simulator::sendgrid::HOME;
use site::now;

/// Customers who send there; nobody else of the platform does.
const CUSTOMERS: u32 = 12;
/// Mails of each of them, and how many of those are refused.
const MAILS: u32 = 30;
const REFUSED: u32 = 25;
/// Mails of each that it takes afterwards: so that of all its mails of these minutes less than a tenth was refused.
const TAKEN: u32 = 300;

/// All mail of it is of the moment at which it began: SendGrid tells of what was deferred when it was delivered.
pub(crate) struct Incident {
    at: i64,
}

impl Incident {
    pub(crate) fn new() -> Self {
        Self { at: now().seconds() }
    }

    /// Nearly all mail is refused, as if the senders were to blame.
    pub(crate) fn refusals(&self) -> Vec<String> {
        let refusal = r#","type":"blocked","status":"5.7.1","reason":"554 5.7.1 rejected for the sender's reputation","bounce_classification":"Reputation""#;
        self.mails(0..MAILS, |number| if number < REFUSED { ("bounce", refusal) } else { ("delivered", "") })
    }

    /// It takes mail again.
    pub(crate) fn recovery(&self) -> Vec<String> {
        self.mails(MAILS..MAILS + TAKEN, |_| ("delivered", ""))
    }

    fn mails(&self, numbers: std::ops::Range<u32>, fate: impl Fn(u32) -> (&'static str, &'static str)) -> Vec<String> {
        let (at, mut events) = (self.at, Vec::new());
        for customer in 0..CUSTOMERS {
            for number in numbers.clone() {
                let (fate, more) = fate(number);
                for (kind, more) in
                    [("processed", format!(r#","pool":{{"name":"{HOME}","id":1}}"#)), (fate, more.to_owned())]
                {
                    let id = format!("shop-{customer}-{number}");
                    events.push(format!(
                        r#"{{"event":"{kind}","timestamp":{at},"email":"{id}@yandex.ru","customer_id":"shop-{customer}","sg_message_id":"{id}.x","sg_event_id":"{kind}-{id}"{more}}}"#
                    ));
                }
            }
        }
        events
    }
}
