//! What differs between systems.

use pallet_core::prelude::*;

/// Where the jobs of users are on one system.
pub(crate) struct Spools {
    /// The directory of crontabs, each named after its user.
    pub(crate) crontabs: &'static str,
    /// The directory of the jobs of `at`.
    pub(crate) at: &'static str,
}

pub(crate) const SPOOLS: SystemTable<Spools> = SystemTable(&[
    ("debian", Spools { crontabs: "/var/spool/cron/crontabs", at: "/var/spool/cron/atjobs" }),
    ("red_hat", Spools { crontabs: "/var/spool/cron", at: "/var/spool/at" }),
    ("suse", Spools { crontabs: "/var/spool/cron/tabs", at: "/var/spool/atjobs" }),
    ("arch", Spools { crontabs: "/var/spool/cron", at: "/var/spool/atd" }),
]);
