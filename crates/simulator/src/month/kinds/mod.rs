//! The kinds of customers, one small constructor each.

mod bad;
mod good;

use super::Kind;
use super::dice::Dice;
use super::nature::Nature;
use super::scenario::Scenario;

/// Which of its kind a customer is, of how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rank {
    pub(super) rank: usize,
    pub(super) of: usize,
}

/// What makes up a customer of this kind. `shared` is the dice that it has in common with its neighbour.
pub(super) fn nature(kind: Kind, scenario: &Scenario, rank: Rank, (own, shared): (&mut Dice, &mut Dice)) -> Nature {
    match kind {
        Kind::Good => good::zipf(rank, own),
        Kind::SmallGood => good::small(own),
        Kind::WeeklyGood => good::weekly(own),
        Kind::SeasonalPeak => good::seasonal_peak(scenario, own),
        Kind::SoftBounces => good::soft_bounces(own),
        Kind::Transactional => good::transactional(own),
        Kind::OutageHit => good::outage_hit(rank, own),
        Kind::ListedPool => good::listed_pool(own),
        Kind::BoughtList => bad::bought_list(scenario, own),
        Kind::ComplaintMagnet => bad::complaint_magnet(scenario, own),
        Kind::LateComplaints => bad::late_complaints(scenario, own),
        Kind::Hijacked => bad::hijacked(scenario, own),
        Kind::SlowRot => bad::slow_rot(scenario, own),
        Kind::SlowDrip => bad::slow_drip(own),
        Kind::WeeklyBad => bad::weekly(own),
        Kind::FirstBlast => bad::first_blast(scenario, own),
        Kind::SharedList => bad::shared_list(scenario, shared, own),
        Kind::Mixture => bad::mixture(own),
        Kind::StopAndGo => bad::stop_and_go(scenario, own),
    }
}
