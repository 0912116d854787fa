//! The search: depth first, one plugin after the other, with backtracking to the next lower
//! version.

use std::collections::BTreeMap;

use semver::{Version, VersionReq};

use super::answer::{Answer, Question};
use super::conflict::{Chain, Conflict};
use super::known::{Candidate, Known, Root};
use super::package::Package;

/// A requirement.
#[derive(Debug, Clone)]
struct Demand {
    package: Package,
    requirement: VersionReq,
    /// Its origin: the root's name, then the versions that lead here.
    by: String,
    path: Vec<(Package, Version)>,
}

/// Why a branch of the search ends.
enum Stop {
    Needs(Question),
    Conflict(Conflict),
}

struct Search<'a> {
    known: &'a Known,
    preferred: &'a BTreeMap<Package, Version>,
}

/// Chooses one version of each plugin that `roots` require, directly or indirectly: a preferred
/// version if it works, else the highest.
pub fn resolve(roots: &[Root], known: &Known, preferred: &BTreeMap<Package, Version>) -> Answer {
    match search(roots, known, preferred) {
        // explain the conflict between the highest versions, not between those that happen to be
        // preferred
        Answer::Conflict(_) if !preferred.is_empty() => search(roots, known, &BTreeMap::new()),
        answer => answer,
    }
}

fn search(roots: &[Root], known: &Known, preferred: &BTreeMap<Package, Version>) -> Answer {
    let demand = |root: &Root| Demand {
        package: root.package.clone(),
        requirement: root.requirement.clone(),
        by: root.by.clone(),
        path: Vec::new(),
    };
    let search = Search { known, preferred };
    match search.complete(&roots.iter().map(demand).collect::<Vec<_>>(), &BTreeMap::new()) {
        Ok(chosen) => Answer::Solved(chosen),
        Err(Stop::Needs(question)) => Answer::Needs(question),
        Err(Stop::Conflict(conflict)) => Answer::Conflict(conflict),
    }
}

impl Search<'_> {
    /// Completes the chosen versions with one version of each plugin that is missing.
    fn complete(
        &self,
        demands: &[Demand],
        chosen: &BTreeMap<Package, Version>,
    ) -> Result<BTreeMap<Package, Version>, Stop> {
        for demand in demands {
            if let Some(version) = chosen.get(&demand.package)
                && !demand.requirement.matches(version)
            {
                return Err(self.conflict(&demand.package, demands));
            }
        }
        let Some(next) = demands.iter().find(|demand| !chosen.contains_key(&demand.package)) else {
            return Ok(chosen.clone());
        };
        let mut first: Option<Conflict> = None;
        for version in self.candidates(next, demands)? {
            let release = self.known.candidates.get(&(next.package.clone(), version.clone()));
            let requires = match release.ok_or_else(|| {
                Stop::Needs(Question::Candidate(next.package.clone(), version.clone()))
            })? {
                Candidate::Fits(requires) => requires,
                Candidate::Unfit(_) => continue,
            };
            let path: Vec<_> = next
                .path
                .iter()
                .cloned()
                .chain([(next.package.clone(), version.clone())])
                .collect();
            let mut demands = demands.to_vec();
            demands.extend(requires.iter().map(|requirement| Demand {
                package: Package::config_crate(&requirement.name),
                requirement: requirement.version.clone(),
                by: next.by.clone(),
                path: path.clone(),
            }));
            let mut chosen = chosen.clone();
            chosen.insert(next.package.clone(), version.clone());
            match self.complete(&demands, &chosen) {
                Err(Stop::Conflict(conflict)) => drop(first.get_or_insert(conflict)),
                end => return end,
            }
        }
        Err(first.map_or_else(|| self.conflict(&next.package, demands), Stop::Conflict))
    }

    /// The versions that satisfy all demands so far, in the order to try them.
    fn candidates(&self, next: &Demand, demands: &[Demand]) -> Result<Vec<Version>, Stop> {
        let question = || {
            Stop::Needs(Question::Versions {
                package: next.package.clone(),
                by: next.path.last().cloned(),
            })
        };
        let versions = self.known.versions.get(&next.package).ok_or_else(question)?;
        let wanted: Vec<_> =
            demands.iter().filter(|demand| demand.package == next.package).collect();
        let allowed =
            |version: &&Version| wanted.iter().all(|demand| demand.requirement.matches(version));
        let mut candidates: Vec<_> = versions.iter().filter(allowed).cloned().collect();
        candidates.sort_by(|a, b| b.cmp(a));
        if let Some(preferred) = self.preferred.get(&next.package) {
            // a stable sort: the preferred version first, the others in the same order
            candidates.sort_by_key(|version| version != preferred);
        }
        Ok(candidates)
    }

    fn conflict(&self, package: &Package, demands: &[Demand]) -> Stop {
        let chains =
            demands.iter().filter(|demand| demand.package == *package).map(|demand| Chain {
                by: demand.by.clone(),
                path: demand.path.clone(),
                requirement: demand.requirement.clone(),
            });
        let mut versions = self.known.versions.get(package).cloned().unwrap_or_default();
        versions.sort();
        let unfit =
            self.known.candidates.iter().filter_map(|((of, version), release)| match release {
                Candidate::Unfit(why) if of == package => Some((version.clone(), why.clone())),
                _ => None,
            });
        Stop::Conflict(Conflict {
            package: package.clone(),
            chains: chains.collect(),
            versions,
            unfit: unfit.collect(),
        })
    }
}
