//! Finds reference entries by name, except actions and plugins.

use super::configuration::configuration;
use super::request::request;
use crate::reference::declarations::declarations;
use crate::reference::entry::DocEntry;

/// The entries with this name, or with this last part: `environment` finds `request.environment`
/// and the table `[environment]`.
pub(crate) fn named(name: &str, session: &[DocEntry]) -> Vec<DocEntry> {
    let all = declarations().into_iter().chain(session.iter().cloned()).chain(request());
    let mut found: Vec<DocEntry> = all.filter(|entry| entry.name == name).collect();
    let last = |entry: &DocEntry| {
        let plain = entry.name.trim_matches(['[', ']']);
        plain == name
            || plain.rsplit_once('.').is_some_and(|(table, last)| {
                (table == "request" && last == name) || (last == "NAME" && table == name)
            })
    };
    if name == "request" {
        found.extend(request());
    }
    if name == "pallet.toml" {
        found.extend(configuration());
    }
    found.extend(request().into_iter().chain(configuration()).filter(last));
    found.dedup_by(|one, other| one.name == other.name);
    found
}
