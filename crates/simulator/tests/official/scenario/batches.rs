//! Mail that is to be sent later: held back, called off, and let go on.

use serde_json::{Value, json};

use crate::official::stage::Stage;

pub(super) fn play(stage: &Stage, subuser: Option<&str>) {
    let call = |call: &str, of: Value| match subuser {
        Some(name) => stage.call_for(name, call, of),
        None => stage.call(call, of),
    };
    let batch = call("NewBatch", json!({})).done(201)["batch_id"].clone();
    assert_eq!(call("Batch", json!({ "batch": batch })).done(200), json!({ "batch_id": batch }));
    let pause = json!({ "batch": batch, "status": "pause" });
    let paused = json!({ "batch_id": batch, "status": "pause" });
    assert_eq!(call("StopBatch", pause.clone()).done(201), paused);
    assert_eq!(call("StopBatch", pause.clone()).refused(400)["errors"][0]["field"], "batch_id");
    assert_eq!(call("ScheduledSends", json!({})).done(200), json!([paused]));
    call("ChangeBatch", json!({ "batch": batch, "status": "cancel" })).done(204);
    let one = call("ScheduledSend", json!({ "batch": batch })).done(200);
    assert_eq!(one, json!([{ "batch_id": batch, "status": "cancel" }]));
    call("ResumeBatch", json!({ "batch": batch })).done(204);
    assert_eq!(call("ScheduledSends", json!({})).done(200), json!([]));
    call("ResumeBatch", json!({ "batch": batch })).refused(404);
    call("ChangeBatch", pause).refused(404);
    call("StopBatch", json!({ "batch": "unknown", "status": "pause" })).refused(400);
    call("Batch", json!({ "batch": "unknown" })).refused(400);
}
