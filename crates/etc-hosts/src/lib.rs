//! Entries of `/etc/hosts`: of single addresses, and of the nodes of the project.
#![forbid(unsafe_code)]

mod names;
mod nodes;

use names::check_name;
use nodes::{nodes, settings};
use pallet_core::action::line_in_file::LineAction;
use pallet_core::prelude::*;

struct EtcHosts;

impl ConfigCrate for EtcHosts {
    const NAME: &'static str = "etc-hosts";
    const ABOUT: &'static str =
        "Entries of /etc/hosts, of single addresses and of the nodes of the project";
    const CAPABILITIES: Option<Capabilities<Patterns>> =
        Some(Capabilities { paths: &["/etc/hosts"], ..Capabilities::NOTHING });
    const SYSTEMS: &'static [&'static str] =
        &["debian", "ubuntu", "rocky", "opensuse-leap", "arch", "alpine"];

    fn functions() -> Vec<Function> {
        functions![settings, entry, nodes]
    }
}

pallet_core::export_crate!(EtcHosts);

parameters! {
    /// Gives names to an address.
    ///
    /// Example: `etc_hosts.entry(request, "192.0.2.10", names = ["db.example.com", "db"])`
    struct Entry {
        /// The address.
        address: String,
        /// Its names, the canonical one first. To remove every line of the address, omit them.
        #[serde(default)]
        names: Vec<String>,
        /// `create`, or `delete` the names.
        #[serde(default)]
        action: Existence,
    }
}

fn entry(request: &mut Request, entry: Entry) -> Result<()> {
    let Entry { address, names, action } = entry;
    names.iter().try_for_each(|name| check_name(name))?;
    let mut line = HostsEntry::new(address, names);
    if action == Existence::Delete {
        line.action = LineAction::Absent;
    }
    request.add(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_names() {
        let mut recorder = Recorder::<EtcHosts>::on("debian 12");
        recorder.call("entry", json!({"address": "192.0.2.9", "names": ["db.a", "db"]})).unwrap();
        assert_eq!(recorder.declared(), ["hosts_entry 192.0.2.9 db.a db"]);
        let wrong = json!({"address": "192.0.2.9", "names": ["a b"]});
        assert!(recorder.call("entry", wrong).is_err());
    }
}
