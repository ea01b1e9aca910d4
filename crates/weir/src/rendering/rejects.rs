//! Rejects, and what their replays found.

use model::Timestamp;
use model::figures::count;
use serde::Deserialize;

use super::{Look, lines, moment, right};

/// A rejected record, in short.
#[derive(Debug, Deserialize)]
pub(crate) struct Reject {
    id: String,
    at: Timestamp,
    source: String,
    reason: String,
    bytes: usize,
    #[serde(default)]
    excerpt: String,
}

/// A rejected record, whole.
#[derive(Debug, Deserialize)]
pub(crate) struct Whole {
    #[serde(flatten)]
    reject: Reject,
    text: String,
}

/// What replays found.
#[derive(Debug, Deserialize)]
pub(crate) struct Replayed {
    rejects: u64,
    events: u64,
    too_old: u64,
    unreadable: u64,
    dry_run: bool,
    still: Vec<Still>,
}

#[derive(Debug, Deserialize)]
struct Still {
    id: String,
    reason: String,
}

/// Rejects, one a line.
pub(crate) fn list(rejects: &[Reject], look: &Look) -> String {
    if rejects.is_empty() {
        return "Nothing was rejected.".to_owned();
    }
    let mut table = look.table(&["reject", "age", "source", "bytes", "reason", "begins with"]);
    for reject in rejects {
        let Reject { id, at, source, reason, bytes, excerpt } = reject;
        table.add_row([id, &look.age(*at), source, &bytes.to_string(), reason, excerpt]);
    }
    right(&mut table, [3]);
    lines(&table)
}

/// All of a reject.
pub(crate) fn whole(whole: &Whole, _: &Look) -> String {
    let Reject { id, at, source, reason, bytes, .. } = &whole.reject;
    let size = count(bytes, "byte", "bytes");
    format!("{id} of source {source}, {}, {size}: {reason}\n\n{}", moment(*at), whole.text)
}

/// What replays found.
pub(crate) fn replayed(replayed: &Replayed, _: &Look) -> String {
    let Replayed { rejects, events, too_old, unreadable, dry_run, still } = replayed;
    let found = count(events, "event", "events");
    let verb = if *dry_run { "would be replayed from" } else { "replayed from" };
    let mut text =
        format!("{found} {verb} {}; what was replayed before counts once.\n", count(rejects, "reject", "rejects"));
    if *too_old > 0 {
        text += &format!("{too_old} of them older than 72 hours: stored, and in no rate.\n");
    }
    if *unreadable > 0 {
        text += &format!("{} still not readable, or not whole:\n", count(unreadable, "reject", "rejects"));
        still.iter().for_each(|one| text += &format!("  {}: {}\n", one.id, one.reason));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples;
    use super::*;

    #[test]
    fn rejects_are_a_line_each_and_a_replay_says_what_is_left() {
        let reject = json!({
            "id": "0-17", "at": "2026-11-23T11:00:00Z", "source": "main", "reason": "`event` is missing or no text",
            "bytes": 42, "excerpt": "{\u{1b}[2J", "text": "{}", "base64": "e30=",
        });
        let listed = list(&[samples::read(reject.clone())], &samples::plain());
        assert!(listed.contains("0-17") && listed.contains("`event` is missing"), "{listed}");
        assert!(!listed.contains('\u{1b}'), "{listed}");
        assert!(
            whole(&samples::read(reject), &samples::plain()).ends_with("42 bytes: `event` is missing or no text\n\n{}")
        );
        let found = json!({
            "rejects": 3, "events": 2, "too_old": 1, "unreadable": 1, "dry_run": false,
            "still": [{"id": "0-18", "unreadable": 1, "reason": "why"}],
        });
        let expected = "2 events replayed from 3 rejects; what was replayed before counts once.\n\
                        1 of them older than 72 hours: stored, and in no rate.\n\
                        1 reject still not readable, or not whole:\n  0-18: why\n";
        assert_eq!(replayed(&samples::read(found), &samples::plain()), expected);
    }
}
