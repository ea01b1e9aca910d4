//! A fleet of a hundred thousand customers, as the public topics tell of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use log::{Append, Log, Topic};
use model::{
    Blame, CaseView, Contributor, Counter, Counts, CustomerId, CustomerView, Decision, DecisionId, EnforcementKey,
    EnforcerMode, EnforcerModes, EnforcerStatus, Evidence, Fleet, FleetCounts, Held, HeldWhy, InForce, Millis, Mode,
    Offset, PartitionId, Phase, PoolName, Position, Provider, Rate, Reason, Series, SeriesPoint, Stage, Standing, Test,
    Timestamp, Window,
};

use crate::events::START;
use crate::records::output;

pub(crate) const CUSTOMERS: usize = 100_000;
/// The newest that are kept in memory.
pub(crate) const DECISIONS: usize = 10_000;
/// One customer of so many is held back.
const HELD: usize = 500;
/// Records that are appended at once.
const AT_ONCE: usize = 10_000;
const POOLS: usize = 8;
/// What a day has of everything, in whole mails.
const MAILS: u32 = 40_000_000;

/// Appends all of it.
pub(crate) async fn fill(log: &Arc<dyn Log>) -> anyhow::Result<()> {
    let appends = (0..CUSTOMERS).map(|number| standing(number, 0)).chain((0..CUSTOMERS).map(case));
    let appends = appends.chain((0..DECISIONS).map(decision)).chain([share(), status()]);
    let appends = appends.collect::<anyhow::Result<Vec<_>>>()?;
    for some in appends.chunks(AT_ONCE) {
        log.producer().append(some.to_vec()).await?;
    }
    Ok(())
}

pub(crate) fn name(number: usize) -> String {
    format!("customer-{number}")
}

fn id(number: usize) -> anyhow::Result<CustomerId> {
    Ok(CustomerId::new(&name(number))?)
}

/// Spreads numbers, always in the same way.
const fn spread(number: usize) -> usize {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}

/// Most are healthy.
fn stage(number: usize) -> Stage {
    match spread(number) % 200 {
        0 => Stage::Suspended,
        1..=3 => Stage::Quarantined,
        4..=9 => Stage::Throttled,
        10..=19 => Stage::Watch,
        _ => Stage::Healthy,
    }
}

fn pool(number: usize) -> PoolName {
    PoolName::new(&format!("good-{}", number % POOLS))
}

fn said(number: usize) -> DecisionId {
    DecisionId::from_bits(u128::try_from(number).unwrap_or_default())
}

fn stands(number: usize, round: usize) -> anyhow::Result<Standing> {
    let stage = stage(number);
    let reason = Reason {
        decision: said(number),
        rule: "hard-bounce-burst".to_owned(),
        text: "hard bounce 31 of 402 in 1h = 7.7 % (at least 5.5 %, limit 5.0 %, others 0.9 %)".to_owned(),
    };
    Ok(Standing {
        phase: if number.is_multiple_of(20) { Phase::Pilot } else { Phase::Active },
        pool: Some(pool(number)),
        sent_24h: u32::try_from((spread(number) + round) % 5_000)?,
        reasons: if stage == Stage::Healthy { Vec::new() } else { vec![reason] },
        ..Standing::at(
            id(number)?,
            stage,
            (stage == Stage::Throttled).then_some(1_000),
            START - Millis::hours(i64::try_from(number % 700)?),
        )
    })
}

/// Where a customer stands; with another number of mails in each round.
pub(crate) fn standing(number: usize, round: usize) -> anyhow::Result<Append> {
    Ok(output(Topic::Standings, name(number), serde_json::to_vec(&stands(number, round)?)?))
}

fn case(number: usize) -> anyhow::Result<Append> {
    let held = || Held {
        why: HeldWhy::Approval,
        reason: "a person has to approve it".to_owned(),
        decision: Some(said(number)),
        since: START,
        expires: Some(START + Millis::hours(24)),
    };
    let standing = stands(number, 0)?;
    let is_held = number.is_multiple_of(HELD);
    let case = CaseView {
        customer: standing.customer.clone(),
        stage: if is_held { Stage::Quarantined } else { standing.stage },
        held: is_held.then(held),
        in_force: Some(InForce::of(&standing)),
    };
    let key = EnforcementKey::Case(standing.customer).to_string();
    Ok(output(Topic::Enforcement, key, serde_json::to_vec(&case)?))
}

fn decision(number: usize) -> anyhow::Result<Append> {
    let whose = spread(number) % CUSTOMERS;
    let rate = |share| Rate::new(share).unwrap_or_default();
    let evidence = Evidence {
        signal: "hard_bounce".to_owned(),
        window: Window::Hour,
        test: Test::Bound,
        from: START - Millis::hours(1),
        until: START,
        counted_after: None,
        counted_to: Offset::new(u64::try_from(number)?),
        numerator: 31,
        denominator: 402,
        rate: rate(0.077),
        bound: rate(0.055),
        threshold: rate(0.05),
        weight: 14.2,
        needed: 11.5,
        fleet_rate: rate(0.009),
        set_aside: Vec::new(),
        events: (0..5).map(|event| format!("event-{number}-{event}")).collect(),
    };
    let decision = Decision {
        id: said(number),
        customer: id(whose)?,
        at: START - Millis::seconds(i64::try_from(DECISIONS - number)?),
        from: Stage::Healthy,
        to: stage(whose).max(Stage::Watch),
        cause: None,
        phase: None,
        pilot_step: None,
        sending: None,
        mode: Mode::Enforce,
        rule: "hard-bounce-burst".to_owned(),
        blame: Some(Blame::Customer),
        evidence: Some(evidence),
        reason: None,
        by: None,
        policy: "sha256:bench".to_owned(),
        offset: Position { partition: PartitionId::new(0), offset: Offset::new(u64::try_from(number)?) },
    };
    Ok(output(Topic::Decisions, name(whose), serde_json::to_vec(&decision)?))
}

fn status() -> anyhow::Result<Append> {
    let status = EnforcerStatus { modes: EnforcerModes::all(EnforcerMode::Approve), ..EnforcerStatus::default() };
    Ok(output(Topic::Enforcement, EnforcementKey::Status.to_string(), serde_json::to_vec(&status)?))
}

/// What becomes of mails, one as the other.
fn counts(mails: u32, bounces: u32) -> Counts {
    let mut counts = Counts::ZERO;
    counts[Counter::Processed] = mails;
    counts[Counter::Delivered] = mails.saturating_sub(bounces);
    counts[Counter::HardBounce] = bounces;
    counts[Counter::Open] = mails / 5;
    counts
}

fn share() -> anyhow::Result<Append> {
    let providers: BTreeMap<_, _> =
        Provider::ALL.into_iter().map(|provider| (provider, counts(MAILS / 8, MAILS / 1_000))).collect();
    let pools: BTreeMap<_, _> = (0..POOLS).map(|number| (pool(number), counts(MAILS / 8, MAILS / 1_000))).collect();
    let windows = Window::ALL.into_iter();
    let windows =
        windows.map(|window| (window, FleetCounts { providers: providers.clone(), pools: pools.clone() })).collect();
    let contributor = |number: usize| {
        let bad = u32::try_from(number).unwrap_or_default() * 10 + 100;
        let day = BTreeMap::from([(Provider::Gmail, counts(5_000, bad))]);
        let (pool, stage) = (Some(pool(number)), stage(number));
        Ok(Contributor { customer: id(number)?, pool, stage, hour: day.clone(), day })
    };
    let contributors = (0..Fleet::CONTRIBUTORS).map(contributor).collect::<anyhow::Result<Vec<_>>>()?;
    let share = Fleet { as_of: Some(START), windows, contributors, ..Fleet::default() };
    Ok(output(Topic::Fleet, "0".to_owned(), serde_json::to_vec(&share)?))
}

/// What the scorer tells of a customer.
pub(crate) fn view(customer: &CustomerId) -> Option<CustomerView> {
    let number = customer.as_str().strip_prefix("customer-")?.parse().ok()?;
    let windows: BTreeMap<_, _> = Window::ALL.into_iter().map(|window| (window, counts(5_000, 40))).collect();
    let point = |at| SeriesPoint { at, mails: 200, signals: [("hard_bounce".to_owned(), [3, 200])].into() };
    let series = Series {
        hours: (0..24).map(|back| point(hours_before(24 - back))).collect(),
        days: (0..30).map(|back| point(hours_before(24 * (30 - back)))).collect(),
    };
    let providers = Provider::ALL.into_iter().map(|provider| (provider, windows.clone())).collect();
    Some(CustomerView { standing: stands(number, 0).ok()?, windows, providers, series })
}

fn hours_before(hours: i64) -> Timestamp {
    START - Millis::hours(hours)
}
