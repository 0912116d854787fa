//! Shell text: quoting, building, and the differences between systems. POSIX `sh` only, and no I/O
//! here.
//!
//! How the script of a change runs: the applying script defines the functions of [`LIBRARY`] that
//! are needed, once, and sets `incoming` to the directory with the uploads, which are named by
//! their digests. Each change runs in a subshell of its own, never inside a condition, where
//! `set -e` would have no effect:
//!
//! ```sh
//! ( set -e; change= drift=
//! <the script of the change>
//! <report "$change", which is 1 if anything was changed, and "$drift", which is 1 if something
//! changed by hand is kept> ) </dev/null
//! ```
//!
//! So a script stops at the first command that fails. It calls `changed` whenever it changed
//! something, and `drifted` when it kept a change that was made by hand. Its variables and
//! functions are gone afterwards. It must not set traps, since the subshell may have some.
//! Neighbouring scripts that only put a file in place share a subshell, where new files wait for
//! each other (`library/batch.sh`).

#[cfg(test)]
mod batch_tests;
mod builder;
#[cfg(test)]
mod escape_tests;
mod flag;
mod library;
#[cfg(test)]
mod limit_tests;
pub mod locales;
pub mod packages;
mod quote;
pub mod services;
mod shell;
#[cfg(test)]
pub(crate) mod shells;

pub use builder::Script;
pub use flag::{FLAGS, flag_file, flag_of_file};
pub use library::{Library, library_for};
pub use quote::quote;
pub(crate) use shell::piped;
pub use shell::{shell, strict_shell};

pub(crate) const PACKAGE_LISTS: &str = include_str!("shared/package_lists.sh");
pub(crate) const PROVIDES: &str = include_str!("shared/provides.sh");
pub(crate) const DEBCONF: &str = include_str!("shared/debconf.sh");
pub(crate) const PROCESS: &str = include_str!("shared/process.sh");
pub(crate) const INIT: &str = include_str!("shared/init.sh");
pub(crate) const RUNIT: &str = include_str!("shared/runit.sh");
pub(crate) const UNIT: &str = include_str!("shared/unit.sh");
pub(crate) const SED: &str = include_str!("shared/sed.sh");
pub(crate) const ESCAPES: &str = include_str!("shared/escapes.sh");
pub(crate) const DEVICE: &str = include_str!("shared/device.sh");
pub(crate) const SWAP: &str = include_str!("shared/swap.sh");
pub(crate) const FILESYSTEM: &str = include_str!("shared/filesystem.sh");
pub(crate) const MODULES: &str = include_str!("shared/modules.sh");

/// Shell functions for the scripts of changes. Each applying script begins with those that it
/// needs: [`library_for`].
pub const LIBRARY: &str = concat!(
    include_str!("library/base.sh"),
    include_str!("library/clean.sh"),
    include_str!("library/limit.sh"),
    include_str!("library/reboot.sh"),
    include_str!("library/secrets.sh"),
    include_str!("library/place.sh"),
    include_str!("library/agent.sh"),
    include_str!("library/files.sh"),
    include_str!("library/batch.sh"),
    include_str!("library/written.sh"),
    include_str!("library/download.sh"),
    include_str!("library/archives.sh"),
    include_str!("library/mirror.sh"),
    include_str!("library/edit.sh"),
    include_str!("library/programs.sh"),
    include_str!("library/hosts.sh"),
    include_str!("library/known_hosts.sh"),
    include_str!("library/locale.sh"),
    include_str!("library/packages.sh"),
    include_str!("shared/package_lists.sh"),
    include_str!("shared/provides.sh"),
    include_str!("shared/debconf.sh"),
    include_str!("library/services.sh"),
    include_str!("shared/process.sh"),
    include_str!("shared/init.sh"),
    include_str!("shared/runit.sh"),
    include_str!("shared/sed.sh"),
    include_str!("shared/unit.sh"),
    include_str!("library/users.sh"),
    include_str!("library/system.sh"),
    include_str!("shared/modules.sh"),
    include_str!("shared/escapes.sh"),
    include_str!("shared/device.sh"),
    include_str!("library/device.sh"),
    include_str!("shared/swap.sh"),
    include_str!("library/swap.sh"),
    include_str!("shared/filesystem.sh"),
    include_str!("library/filesystem.sh"),
);
