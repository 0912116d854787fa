//! What differs between systems: the user and the group that rotate logs in a directory that more
//! than root may write to.

use pallet_core::prelude::*;

/// A system's own defaults.
pub(crate) struct System {
    /// The line `su` of its logrotate.conf.
    pub(crate) su: Option<&'static str>,
}

pub(crate) const SYSTEMS: SystemTable<System> = SystemTable(&[
    // its /var/log belongs to the group syslog
    ("ubuntu", System { su: Some("root adm") }),
    ("debian", System { su: None }),
    ("red_hat", System { su: None }),
    ("suse", System { su: None }),
    ("arch", System { su: None }),
    ("alpine", System { su: None }),
]);
