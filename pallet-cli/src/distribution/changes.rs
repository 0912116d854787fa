//! The differences between two locks, as text and JSON.

use pallet_core::distribution::lock::{Accepted, Lock, LockedPlugin};
use serde_json::{Value, json};

/// The differences between an old and a new lock.
pub(crate) struct Changes<'a>(Vec<PluginChange<'a>>);

/// The difference in one plugin.
struct PluginChange<'a> {
    old: Option<&'a LockedPlugin>,
    new: Option<&'a LockedPlugin>,
    /// What it may do to nodes, in words; of an updated plugin, only what is new.
    may: Vec<String>,
}

impl<'a> Changes<'a> {
    /// Compares two locks.
    pub(crate) fn between(old: &'a Lock, new: &'a Lock) -> Self {
        let mut packages: Vec<_> =
            old.plugins().chain(new.plugins()).map(LockedPlugin::package).collect();
        packages.sort();
        packages.dedup();
        let pairs = packages.iter().map(|package| PluginChange {
            old: old.get(package),
            new: new.get(package),
            may: Vec::new(),
        });
        Changes(pairs.filter(|change| change.old != change.new).collect())
    }

    /// Adds what each new or updated plugin may do.
    pub(crate) fn with<E>(
        mut self,
        may: impl Fn(&LockedPlugin, Option<&LockedPlugin>) -> Result<Vec<String>, E>,
    ) -> Result<Self, E> {
        for change in &mut self.0 {
            if let Some(new) =
                change.new.filter(|new| change.old.is_none_or(|old| old.targets != new.targets))
            {
                change.may = may(new, change.old)?;
            }
        }
        Ok(self)
    }

    /// Whether the locks are equal.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A line for each change, and one for each thing that the plugin may do.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for PluginChange { old, new, may } in &self.0 {
            lines.push(match (old, new) {
                (None, Some(new)) => format!("+ {new} from {}; {}", new.source, signer(new)),
                (Some(old), None) => format!("- {old}"),
                (Some(old), Some(new)) if old.version != new.version => {
                    format!(
                        "~ {} {} -> {} from {}; {}",
                        new.name,
                        old.version,
                        new.version,
                        new.source,
                        signer(new)
                    )
                }
                (_, Some(new)) => format!("~ {new} from {}; {}", new.source, signer(new)),
                (None, None) => continue,
            });
            let how = if old.is_some() { "may now do" } else { "may do" };
            lines.extend(may.iter().map(|may| format!("    {how}: {may}")));
        }
        lines
    }

    /// The changes as JSON.
    pub(crate) fn json(&self) -> Value {
        let value = |PluginChange { old, new, may }: &PluginChange<'_>| {
            let any = new.or(*old);
            json!({
                "kind": any.map(|plugin| plugin.kind),
                "name": any.map(|plugin| &plugin.name),
                "from": old.map(|old| &old.version),
                "to": new.map(|new| &new.version),
                "source": new.map(|new| new.source.to_string()),
                "signer": new.and_then(|new| new.signer.as_ref()).map(ToString::to_string),
                "accepted": new.and_then(|new| new.accepted),
                "may": may,
            })
        };
        self.0.iter().map(value).collect()
    }
}

/// Who signed a plugin, in words.
pub(crate) fn signer(plugin: &LockedPlugin) -> String {
    match (&plugin.signer, plugin.accepted) {
        (Some(signer), None) => format!("signed by {signer}"),
        (Some(signer), Some(_)) => format!("signed by {signer}, accepted explicitly"),
        (None, Some(Accepted::Unsigned | Accepted::Signer)) => {
            "not signed, accepted explicitly".to_owned()
        }
        (None, None) => "local file, by digest".to_owned(),
    }
}
