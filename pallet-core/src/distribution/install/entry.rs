//! A plugin's entry in the lock: all its builds, and its signer.

use semver::Version;

use super::contents::Contents;
use super::requirements::requires;
use super::{InstallError, Session};
use crate::distribution::artifact::Plugin;
use crate::distribution::lock::{Accepted, LockedContent, LockedPlugin, LockedTarget, Origin};
use crate::distribution::resolve::Package;
use crate::distribution::signature::{Signed, Signer, SignerRule, verify};
use crate::distribution::trust::Subject;

impl Session<'_> {
    /// The lock entry for a version. `before` is the current entry of that plugin: the version must
    /// not have been replaced, nor signed by somebody else.
    pub(super) async fn entry(
        &mut self,
        package: &Package,
        origin: &Origin,
        version: &Version,
        before: Option<&LockedPlugin>,
        notes: &mut Vec<String>,
    ) -> Result<LockedPlugin, InstallError> {
        let repository = match self.place(origin).await? {
            Contents::Files(files) => return Ok(files.entry(origin)),
            Contents::Repository { repository, .. } => repository,
        };
        let plugin = self.plugin(origin, &*repository, version).await?;
        let mut rules = self.installer.trust.signers(origin);
        rules.extend(self.installer.decisions.signers.iter().cloned());
        // the previous signer comes first: a version may have several signatures
        if let Some(old) = before.and_then(|before| before.signer.clone()) {
            rules.insert(0, SignerRule::Only(old));
        }
        let signed =
            verify(&*repository, &plugin.index, &rules, &self.installer.trust.root).await?;
        let subject = Subject {
            name: package.name.clone(),
            version: version.clone(),
            source: origin.clone(),
        };
        let accepted =
            self.installer.trust.decide(subject, &signed, before, &self.installer.decisions)?;
        self.verified.insert(plugin.index);
        let signer = match signed {
            Signed::By(signer) => Some(signer),
            Signed::Unsigned | Signed::ByOthers(_) => None,
        };
        let entry = locked(&plugin, origin, signer, accepted);
        if let Some(before) =
            before.filter(|before| before.version == *version && before.source == *origin)
        {
            check_not_replaced(before, &entry, notes)?;
        }
        Ok(entry)
    }
}

/// Fails if a locked version has changed, except that it may gain builds.
pub(super) fn check_not_replaced(
    before: &LockedPlugin,
    now: &LockedPlugin,
    notes: &mut Vec<String>,
) -> Result<(), InstallError> {
    let (Some(locked), Some(found)) = (before.index, now.index) else { return Ok(()) };
    if locked == found {
        return Ok(());
    }
    if !before.grown(now) {
        return Err(InstallError::Replaced {
            plugin: now.to_string(),
            origin: now.source.clone(),
            found,
            locked,
        });
    }
    let gained: Vec<_> = now
        .targets
        .keys()
        .filter(|target| !before.targets.contains_key(*target))
        .map(String::as_str)
        .collect();
    if !gained.is_empty() {
        notes.push(format!("{now} now has builds for {}", gained.join(", ")));
    }
    Ok(())
}

/// Converts a plugin's index to a lock entry.
pub(super) fn locked(
    plugin: &Plugin,
    origin: &Origin,
    signer: Option<Signer>,
    accepted: Option<Accepted>,
) -> LockedPlugin {
    let target = |target: &crate::distribution::artifact::Target| LockedTarget {
        content: LockedContent::Manifest(target.manifest.digest),
        h1: target.h1.clone(),
    };
    LockedPlugin {
        kind: plugin.kind,
        name: plugin.name.clone(),
        version: plugin.version.clone(),
        source: origin.clone(),
        requirement: None,
        requires: requires(&plugin.requires),
        index: Some(plugin.index),
        signer,
        accepted,
        targets: plugin.targets.iter().map(|(name, found)| (name.clone(), target(found))).collect(),
    }
}
