//! What the resolver uses, and how its owners are told.

use std::fmt::Write;

use pallet_core::prelude::*;

/// What the resolver uses, checked.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) servers: Vec<String>,
    pub(crate) search: Vec<String>,
    pub(crate) options: Vec<String>,
}

impl Wanted {
    /// The lines of a resolv.conf.
    pub(crate) fn resolv_conf(&self) -> Result<String> {
        let mut out = "# written by pallet\n".to_owned();
        for server in &self.servers {
            writeln!(out, "nameserver {server}")?;
        }
        for (name, words) in [("search", &self.search), ("options", &self.options)] {
            if !words.is_empty() {
                writeln!(out, "{name} {}", words.join(" "))?;
            }
        }
        Ok(out)
    }

    /// A part of systemd-resolved's configuration.
    pub(crate) fn resolved_conf(&self) -> String {
        // the empty lines remove what earlier files add
        let mut out =
            format!("# written by pallet\n[Resolve]\nDNS=\nDNS={}\n", self.servers.join(" "));
        // DHCP brings others, which would be asked too
        let domains = match self.search.join(" ") {
            domains if domains.is_empty() => "~.".to_owned(),
            domains => format!("{domains} ~."),
        };
        out.push_str(&format!("Domains=\nDomains={domains}\n"));
        out
    }
}
