//! Whether what is found on a node is what was predicted, which leaves open what could not be
//! known.

use super::{
    Attributes, FileState, GroupState, NodeState, PackageState, Reading, ServiceState, UserState,
};

impl NodeState {
    /// Where `observed` is not what this state predicted, one line each. What this state does not
    /// know it does not predict.
    pub fn contradictions(&self, observed: &NodeState) -> Vec<String> {
        let mut found = Vec::new();
        for (path, predicted) in &self.files {
            if let Some(seen) = observed.files.get(path).filter(|seen| !predicted.could_be(seen)) {
                found.push(format!("file {path}: predicted {predicted:?}, found {seen:?}"));
            }
        }
        for (name, predicted) in &self.packages {
            if let Some(seen) = observed.packages.get(name).filter(|seen| !predicted.allows(seen)) {
                found.push(format!("package {name}: predicted {predicted:?}, found {seen:?}"));
            }
        }
        for (name, predicted) in &self.services {
            if let Some(seen) = observed.services.get(name).filter(|seen| !predicted.allows(seen)) {
                found.push(format!("service {name}: predicted {predicted:?}, found {seen:?}"));
            }
        }
        for (name, predicted) in &self.users {
            let Some(seen) = observed.users.get(name) else { continue };
            let allowed = match (predicted, seen) {
                (Some(predicted), Some(seen)) => predicted.allows(seen),
                (predicted, seen) => predicted.is_none() == seen.is_none(),
            };
            if !allowed {
                found.push(format!("user {name}: predicted {predicted:?}, found {seen:?}"));
            }
        }
        for (name, predicted) in &self.groups {
            let Some(seen) = observed.groups.get(name) else { continue };
            let gid = |state: &Option<GroupState>| state.as_ref().and_then(|group| group.gid);
            if predicted.is_none() != seen.is_none()
                || gid(predicted).is_some_and(|gid_| Some(gid_) != gid(seen))
            {
                found.push(format!("group {name}: predicted {predicted:?}, found {seen:?}"));
            }
        }
        for (script, predicted) in &self.commands {
            if let Some(seen) = observed.commands.get(script).filter(|seen| *seen != predicted) {
                found.push(format!("command {script:?}: predicted {predicted:?}, found {seen:?}"));
            }
        }
        for (script, predicted) in &self.readings {
            let same =
                |seen: &&Reading| (seen.exit, &seen.output) == (predicted.exit, &predicted.output);
            if let Some(seen) = observed.readings.get(script).filter(|seen| !same(seen)) {
                found.push(format!(
                    "what {script:?} prints: predicted {predicted:?}, found {seen:?}"
                ));
            }
        }
        found
    }
}

impl FileState {
    /// Whether `seen` is one of the states that this one, with what it leaves open, allows.
    pub fn allows(&self, seen: &FileState) -> bool {
        match (self, seen) {
            (
                FileState::File { digest, attributes, .. },
                FileState::File { digest: seen_digest, attributes: seen_attributes, .. },
            ) => open_or_same(digest, seen_digest) && attributes.allows(seen_attributes),
            (FileState::Directory(wanted), FileState::Directory(seen))
            | (FileState::Fifo(wanted), FileState::Fifo(seen)) => wanted.allows(seen),
            (wanted, seen) => wanted == seen,
        }
    }
}

impl FileState {
    /// The same, where a digest that was not asked for contradicts nothing.
    fn could_be(&self, seen: &FileState) -> bool {
        match (self, seen) {
            (
                FileState::File { attributes, .. },
                FileState::File { digest: None, attributes: seen, .. },
            ) => attributes.allows(seen),
            (predicted, seen) => predicted.allows(seen),
        }
    }
}

impl Attributes {
    /// Whether `seen` is one of the attributes that these, with what they leave open, allow.
    pub fn allows(&self, seen: &Attributes) -> bool {
        open_or_same(&self.owner, &seen.owner)
            && open_or_same(&self.group, &seen.group)
            && open_or_same(&self.mode, &seen.mode)
    }

    /// These, with what they leave open taken from `base`.
    pub fn or(&self, base: &Attributes) -> Attributes {
        Attributes {
            owner: self.owner.clone().or_else(|| base.owner.clone()),
            group: self.group.clone().or_else(|| base.group.clone()),
            mode: self.mode.or(base.mode),
        }
    }
}

impl PackageState {
    /// Whether `seen` is one of the states that this one, with what it leaves open, allows.
    pub fn allows(&self, seen: &PackageState) -> bool {
        match (self, seen) {
            (PackageState::Installed { version }, PackageState::Installed { version: seen }) => {
                match (version, seen) {
                    (Some(wanted), Some(seen)) => is_version(wanted, seen),
                    (wanted, _) => wanted.is_none(),
                }
            }
            (PackageState::Removed, PackageState::Absent) => true,
            (wanted, seen) => wanted == seen,
        }
    }
}

impl ServiceState {
    /// Whether `seen` is one of the states that this one, with what it leaves open, allows.
    pub fn allows(&self, seen: &ServiceState) -> bool {
        // a plain process that was stopped is not known to anything any more
        let exists = self.exists == seen.exists || !self.running;
        let enabled =
            self.enabled.is_none() || seen.enabled.is_none() || self.enabled == seen.enabled;
        exists && self.running == seen.running && enabled
    }
}

impl UserState {
    /// Whether `seen` is one of the states that this one, with what it leaves open, allows.
    pub fn allows(&self, seen: &UserState) -> bool {
        open_or_same(&self.uid, &seen.uid)
            && open_or_same(&self.group, &seen.group)
            && open_or_same(&self.groups, &seen.groups)
            && open_or_same(&self.comment, &seen.comment)
            && open_or_same(&self.home, &seen.home)
            && open_or_same(&self.shell, &seen.shell)
            && open_or_same(&self.locked, &seen.locked)
    }
}

/// Whether `seen` is the version `wanted`, which may leave its epoch and its release open, and end
/// with `*`.
fn is_version(wanted: &str, seen: &str) -> bool {
    let matches = |seen: &str| match wanted.strip_suffix('*') {
        Some(start) => seen.starts_with(start),
        None => {
            seen.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        }
    };
    matches(seen) || seen.split_once(':').is_some_and(|(_, seen)| matches(seen))
}

fn open_or_same<T: PartialEq>(wanted: &Option<T>, seen: &Option<T>) -> bool {
    wanted.is_none() || wanted == seen
}
