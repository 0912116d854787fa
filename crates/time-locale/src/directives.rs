//! The text of chrony's configuration.

use std::fmt::Write;

use pallet_core::prelude::*;

use super::arguments::Chrony;
use super::sources::check_host;
use super::system::System;

pub(crate) fn render(chrony: &Chrony, nodes: &[String], system: &System) -> Result<String> {
    let Chrony { servers, pools, makestep, allow, local_stratum, .. } = chrony;
    ensure!(
        !servers.is_empty() || !pools.is_empty() || !nodes.is_empty() || local_stratum.is_some(),
        "chrony has no source of time: list servers or pools, or name a group that has other nodes"
    );
    let mut out = "# written by pallet\n".to_owned();
    for (kind, hosts) in [("server", servers.as_slice()), ("server", nodes), ("pool", pools)] {
        for host in hosts {
            check_host(host)?;
            writeln!(out, "{kind} {host} iburst{}", if chrony.nts { " nts" } else { "" })?;
        }
    }
    writeln!(out, "driftfile {}", system.drift)?;
    ensure!(
        makestep.threshold > 0.0 && makestep.threshold.is_finite() && makestep.limit >= -1,
        "makestep: the threshold must be above 0 seconds, and the limit -1 or more"
    );
    writeln!(out, "makestep {} {}", makestep.threshold, makestep.limit)?;
    if chrony.rtcsync && chrony.control_clock {
        out.push_str("rtcsync\n");
    }
    for network in allow {
        let good = |c: char| c.is_ascii_hexdigit() || ".:/".contains(c);
        ensure!(
            network == "all" || (!network.is_empty() && network.chars().all(good)),
            "{network:?} is no network: write it as 192.0.2.0/24, or all"
        );
        writeln!(out, "allow {network}")?;
    }
    if let Some(stratum) = local_stratum {
        ensure!((1..=15).contains(stratum), "local_stratum must be 1 to 15");
        writeln!(out, "local stratum {stratum}")?;
    }
    for line in &chrony.directives {
        ensure!(
            !line.trim().is_empty() && !line.contains(|c: char| c.is_control()),
            "the directive {line:?} is not one line"
        );
        writeln!(out, "{line}")?;
    }
    Ok(out)
}
