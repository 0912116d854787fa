//! What differs between systems: the user and the group that rotate logs in a directory that more
//! than root may write to, and the files that the package manager leaves among the rules.

use pallet_core::prelude::*;

/// A system's own defaults.
pub(crate) struct System {
    /// The line `su` of its logrotate.conf.
    pub(crate) su: Option<&'static str>,
    /// How files end that its package manager puts beside a changed one, and that logrotate itself
    /// does not know for copies.
    pub(crate) taboo: Option<&'static str>,
}

const PLAIN: System = System { su: None, taboo: None };

pub(crate) const SYSTEMS: SystemTable<System> = SystemTable(&[
    // its /var/log belongs to the group syslog
    ("ubuntu", System { su: Some("root adm"), ..PLAIN }),
    ("debian", PLAIN),
    ("red_hat", PLAIN),
    ("suse", PLAIN),
    ("arch", System { taboo: Some(".pacorig .pacnew .pacsave"), ..PLAIN }),
    ("alpine", System { taboo: Some(".apk-new"), ..PLAIN }),
]);
