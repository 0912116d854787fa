//! Chooses versions, and writes them to a lock.

use std::collections::{BTreeMap, BTreeSet};

use semver::{Version, VersionReq};

use super::contents::Contents;
use super::{InstallError, Session, Wanted};
use crate::distribution::artifact::Plugin;
use crate::distribution::lock::{Lock, LockedPlugin, Origin};
use crate::distribution::resolve::{Answer, Candidate, Known, Package, Question, Root, resolve};
use crate::model::{ABI_VERSION, PluginKind};
use crate::plugins::build_for;

/// Which locked plugins may change even if they still fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlock {
    /// None.
    Nothing,
    /// All.
    All,
    /// Those with these names.
    Named(BTreeSet<String>),
}

/// A lock that fits the request.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// The lock.
    pub lock: Lock,
    /// Notes for the user: versions that were skipped, builds that a version gained.
    pub notes: Vec<String>,
}

/// What is known so far, while versions are chosen.
#[derive(Default)]
struct Choice {
    known: Known,
    /// Where each plugin comes from; `None`: it comes with Pallet.
    origins: BTreeMap<Package, Option<Origin>>,
}

impl Unlock {
    fn holds(&self, name: &str) -> bool {
        match self {
            Unlock::Nothing => false,
            Unlock::All => true,
            Unlock::Named(names) => names.contains(name),
        }
    }
}

impl Session<'_> {
    /// Why a lock does not match the request exactly; `None` if it does. Sends no requests.
    pub fn differs(&self, wanted: &[Wanted], lock: &Lock) -> Option<String> {
        let mut needed = BTreeSet::new();
        for wanted in wanted {
            let agrees = |locked: &&LockedPlugin| wanted.agrees(locked);
            let own = self.installer.own(wanted.kind, &wanted.name);
            match (lock.named(&wanted.name).find(agrees), lock.named(&wanted.name).next()) {
                (Some(locked), _) if locked.requirement.as_ref() == Some(&wanted.requirement) => {
                    needed.insert(locked.package());
                }
                (Some(locked), _) => {
                    return Some(format!(
                        "{} requires {} {}, but {locked} is locked for another requirement",
                        wanted.by, wanted.name, wanted.requirement
                    ));
                }
                (None, Some(locked)) => {
                    return Some(format!(
                        "{} requires {}, but {locked} from {} is locked",
                        wanted.by, wanted, locked.source
                    ));
                }
                (None, None)
                    if wanted.origin.is_none()
                        && own.is_some_and(|own| wanted.requirement.matches(&own.version)) => {}
                (None, None) => {
                    return Some(format!(
                        "{} requires {}, but it is not locked",
                        wanted.by, wanted
                    ));
                }
            }
        }
        let mut open: Vec<Package> = needed.iter().cloned().collect();
        while let Some(locked) = open.pop().and_then(|package| lock.get(&package)) {
            for (name, requirement) in &locked.requires {
                let package = Package::config_crate(name);
                match (lock.get(&package), self.installer.own(Some(PluginKind::Crate), name)) {
                    (Some(there), _) if requirement.matches(&there.version) => {
                        if needed.insert(package.clone()) {
                            open.push(package);
                        }
                    }
                    (None, Some(own)) if requirement.matches(&own.version) => {}
                    _ => {
                        return Some(format!(
                            "{locked} requires {name} {requirement}, which is not locked"
                        ));
                    }
                }
            }
        }
        let loose = lock.plugins().find(|locked| !needed.contains(&locked.package()));
        loose.map(|locked| format!("{locked} is locked, but nothing requires it"))
    }

    /// Locks the requested plugins and all that they require. Keeps the entries of `lock` if
    /// possible.
    pub async fn choose(
        &mut self,
        wanted: &[Wanted],
        lock: &Lock,
        unlock: &Unlock,
    ) -> Result<Chosen, InstallError> {
        if *unlock == Unlock::Nothing && self.differs(wanted, lock).is_none() {
            return Ok(Chosen { lock: lock.clone(), notes: Vec::new() });
        }
        let mut choice = Choice::default();
        let mut roots: Vec<(Root, &Wanted)> = Vec::new();
        for wanted in wanted {
            let Some(located) = self.locate(wanted, lock).await? else { continue };
            choice.origins.insert(located.package.clone(), Some(located.origin));
            roots.push((
                Root {
                    package: located.package,
                    requirement: wanted.requirement.clone(),
                    by: wanted.by.clone(),
                },
                wanted,
            ));
        }
        let requirements: BTreeMap<Package, VersionReq> = roots
            .iter()
            .map(|(root, _)| (root.package.clone(), root.requirement.clone()))
            .collect();
        let roots: Vec<Root> = roots.into_iter().map(|(root, _)| root).collect();
        let stays = |locked: &&LockedPlugin| {
            let origin = choice.origins.get(&locked.package());
            !unlock.holds(&locked.name)
                && origin.is_none_or(|origin| origin.as_ref() == Some(&locked.source))
        };
        let staying: BTreeMap<Package, LockedPlugin> =
            lock.plugins().filter(stays).map(|locked| (locked.package(), locked.clone())).collect();
        let versions = self.versions_of(&roots, &mut choice, &staying).await?;
        let mut chosen = Chosen { lock: Lock::default(), notes: Vec::new() };
        for (package, version) in versions {
            let Some(origin) = choice.origins.get(&package).cloned().flatten() else { continue };
            let requirement = requirements.get(&package).cloned();
            match staying
                .get(&package)
                .filter(|locked| locked.version == version && locked.source == origin)
            {
                Some(locked) => chosen.lock.insert(LockedPlugin { requirement, ..locked.clone() }),
                None => {
                    let entry = self
                        .entry(&package, &origin, &version, lock.get(&package), &mut chosen.notes)
                        .await?;
                    chosen.lock.insert(LockedPlugin { requirement, ..entry });
                }
            }
            chosen.notes.extend(passed_over(
                &choice.known,
                &package,
                &version,
                requirements.get(&package),
            ));
        }
        Ok(chosen)
    }

    /// One version of each plugin. First it tries to keep all locked versions, without requests for
    /// them; if that fails, it considers all versions.
    async fn versions_of(
        &mut self,
        roots: &[Root],
        choice: &mut Choice,
        staying: &BTreeMap<Package, LockedPlugin>,
    ) -> Result<BTreeMap<Package, Version>, InstallError> {
        for locked in staying.values() {
            let package = locked.package();
            choice.origins.entry(package.clone()).or_insert_with(|| Some(locked.source.clone()));
            choice.known.versions.insert(package.clone(), vec![locked.version.clone()]);
            choice
                .known
                .candidates
                .insert((package, locked.version.clone()), Candidate::Fits(locked.requirements()));
        }
        let preferred = staying
            .iter()
            .map(|(package, locked)| (package.clone(), locked.version.clone()))
            .collect();
        let mut pinned = !staying.is_empty();
        loop {
            match resolve(roots, &choice.known, &preferred) {
                Answer::Solved(versions) => return Ok(versions),
                Answer::Needs(question) => self.answer(question, choice).await?,
                Answer::Conflict(_) if pinned => {
                    pinned = false;
                    choice.known.versions.retain(|package, _| !staying.contains_key(package));
                }
                Answer::Conflict(conflict) => {
                    return Err(InstallError::Conflict(Box::new(conflict)));
                }
            }
        }
    }

    async fn answer(
        &mut self,
        question: Question,
        choice: &mut Choice,
    ) -> Result<(), InstallError> {
        match question {
            Question::Versions { package, by } => {
                let origin = match (choice.origins.get(&package), &by) {
                    (Some(origin), _) => origin.clone(),
                    (None, Some(by)) => {
                        let beside = choice.origins.get(&by.0).cloned().flatten();
                        self.locate_required(&package, by, beside.as_ref()).await?
                    }
                    (None, None) => None,
                };
                let versions = match &origin {
                    Some(origin) => self.versions(origin).await?,
                    None => self
                        .installer
                        .own(Some(package.kind), &package.name)
                        .map(|own| own.version.clone())
                        .into_iter()
                        .collect(),
                };
                choice.origins.insert(package.clone(), origin);
                choice.known.versions.insert(package, versions);
            }
            Question::Candidate(package, version) => {
                let release = match choice.origins.get(&package).cloned().flatten() {
                    Some(origin) => self.release(&package, &origin, &version).await?,
                    None => {
                        let own = self.installer.own(Some(package.kind), &package.name);
                        Candidate::Fits(own.map(|own| own.requires.clone()).unwrap_or_default())
                    }
                };
                choice.known.candidates.insert((package, version), release);
            }
        }
        Ok(())
    }

    async fn release(
        &mut self,
        package: &Package,
        origin: &Origin,
        version: &Version,
    ) -> Result<Candidate, InstallError> {
        match self.place(origin).await? {
            Contents::Files(files) => Ok(Candidate::Fits(files.summary.requires.clone())),
            Contents::Repository { repository, .. } => {
                let plugin = self.plugin(origin, &*repository, version).await?;
                if (plugin.kind, &plugin.name) != (package.kind, &package.name) {
                    let message = format!(
                        "it should contain the {package}, but contains {} {}",
                        plugin.name, plugin.version
                    );
                    return Err(InstallError::Wrong { origin: origin.clone(), message });
                }
                Ok(match self.unfit(&plugin) {
                    Some(why) => Candidate::Unfit(why),
                    None => Candidate::Fits(plugin.requires),
                })
            }
        }
    }

    /// Why a version does not work on this machine.
    fn unfit(&self, plugin: &Plugin) -> Option<String> {
        let ours: u64 =
            ABI_VERSION.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default();
        if plugin.abi != ours {
            return Some(format!("is for ABI {}, but this pallet has ABI {ours}", plugin.abi));
        }
        let machine = &self.installer.machine;
        match build_for(&plugin.targets, &machine.target) {
            Some((_, target)) => machine.lacks(target.glibc.as_deref()),
            None => {
                let there: Vec<_> = plugin.targets.keys().map(String::as_str).collect();
                Some(format!("has no build for {}, only for {}", machine.target, there.join(", ")))
            }
        }
    }
}

/// Notes on versions that were skipped because they do not work on this machine.
fn passed_over(
    known: &Known,
    package: &Package,
    chosen: &Version,
    requirement: Option<&VersionReq>,
) -> Vec<String> {
    let unfit = known.candidates.iter().filter_map(|((of, version), release)| match release {
        Candidate::Unfit(why)
            if of == package
                && version > chosen
                && requirement.is_none_or(|requirement| requirement.matches(version)) =>
        {
            Some(format!("{} {version} is skipped: it {why}", package.name))
        }
        _ => None,
    });
    unfit.collect()
}
