//! Where everybody stands, in the order of risk.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::{CustomerId, Phase, PoolName, Stage, Standing};
use policy::Ranked;
use serde::Serialize;

use super::names::{Names, Part};
use super::risk::{Harm, Places, Risk};

/// Places that are looked at one by one for a part of a name before all names are searched at once: a part that many names
/// have is found sooner so, and one that few have is not.
const WALKED: usize = 2_048;

/// Which customers are wanted, and how many.
#[derive(Clone, Debug, Default)]
pub struct CustomersQuery {
    /// A part of the name, in whatever case.
    pub search: Option<String>,
    /// At this stage only.
    pub stage: Option<Stage>,
    /// In this phase only.
    pub phase: Option<Phase>,
    /// Whose mail should leave through this pool only.
    pub pool: Option<PoolName>,
    /// Those behind this place only.
    pub after: Option<Risk>,
    /// How many at most.
    pub limit: usize,
}

/// A page of a list, and what to ask for to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, C> {
    /// What is on it.
    pub items: Vec<T>,
    /// The place of the last one on it; nothing where this is the end.
    pub next: Option<C>,
}

/// A customer in the list.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Listed {
    /// Where it stands.
    #[serde(flatten)]
    #[schema(value_type = Standing)]
    pub standing: Arc<Standing>,
    /// By how many times its bounces or complaints of the last 24 hours, whichever is worse, exceed the fleet's; 0 for
    /// whoever is not among those with the most.
    pub times_the_fleet: f64,
}

/// All standings, each at its place.
#[derive(Debug, Default)]
pub(super) struct Customers {
    known: HashMap<CustomerId, Known>,
    all: Places,
    by_pool: BTreeMap<PoolName, Places>,
    by_phase: HashMap<Phase, Places>,
    names: Names,
    /// What harm is done by those with the most bad events, be they known or not.
    harm: BTreeMap<CustomerId, Harm>,
}

#[derive(Debug)]
struct Known {
    standing: Arc<Standing>,
    place: Risk,
}

impl Customers {
    pub(super) fn standing(&self, id: &CustomerId) -> Option<&Arc<Standing>> {
        self.known.get(id).map(|known| &known.standing)
    }

    /// How many there are at each stage; of those whose mail should leave through `pool`, or of all.
    pub(super) fn stages(&self, pool: Option<&PoolName>) -> BTreeMap<Stage, usize> {
        match pool {
            None => self.all.stages(),
            Some(pool) => self.by_pool.get(pool).map(Places::stages).unwrap_or_default(),
        }
    }

    /// The pools through which anybody's mail should leave.
    pub(super) fn pools(&self) -> impl Iterator<Item = &PoolName> {
        self.by_pool.iter().filter(|(_, places)| places.len() > 0).map(|(pool, _)| pool)
    }

    pub(super) fn take(&mut self, standing: Standing) {
        let id = standing.customer.clone();
        let harm = self.harm.get(&id).copied().unwrap_or_default();
        self.put(id, Arc::new(standing), harm);
    }

    /// Takes in who does the most harm now.
    pub(super) fn rank(&mut self, ranking: &[Ranked]) {
        let harm = ranking.iter().map(|one| (one.customer.clone(), Harm::times(one.times_the_fleet))).collect();
        let before = std::mem::replace(&mut self.harm, harm);
        let moved: Vec<_> = before.into_keys().chain(self.harm.keys().cloned()).collect();
        for id in moved {
            let harm = self.harm.get(&id).copied().unwrap_or_default();
            if let Some(known) = self.known.get(&id).filter(|known| known.place.harm() != harm) {
                let standing = Arc::clone(&known.standing);
                self.put(id, standing, harm);
            }
        }
    }

    fn put(&mut self, id: CustomerId, standing: Arc<Standing>, harm: Harm) {
        let place = Risk::new(id.clone(), standing.stage, harm, standing.sent_24h);
        self.all.insert(place.clone());
        self.by_phase.entry(standing.phase).or_default().insert(place.clone());
        if let Some(pool) = standing.pool.clone() {
            self.by_pool.entry(pool).or_default().insert(place.clone());
        }
        let Some(before) = self.known.insert(id.clone(), Known { standing, place }) else {
            self.names.add(id);
            return;
        };
        if let Some(now) = self.known.get(&id) {
            let (was, is) = (&before.standing, &now.standing);
            if before.place != now.place {
                self.all.remove(&before.place);
            }
            if (&before.place, was.phase) != (&now.place, is.phase)
                && let Some(places) = self.by_phase.get_mut(&was.phase)
            {
                places.remove(&before.place);
            }
            if (&before.place, &was.pool) != (&now.place, &is.pool)
                && let Some(places) = was.pool.as_ref().and_then(|pool| self.by_pool.get_mut(pool))
            {
                places.remove(&before.place);
            }
        }
    }

    /// The riskiest of those that are wanted, in order.
    pub(super) fn page(&self, query: &CustomersQuery) -> Page<Listed, Risk> {
        let limit = query.limit.max(1);
        let mut found = self.places(query, limit + 1);
        let is_last = found.len() <= limit;
        found.truncate(limit);
        let items: Vec<_> = found.iter().filter_map(|place| self.listed(place)).collect();
        Page { items, next: if is_last { None } else { found.pop().cloned() } }
    }

    fn places<'a>(&'a self, query: &'a CustomersQuery, limit: usize) -> Vec<&'a Risk> {
        let is_wanted = |place: &&Risk| self.is_wanted(query, place.customer());
        let Some(places) = self.narrowest(query) else { return Vec::new() };
        let mut walk = places.walk(query.stage, query.after.as_ref());
        let Some(search) = query.search.as_deref().filter(|search| !search.is_empty()) else {
            return walk.filter(is_wanted).take(limit).collect();
        };
        let Some(part) = Part::new(search) else { return Vec::new() };
        let mut found = Vec::new();
        let mut last = query.after.as_ref();
        for place in walk.by_ref().take(WALKED) {
            last = Some(place);
            if part.is_in(place.customer()) && is_wanted(&place) {
                found.push(place);
            }
            if found.len() == limit {
                return found;
            }
        }
        found.extend(self.named(&part, query, last, limit - found.len()));
        found
    }

    /// Those behind `last` with `part` in their name, the riskiest first.
    fn named(&self, part: &Part, query: &CustomersQuery, last: Option<&Risk>, limit: usize) -> Vec<&Risk> {
        let places = self.names.with(part).filter_map(|name| self.known.get(name)).map(|known| &known.place);
        let is_wanted = |place: &&Risk| {
            query.stage.is_none_or(|stage| stage == place.stage()) && self.is_wanted(query, place.customer())
        };
        let mut found: Vec<_> =
            places.filter(|place| last.is_none_or(|last| *place > last)).filter(is_wanted).collect();
        if found.len() > limit {
            found.select_nth_unstable(limit);
            found.truncate(limit);
        }
        found.sort_unstable();
        found
    }

    /// The places among which those that are wanted are, as few as are at hand; `None` where nobody is in the pool or the
    /// phase.
    fn narrowest(&self, query: &CustomersQuery) -> Option<&Places> {
        let pool = query.pool.as_ref().map(|pool| self.by_pool.get(pool));
        let phase = query.phase.as_ref().map(|phase| self.by_phase.get(phase));
        match (pool, phase) {
            (None, None) => Some(&self.all),
            (Some(one), None) | (None, Some(one)) => one,
            (Some(pool), Some(phase)) => pool.zip(phase).map(|(a, b)| if a.len() < b.len() { a } else { b }),
        }
    }

    fn is_wanted(&self, query: &CustomersQuery, id: &CustomerId) -> bool {
        if query.phase.is_none() && query.pool.is_none() {
            return true;
        }
        self.known.get(id).is_some_and(|Known { standing, .. }| {
            query.phase.is_none_or(|phase| standing.phase == phase)
                && query.pool.as_ref().is_none_or(|pool| standing.pool.as_ref() == Some(pool))
        })
    }

    fn listed(&self, place: &Risk) -> Option<Listed> {
        let standing = Arc::clone(&self.known.get(place.customer())?.standing);
        Some(Listed { standing, times_the_fleet: place.harm().get() })
    }
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn standing(name: usize, stage: usize, pool: usize, phase: usize) -> Standing {
        Standing {
            phase: [Phase::Active, Phase::Pilot][phase % 2],
            pool: [None, Some(PoolName::new("a")), Some(PoolName::new("b"))][pool % 3].clone(),
            sent_24h: u32::try_from(stage + pool).unwrap(),
            ..Standing::at(
                CustomerId::new(&format!("customer-{name}")).unwrap(),
                Stage::ALL[stage % 4],
                None,
                Timestamp::from_seconds(0),
            )
        }
    }

    fn ranked(name: usize, times_the_fleet: f64) -> Ranked {
        let Standing { customer, stage, pool, .. } = standing(name, 0, 0, 0);
        let (hard_bounce, spam_report) = (model::Rate::default(), model::Rate::default());
        Ranked { customer, stage, pool, hard_bounce, spam_report, times_the_fleet }
    }

    /// Page after page, whatever the pages' size.
    fn all_pages(customers: &Customers, query: &CustomersQuery) -> Vec<CustomerId> {
        let (mut query, mut all) = (query.clone(), Vec::new());
        loop {
            let Page { items, next } = customers.page(&query);
            all.extend(items.into_iter().map(|listed| listed.standing.customer.clone()));
            match next {
                Some(next) => query.after = Risk::parse(&next.cursor()),
                None => return all,
            }
        }
    }

    proptest! {
        #[test]
        fn pages_are_all_that_is_wanted_in_order_whatever_came_before(
            told in proptest::collection::vec((0_usize..40, 0_usize..8, 0_usize..6, 0_usize..2), 0..120),
            worst in proptest::collection::vec((0_usize..60, 0.0..9.0_f64), 0..12),
            (stage, pool, phase) in (0_usize..5, 0_usize..4, 0_usize..3),
            (search, limit) in (prop_oneof![Just(""), Just("-1"), Just("MER-3")], 1_usize..7),
        ) {
            let mut customers = Customers::default();
            let mut latest = BTreeMap::new();
            for (number, (name, stage, pool, phase)) in told.iter().enumerate() {
                if number == told.len() / 2 {
                    customers.rank(&[ranked(1, 7.0), ranked(2, 3.0)]);
                }
                customers.take(standing(*name, *stage, *pool, *phase));
                latest.insert(*name, standing(*name, *stage, *pool, *phase));
            }
            let worst: BTreeMap<_, _> = worst.into_iter().collect();
            customers.rank(&worst.iter().map(|(name, times)| ranked(*name, *times)).collect::<Vec<_>>());
            let query = CustomersQuery {
                search: Some(search.to_owned()),
                stage: Stage::ALL.get(stage).copied().filter(|_| stage < 4),
                phase: [Some(Phase::Active), Some(Phase::Pilot), None][phase],
                pool: [None, Some(PoolName::new("a")), Some(PoolName::new("b")), Some(PoolName::new("c"))][pool].clone(),
                after: None,
                limit,
            };
            let mut expected: Vec<_> = latest.iter().filter(|(_, standing)| {
                standing.customer.as_str().contains(&search.to_lowercase())
                    && query.stage.is_none_or(|stage| standing.stage == stage)
                    && query.phase.is_none_or(|phase| standing.phase == phase)
                    && query.pool.as_ref().is_none_or(|pool| standing.pool.as_ref() == Some(pool))
            }).collect();
            expected.sort_by(|(a, one), (b, other)| {
                let harm = |name| worst.get(name).copied().unwrap_or_default();
                other.stage.cmp(&one.stage).then(harm(b).total_cmp(&harm(a)))
                    .then(other.sent_24h.cmp(&one.sent_24h)).then_with(|| one.customer.cmp(&other.customer))
            });
            let expected: Vec<_> = expected.into_iter().map(|(_, standing)| standing.customer.clone()).collect();
            prop_assert_eq!(all_pages(&customers, &query), expected);
            prop_assert_eq!(customers.all.len(), latest.len());
        }
    }

    proptest! {
        #[test]
        fn who_does_not_move_between_two_pages_is_on_one_of_them_once(
            told in proptest::collection::vec((0_usize..40, 0_usize..8, 0_usize..6), 1..80),
            moves in proptest::collection::vec((20_usize..60, 0_usize..8, 0_usize..6, 0_usize..2), 0..60),
            worst in proptest::collection::vec((20_usize..60, 0.0..9.0_f64), 0..12),
            limit in 1_usize..7,
            search in prop_oneof![Just(None), Just(Some("MER-1".to_owned()))],
        ) {
            let mut customers = Customers::default();
            let told: BTreeMap<_, _> = told.into_iter().map(|(name, stage, pool)| (name, (stage, pool))).collect();
            told.iter().for_each(|(name, (stage, pool))| customers.take(standing(*name, *stage, *pool, 0)));
            let mut query = CustomersQuery { search, limit, ..CustomersQuery::default() };
            let still: Vec<_> = all_pages(&customers, &query).into_iter().filter(|id| number(id) < 20).collect();
            let (mut moves, mut seen) = (moves.into_iter(), Vec::new());
            loop {
                let Page { items, next } = customers.page(&query);
                seen.extend(items.into_iter().map(|listed| listed.standing.customer.clone()));
                let Some(next) = next else { break };
                query.after = Risk::parse(&next.cursor());
                for (name, stage, pool, harm) in moves.by_ref().take(5) {
                    customers.take(standing(name, stage, pool, 0));
                    customers.rank(&worst.iter().skip(harm).map(|(name, times)| ranked(*name, *times)).collect::<Vec<_>>());
                }
            }
            seen.retain(|id| number(id) < 20);
            prop_assert_eq!(seen, still, "those with numbers below 20 stay where they are");
        }
    }

    fn number(id: &CustomerId) -> usize {
        id.as_str().strip_prefix("customer-").unwrap().parse().unwrap()
    }

    #[test]
    fn a_part_that_few_names_far_behind_have_is_found() {
        let mut customers = Customers::default();
        for number in 0..2 * WALKED {
            customers.take(standing(number, 0, 0, 0));
        }
        let far = CustomerId::new("needle").unwrap();
        customers.take(Standing { customer: far.clone(), sent_24h: 0, ..standing(0, 0, 0, 0) });
        let query = CustomersQuery { search: Some("EEDL".to_owned()), limit: 10, ..CustomersQuery::default() };
        assert_eq!(all_pages(&customers, &query), [far]);
        let query = CustomersQuery { search: Some("-40".to_owned()), limit: 5, ..CustomersQuery::default() };
        assert_eq!(all_pages(&customers, &query).len(), (1 + 10 + 96), "40, 400 to 409 and 4000 to 4095");
    }
}
