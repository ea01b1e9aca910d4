//! What came of a backtest.

use std::sync::Arc;

use model::{Decision, Offset, PartitionId, PolicyChange, Stage, Timestamp};
use policy::Policy;
use scoring::Effect;

use crate::lane::Lane;
use crate::peaks;
use crate::series::{self, Sample};

/// Moments at which figures over time are given.
const POINTS: i64 = 240;

/// A policy to try, under the name by which a report calls it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The file's name, say.
    pub name: String,
    /// The policy.
    pub policy: Arc<Policy>,
}

/// A decision, and what is noted beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The decision, as it stands on the topic.
    pub decision: Decision,
    /// The mails that SendGrid tried for the customer in the thirty days before; `None` where only the decision is known.
    pub mails: Option<u32>,
    /// Whether it moves the customer.
    pub force: Force,
}

/// Whether a decision moves its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// It does: under a policy that as a whole is in shadow, too, where it leads the customer's next decisions on.
    Real,
    /// It is what a rule in shadow would do, or any rule about an exempt customer: said, and the customer stays where it is.
    WouldBe,
}

/// What one policy decided.
#[derive(Debug)]
pub struct Run {
    /// The policy's name in reports.
    pub name: String,
    /// The policy's digest, as decisions carry it.
    pub digest: String,
    /// All decisions, by time, then by their place in the log.
    pub made: Vec<Made>,
    /// Figures over time; empty where only decisions are known.
    pub samples: Vec<Sample>,
    /// The most customers that were at each stage at any tick, in the order of [`Stage::ALL`].
    pub most: [u64; Stage::ALL.len()],
}

/// What the log says was decided in life.
#[derive(Debug)]
pub struct Live {
    /// The decisions made of those records that the log still has.
    pub run: Run,
    /// How many of them the first candidate made again, byte for byte.
    pub same: usize,
    /// The partitions that life's scorer had not folded to the end of what was read.
    pub behind: Vec<Behind>,
}

/// A partition that life's scorer had not folded to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Which.
    pub partition: PartitionId,
    /// The tick that it had got to; `None` where it has said nothing yet.
    pub got_to: Option<Timestamp>,
    /// The last tick that was read.
    pub read_to: Timestamp,
}

/// A policy that a record of the log put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutInForce {
    /// The policy's digest, as decisions carry it.
    pub digest: String,
    /// When the record was appended.
    pub since: Timestamp,
    /// Who put it in force, and why.
    pub change: PolicyChange,
}

/// How many records became what. Every policy sees the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Counted.
    pub counted: u64,
    /// Of a kind that is not counted.
    pub not_counted: u64,
    /// Copies.
    pub duplicates: u64,
    /// Too old to be told from a copy.
    pub late: u64,
    /// From a future too far ahead to be true.
    pub future: u64,
    /// Commands.
    pub commands: u64,
    /// Ticks, of all partitions.
    pub ticks: u64,
}

impl Effects {
    pub(crate) const fn count(&mut self, effect: Effect) {
        let slot = match effect {
            Effect::Counted(_) => &mut self.counted,
            Effect::NotCounted => &mut self.not_counted,
            Effect::Duplicate => &mut self.duplicates,
            Effect::Late => &mut self.late,
            Effect::Future => &mut self.future,
            Effect::Followed | Effect::Refused => &mut self.commands,
            Effect::Ticked => &mut self.ticks,
            Effect::PolicyTaken => return,
        };
        *slot += 1;
    }

    const fn add(&mut self, other: &Self) {
        self.counted += other.counted;
        self.not_counted += other.not_counted;
        self.duplicates += other.duplicates;
        self.late += other.late;
        self.future += other.future;
        self.commands += other.commands;
        self.ticks += other.ticks;
    }

    /// Events, whatever became of them.
    pub const fn events(&self) -> u64 {
        self.counted + self.not_counted + self.duplicates + self.late + self.future
    }
}

/// What was read, and what was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// How many records became what.
    pub effects: Effects,
    /// Customers seen.
    pub customers: usize,
    /// Events that name no customer.
    pub unattributed: u64,
    /// The first and the last tick.
    pub span: Option<(Timestamp, Timestamp)>,
    /// How many lines (or elements of a line, or records) are no events.
    pub faulty: usize,
    /// The first of them: where, and why.
    pub faults: Vec<String>,
    /// The partitions whose beginning retention has cut off, and where they begin now.
    pub cut: Vec<(PartitionId, Offset)>,
    /// The policies that were put in force in life, by time. Candidates are judged by themselves, whatever these say.
    pub policies: Vec<PutInForce>,
}

/// All that came of a backtest.
#[derive(Debug)]
pub struct Outcome {
    /// What each candidate decided, in the order in which they were given.
    pub runs: Vec<Run>,
    /// What was decided in life, where a log tells it.
    pub live: Option<Live>,
    /// What was read.
    pub read: Read,
}

impl Outcome {
    /// Of the lanes of each candidate.
    pub(crate) fn new(candidates: &[Candidate], lanes: &[Vec<Lane>], mut read: Read) -> Self {
        let runs: Vec<_> = candidates.iter().zip(lanes).map(|(candidate, lanes)| Run::new(candidate, lanes)).collect();
        for lane in lanes.first().into_iter().flatten() {
            read.effects.add(&lane.noted.effects);
            read.customers += lane.customers();
            read.unattributed += lane.noted.unattributed;
        }
        let samples = runs.first().map(|run| run.samples.as_slice()).unwrap_or_default();
        read.span = samples.first().zip(samples.last()).map(|(first, last)| (first.at, last.at));
        Self { runs, live: None, read }
    }

    /// Every decision of every candidate as JSON, one a line, as they stand on `weir.decisions`: by time, then by place.
    ///
    /// # Errors
    ///
    /// Where a decision is no JSON; none is known.
    pub fn json_lines(&self) -> Result<String, serde_json::Error> {
        let mut decisions: Vec<_> = self.runs.iter().flat_map(|run| &run.made).map(|made| &made.decision).collect();
        decisions.sort_by_key(|decision| (decision.at, decision.offset));
        let mut lines = String::new();
        for decision in decisions {
            lines.push_str(&serde_json::to_string(decision)?);
            lines.push('\n');
        }
        Ok(lines)
    }
}

impl Run {
    fn new(candidate: &Candidate, lanes: &[Lane]) -> Self {
        let series: Vec<_> = lanes.iter().map(|lane| &lane.noted.series).collect();
        Self {
            name: candidate.name.clone(),
            digest: candidate.policy.digest().to_owned(),
            made: in_order(lanes.iter().flat_map(|lane| lane.noted.made.iter().cloned()).collect()),
            samples: series::sum(&series, POINTS),
            most: peaks::most(lanes.iter().map(|lane| &lane.noted.steps)),
        }
    }

    /// The decisions that move their customers.
    pub fn moves(&self) -> impl Iterator<Item = &Made> {
        self.made.iter().filter(|made| made.force == Force::Real)
    }

    /// How many decisions are only said.
    pub fn would_be(&self) -> usize {
        self.made.len() - self.moves().count()
    }
}

impl Live {
    /// Whether `run` made every decision of life and no other.
    pub fn is_that_of(&self, run: &Run) -> bool {
        self.same == self.run.made.len() && self.same == run.made.len()
    }
}

/// By time, then by place.
pub(crate) fn in_order(mut made: Vec<Made>) -> Vec<Made> {
    made.sort_by_key(|made| (made.decision.at, made.decision.offset));
    made
}
