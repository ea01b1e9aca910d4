//! Rejects are read again: what is readable by now goes to the events, as if it came today.
//!
//! The fold knows copies by the event's id, so that what is replayed twice counts once.

use std::sync::Arc;

use axum::http::StatusCode;
use decode::{RejectSource, read_again};
use log::{Append, Log, Stored, Topic, partition_of};
use model::{Act, Deed, Position, Timestamp};
use scoring::HORIZON;
use serde::Serialize;
use utoipa::ToSchema;

use super::Words;
use super::enforcement::told;
use crate::access::{Caller, Role};
use crate::admin::Admin;
use crate::problem::Problem;
use crate::readings::Deadline;
use crate::rejects::{self, RejectId};

/// Rejects in one step, unless asked otherwise, and at most.
const STEP: usize = 1_000;
const LONGEST_STEP: usize = 10_000;
/// Bytes of rejects after which a step ends.
const STEP_BYTES: usize = 16 << 20;
/// Rejects that are named with what is still wrong.
const NAMED: usize = 100;

/// What is to be replayed.
#[derive(Clone, Debug)]
pub(crate) enum ReplayWanted {
    /// One reject.
    One(RejectId),
    /// All of a source that came within a time.
    Span(SpanWanted),
}

/// All of a source that came within a time.
#[derive(Clone, Debug)]
pub(crate) struct SpanWanted {
    pub(crate) source: String,
    pub(crate) since: Timestamp,
    /// Not those that came at this time or later; all, unless said.
    pub(crate) until: Option<Timestamp>,
    /// Go on behind this reject.
    pub(crate) after: Option<RejectId>,
    /// Rejects in this step; a thousand unless said, ten thousand at most.
    pub(crate) limit: Option<usize>,
    /// Only tell what would be found.
    pub(crate) dry_run: bool,
}

/// A reject that still makes no sense, or not all of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StillRejected {
    pub(crate) id: String,
    /// Elements of it that make none.
    pub(crate) unreadable: usize,
    /// Why the first of them makes none.
    pub(crate) reason: String,
}

/// What a replay found.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Replayed {
    /// Rejects that were read.
    pub(crate) rejects: usize,
    /// Events that were found in them; those are on the log now, unless it was a dry run.
    pub(crate) events: usize,
    /// Events among them that are too old to be counted: they are on the log, and in no rate.
    pub(crate) too_old: usize,
    /// Rejects that still make no sense, or not all of them.
    pub(crate) unreadable: usize,
    /// The first hundred of those.
    pub(crate) still: Vec<StillRejected>,
    /// What to go on behind, as `after`; nothing where this is the end.
    pub(crate) next: Option<String>,
}

/// What a step has found so far.
#[derive(Default)]
struct Found {
    replayed: Replayed,
    appends: Vec<Append>,
    bytes: usize,
}

impl Found {
    fn take(&mut self, source: &RejectSource, stored: &Stored, now: Timestamp) {
        let read = read_again(source, &stored.record, now);
        self.bytes += stored.record.value.len();
        let replayed = &mut self.replayed;
        replayed.rejects += 1;
        replayed.events += read.events.len();
        if let Some(reason) = read.reason {
            replayed.unreadable += 1;
            if replayed.still.len() < NAMED {
                let (id, unreadable) = (RejectId(stored.position).to_string(), read.unreadable);
                replayed.still.push(StillRejected { id, unreadable, reason });
            }
        }
        for (at, append) in read.events {
            replayed.too_old += usize::from(at < now - HORIZON);
            self.appends.push(append);
        }
    }
}

/// Reads rejects again, and appends to the events what is readable.
pub(crate) async fn replay(
    admin: &Admin,
    caller: &Caller,
    wanted: ReplayWanted,
    words: Words,
) -> Result<Replayed, Problem> {
    caller.may(Role::Operator)?;
    let (by, reason) = words.signed(caller)?;
    model::OrderError::check(&by, &reason).map_err(|error| Problem::invalid(error.to_string()))?;
    let (log, sources, now) = (Arc::clone(&admin.log), Arc::clone(&admin.reject_sources), (admin.clock)());
    let is_dry = matches!(&wanted, ReplayWanted::Span(SpanWanted { dry_run: true, .. }));
    let readings = &admin.readings;
    let read = move |deadline: &Deadline| find(log.as_ref(), &sources, &wanted, now, deadline);
    let (source, Found { replayed, mut appends, .. }) = readings.read(&readings.rejects, read).await??;
    if !is_dry {
        let deed = Deed::Replay { source, rejects: replayed.rejects, events: replayed.events };
        appends.push(told(&Act { at: now, by, reason, deed })?);
        admin.log.producer().append(appends).await.map_err(|error| Problem::unavailable(error.to_string()))?;
    }
    Ok(replayed)
}

/// The source of what is wanted, and what is found.
fn find(
    log: &dyn Log,
    sources: &[RejectSource],
    wanted: &ReplayWanted,
    now: Timestamp,
    deadline: &Deadline,
) -> Result<(String, Found), Problem> {
    let mut found = Found::default();
    match wanted {
        ReplayWanted::One(id) => {
            let stored = rejects::one(log, *id, deadline)?;
            let name = rejects::source(&stored.record);
            found.take(configured(sources, &name)?, &stored, now);
            Ok((name, found))
        }
        ReplayWanted::Span(span) => {
            let source = configured(sources, &span.source)?;
            let partition = partition_of(span.source.as_bytes(), log.partitions());
            let reach = log.reach(Topic::Rejects, partition);
            let start = reach.map_err(|error| Problem::unavailable(error.to_string()))?.start;
            let after = span.after.filter(|after| after.0.partition == partition);
            let from = Position { partition, offset: after.map_or(start, |after| after.0.offset.next()) };
            let step = span.limit.unwrap_or(STEP).clamp(1, LONGEST_STEP);
            let mut last = None;
            rejects::each(log, from, deadline, |stored| {
                let is_wanted = rejects::source(&stored.record) == span.source
                    && stored.record.at >= span.since
                    && span.until.is_none_or(|until| stored.record.at < until);
                if !is_wanted {
                    return true;
                }
                if found.replayed.rejects >= step || found.bytes >= STEP_BYTES {
                    found.replayed.next = last.map(|last| RejectId(last).to_string());
                    return false;
                }
                found.take(source, &stored, now);
                last = Some(stored.position);
                true
            })?;
            Ok((span.source.clone(), found))
        }
    }
}

/// Whose events a customer is told from is the configuration's to say.
fn configured<'s>(sources: &'s [RejectSource], name: &str) -> Result<&'s RejectSource, Problem> {
    sources.iter().find(|source| source.name == name).ok_or_else(|| {
        let known: Vec<_> = sources.iter().map(|source| source.name.as_str()).collect();
        let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
        let detail =
            format!("source {name:?} is not in this process's configuration, {known}: add it to replay its rejects");
        Problem::new(StatusCode::NOT_FOUND, "no such source", detail)
    })
}
