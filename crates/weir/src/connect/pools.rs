//! The pools that the policy names, and those that there are.

use std::path::Path;

use super::found::Pool;

/// What is known of pools, and what is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pools<'p> {
    /// Those at SendGrid, where the key may look.
    pub(super) found: Option<&'p [Pool]>,
    /// The policy's.
    pub(super) home: Option<&'p str>,
    pub(super) quarantine: &'p str,
    /// The policy's file; none for the one that Weir comes with.
    pub(super) policy_file: Option<&'p Path>,
    /// What is asked for by option.
    pub(super) wanted_home: Option<&'p str>,
    pub(super) wanted_quarantine: Option<&'p str>,
}

/// What is written about pools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PoolChange {
    /// A policy file of the operator's own: the one that Weir comes with, with these pools.
    MakePolicy { home: String, quarantine: String },
    /// The pool of healthy customers, in the policy's file.
    SetHome(String),
}

/// The change, and what an operator has to know.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PoolPlan {
    pub(super) change: Option<PoolChange>,
    pub(super) warnings: Vec<String>,
}

/// A pool is asked for that the policy's file names otherwise.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file} names {found:?} as the pool {key}, and {option} asks for {wanted:?}: change it there, or leave {option} out"
)]
pub(super) struct OtherPool {
    file: String,
    key: &'static str,
    option: &'static str,
    found: String,
    wanted: String,
}

impl Pools<'_> {
    pub(super) fn plan(&self) -> Result<PoolPlan, OtherPool> {
        let quarantine = self.wanted_quarantine.unwrap_or(self.quarantine);
        let home = self.wanted_home.or_else(|| self.likely_home(quarantine)).or(self.home);
        let change = match self.policy_file {
            None => self.made(home, quarantine),
            Some(file) => self.set(file)?,
        };
        let mut named = vec![quarantine];
        named.extend(home.filter(|home| *home != quarantine));
        Ok(PoolPlan { change, warnings: named.into_iter().filter_map(|pool| self.warning(pool)).collect() })
    }

    /// Where nobody chose: the only pool that there is beside the quarantine.
    fn likely_home(&self, quarantine: &str) -> Option<&str> {
        let found = self.found.filter(|_| self.policy_file.is_none())?;
        let mut others = found.iter().map(|pool| pool.name.as_str()).filter(|name| *name != quarantine);
        let only = others.next().filter(|_| others.next().is_none());
        if self.home.is_some_and(|home| self.exists(home)) { None } else { only }
    }

    fn made(&self, home: Option<&str>, quarantine: &str) -> Option<PoolChange> {
        let is_as_it_is = home == self.home && quarantine == self.quarantine;
        let home = home.filter(|_| !is_as_it_is)?;
        Some(PoolChange::MakePolicy { home: home.to_owned(), quarantine: quarantine.to_owned() })
    }

    fn set(&self, file: &Path) -> Result<Option<PoolChange>, OtherPool> {
        let other = |key, option, found: &str, wanted: &str| {
            let file = file.display().to_string();
            OtherPool { file, key, option, found: found.to_owned(), wanted: wanted.to_owned() }
        };
        if let Some(wanted) = self.wanted_quarantine.filter(|wanted| *wanted != self.quarantine) {
            return Err(other("quarantine", "--quarantine-pool", self.quarantine, wanted));
        }
        match (self.wanted_home, self.home) {
            (Some(wanted), Some(found)) if wanted != found => Err(other("home", "--home-pool", found, wanted)),
            (Some(wanted), None) => Ok(Some(PoolChange::SetHome(wanted.to_owned()))),
            _ => Ok(None),
        }
    }

    fn exists(&self, name: &str) -> bool {
        self.found.is_some_and(|found| found.iter().any(|pool| pool.name == name))
    }

    fn warning(&self, name: &str) -> Option<String> {
        let found = self.found?;
        match found.iter().find(|pool| pool.name == name) {
            None => Some(format!(
                "the policy names a pool {name:?}, which SendGrid does not have: make it there and put IPs into it, or name \
                 another (--home-pool, --quarantine-pool, or [pools] of the policy file)"
            )),
            Some(pool) if pool.ips.is_empty() => {
                Some(format!("pool {name:?} has no IP: put one into it before Weir moves anybody there"))
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str]) -> Vec<Pool> {
        names.iter().map(|&name| Pool { name: name.to_owned(), ips: vec!["192.0.2.1".to_owned()] }).collect()
    }

    fn pools(found: &[Pool]) -> Pools<'_> {
        Pools {
            found: Some(found),
            home: Some("good-1"),
            quarantine: "quarantine",
            policy_file: None,
            wanted_home: None,
            wanted_quarantine: None,
        }
    }

    fn made(home: &str, quarantine: &str) -> Option<PoolChange> {
        Some(PoolChange::MakePolicy { home: home.to_owned(), quarantine: quarantine.to_owned() })
    }

    #[test]
    fn pools_that_are_there_are_left_alone() {
        let found = found(&["good-1", "quarantine", "other"]);
        assert_eq!(pools(&found).plan().unwrap(), PoolPlan::default());
        let told = Pools { found: None, ..pools(&found) };
        assert_eq!(told.plan().unwrap(), PoolPlan::default(), "what can't be looked at is not warned of");
    }

    #[test]
    fn the_only_pool_beside_the_quarantine_is_the_home() {
        let two = found(&["shared", "quarantine"]);
        let plan = pools(&two).plan().unwrap();
        assert_eq!((plan.change, plan.warnings.len()), (made("shared", "quarantine"), 0));
        let three = found(&["shared", "quarantine", "other"]);
        let plan = pools(&three).plan().unwrap();
        assert_eq!((plan.change, plan.warnings.len()), (None, 1), "nobody knows which");
        let plan = Pools { wanted_home: Some("other"), ..pools(&three) }.plan().unwrap();
        assert_eq!((plan.change, plan.warnings.len()), (made("other", "quarantine"), 0));
    }

    #[test]
    fn a_pool_that_is_missing_or_empty_is_warned_of() {
        let mut found = found(&["good-1"]);
        assert!(pools(&found).plan().unwrap().warnings[0].contains("\"quarantine\""));
        found.push(Pool { name: "quarantine".to_owned(), ips: Vec::new() });
        assert!(pools(&found).plan().unwrap().warnings[0].contains("no IP"));
    }

    #[test]
    fn a_policy_file_keeps_what_it_says() {
        let found = found(&["good-1", "quarantine", "other"]);
        let with_file = Pools { policy_file: Some(Path::new("policy.toml")), ..pools(&found) };
        assert_eq!(with_file.plan().unwrap().change, None);
        let refused = Pools { wanted_home: Some("other"), ..with_file }.plan().unwrap_err();
        assert!(refused.to_string().contains("--home-pool"), "{refused}");
        assert!(Pools { wanted_quarantine: Some("other"), ..with_file }.plan().is_err());
        let without = Pools { home: None, wanted_home: Some("other"), ..with_file };
        assert_eq!(without.plan().unwrap().change, Some(PoolChange::SetHome("other".to_owned())));
    }
}
