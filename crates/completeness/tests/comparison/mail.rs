//! What becomes of mail, as SendGrid tells of it.

use model::{Counts, EventKind, Millis, Timestamp};
use sendgrid::webhook::WebhookEvent;
use serde_json::{Value, json};

use crate::house::day;

/// Events in the order in which they are posted.
#[derive(Clone, Debug)]
pub(crate) struct Mail(pub(crate) Vec<String>);

impl Mail {
    pub(crate) const fn of(events: Vec<String>) -> Self {
        Self(events)
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::ZERO;
        for event in &self.0 {
            if let EventKind::Counted(kind) = WebhookEvent::parse(event.as_bytes()).unwrap().kind() {
                counts.count(kind);
            }
        }
        counts
    }

    pub(crate) fn that_are(&self, mut wanted: impl FnMut(&Value) -> bool) -> Self {
        let is_wanted = |event: &&String| wanted(&serde_json::from_str(event).unwrap());
        Self(self.0.iter().filter(is_wanted).cloned().collect())
    }

    pub(crate) fn without(&self, unwanted: impl Fn(&Value) -> bool) -> Self {
        self.that_are(|event| !unwanted(event))
    }

    /// The same events, as SendGrid has been seen to repeat them.
    pub(crate) fn under_new_ids(&self) -> Self {
        let renamed = |event: &String| {
            let mut event: Value = serde_json::from_str(event).unwrap();
            event["sg_event_id"] = format!("again-{}", event["sg_event_id"].as_str().unwrap()).into();
            event.to_string()
        };
        Self(self.0.iter().map(renamed).collect())
    }
}

/// What an event tells, whatever its id.
pub(crate) fn content(event: &Value) -> String {
    let mut event = event.clone();
    event.as_object_mut().unwrap().remove("sg_event_id");
    event.to_string()
}

#[expect(clippy::cast_precision_loss, reason = "seconds of this century are exact")]
pub(crate) fn seconds(at: Timestamp) -> f64 {
    at.seconds() as f64
}

/// What becomes of ten mails that a source's customer sends in an hour of the day.
pub(crate) fn hour(source: &str, hour: i64) -> Mail {
    let mut events = Vec::new();
    for number in 0..10_i64 {
        let at = day().start() + Millis::hours(hour) + Millis::minutes(number * 5 + 5);
        let name = format!("{source}-{hour}-{number}");
        let mut tell = |after: i64, event: Value| events.push(told(&name, at + Millis::seconds(after), event));
        if number == 0 {
            tell(0, json!({ "event": "dropped", "reason": "Bounced Address" }));
            continue;
        }
        tell(0, json!({ "event": "processed" }));
        match number {
            1 => tell(3, json!({ "event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 unknown" })),
            2 => tell(3, json!({ "event": "bounce", "type": "blocked", "status": "4.7.1", "reason": "450 later" })),
            _ => tell(2, json!({ "event": "delivered", "response": "250 OK" })),
        }
        match number {
            3 => tell(60, json!({ "event": "spamreport" })),
            4 => tell(60, json!({ "event": "open", "useragent": "Mail/1.0" })),
            _ => {}
        }
    }
    Mail(events)
}

fn told(name: &str, at: Timestamp, mut event: Value) -> String {
    let kind = event["event"].as_str().unwrap().to_owned();
    event["email"] = format!("{name}@example.org").into();
    event["timestamp"] = at.seconds().into();
    event["sg_event_id"] = format!("{kind}-{name}").into();
    event["sg_message_id"] = format!("{name}.filter0001.1.5515E0B88.0").into();
    event["customer_id"] = "shop".into();
    event.to_string()
}
