//! How two locks differ, for a person and for a program.

use pallet_core::registry::lock::{Accepted, Lock, LockedPlugin};
use serde_json::{Value, json};

/// How a new lock differs from an old one.
pub(crate) struct Changes<'a> {
    pairs: Vec<(Option<&'a LockedPlugin>, Option<&'a LockedPlugin>)>,
}

impl<'a> Changes<'a> {
    /// What differs.
    pub(crate) fn between(old: &'a Lock, new: &'a Lock) -> Self {
        let mut packages: Vec<_> = old.plugins().chain(new.plugins()).map(LockedPlugin::package).collect();
        packages.sort();
        packages.dedup();
        let pairs = packages.iter().map(|package| (old.get(package), new.get(package)));
        Changes { pairs: pairs.filter(|(old, new)| old != new).collect() }
    }

    /// Whether nothing does.
    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The plugins that are in both, in another version.
    pub(crate) fn upgrades(&self) -> impl Iterator<Item = (&'a LockedPlugin, &'a LockedPlugin)> {
        self.pairs.iter().filter_map(|(old, new)| (*old).zip(*new)).filter(|(old, new)| old.targets != new.targets)
    }

    /// The plugins that are new.
    pub(crate) fn additions(&self) -> impl Iterator<Item = &'a LockedPlugin> {
        self.pairs.iter().filter(|(old, _)| old.is_none()).filter_map(|(_, new)| *new)
    }

    /// A line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |pair: &(Option<&LockedPlugin>, Option<&LockedPlugin>)| match pair {
            (None, Some(new)) => format!("+ {new} from {}; {}", new.source, signer(new)),
            (Some(old), None) => format!("- {old}"),
            (Some(old), Some(new)) if old.version != new.version => format!("~ {} {} -> {} from {}; {}", new.name, old.version, new.version, new.source, signer(new)),
            (_, Some(new)) => format!("~ {new} from {}; {}", new.source, signer(new)),
            (None, None) => String::new(),
        };
        self.pairs.iter().map(line).collect()
    }

    /// The same for a program.
    pub(crate) fn json(&self) -> Value {
        let value = |(old, new): &(Option<&LockedPlugin>, Option<&LockedPlugin>)| {
            let any = new.or(*old);
            json!({
                "kind": any.map(|plugin| plugin.kind),
                "name": any.map(|plugin| &plugin.name),
                "from": old.map(|old| &old.version),
                "to": new.map(|new| &new.version),
                "source": new.map(|new| new.source.to_string()),
                "signer": new.and_then(|new| new.signer.as_ref()),
                "accepted": new.and_then(|new| new.accepted),
            })
        };
        self.pairs.iter().map(value).collect()
    }
}

/// Who signed a plugin, as far as a person wants to know.
pub(crate) fn signer(plugin: &LockedPlugin) -> String {
    match (&plugin.signer, plugin.accepted) {
        (Some(signer), None) => format!("signed by {signer}"),
        (Some(signer), Some(_)) => format!("signed by {signer}, accepted by decision"),
        (None, Some(Accepted::Unsigned | Accepted::Signer)) => "not signed, accepted by decision".to_owned(),
        (None, None) => "from a file, by its digest".to_owned(),
    }
}
