//! How processors run: with KVM, or emulated if KVM is missing or does not work.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pallet_core::prelude::*;

use crate::options::Accel;

/// How long a machine with KVM may be silent while it boots. If KVM exists but does not work, a
/// machine hangs without any output.
const SILENCE: Duration = Duration::from_secs(30);

/// How a machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Kvm,
    /// With KVM, and in emulation if that turns out not to work.
    TryKvm,
    Tcg,
}

impl Mode {
    /// The mode for the option on this machine.
    pub(crate) fn of(accel: Accel, arch: &str, data: &Path) -> Result<Mode, PluginError> {
        let opens = match fs::OpenOptions::new().read(true).write(true).open("/dev/kvm") {
            Ok(_) if arch == std::env::consts::ARCH => Ok(()),
            Ok(_) => Err(format!("this machine is not {arch}")),
            Err(error) => Err(format!("/dev/kvm: {error}")),
        };
        let failed = fs::read_to_string(mark(data)).is_ok_and(|mark| Some(mark) == boot_id());
        decide(accel, opens, failed)
    }
}

fn decide(accel: Accel, opens: Result<(), String>, failed: bool) -> Result<Mode, PluginError> {
    match (accel, opens) {
        (Accel::Kvm, Ok(())) => Ok(Mode::Kvm),
        (Accel::Kvm, Err(why)) => {
            let error = PluginError::unsupported(format!(
                "option `accel` is kvm, which is not available here: {why}"
            ));
            Err(error.with_help("use `accel = \"auto\"`, which emulates if there is no KVM"))
        }
        (Accel::Auto, Ok(())) if !failed => Ok(Mode::TryKvm),
        _ => Ok(Mode::Tcg),
    }
}

/// Whether an attempt with KVM has failed: the machine was silent for too long, or ended without
/// any output.
pub(crate) fn has_failed(runs: bool, ever_said: bool, silent: Duration) -> bool {
    if runs { silent >= SILENCE } else { !ever_said }
}

/// Records, until the next boot of this machine, that KVM does not work here.
pub(crate) fn remember_failure(data: &Path) {
    // if this fails, the next machine finds out again
    let _ = fs::write(mark(data), boot_id().unwrap_or_default());
}

fn mark(data: &Path) -> PathBuf {
    data.join("kvm-failed")
}

fn boot_id() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kvm_is_tried_where_it_opens_and_has_not_failed() {
        let no = || Err("no".to_owned());
        for (accel, opens, failed, wanted) in [
            (Accel::Auto, Ok(()), false, Mode::TryKvm),
            (Accel::Auto, Ok(()), true, Mode::Tcg),
            (Accel::Auto, no(), false, Mode::Tcg),
            (Accel::Kvm, Ok(()), true, Mode::Kvm),
            (Accel::Tcg, Ok(()), false, Mode::Tcg),
        ] {
            assert_eq!(decide(accel, opens, failed), Ok(wanted), "{accel:?}");
        }
        let error = decide(Accel::Kvm, no(), false).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.ends_with("is not available here: no"), "{error}");
        assert_eq!(Mode::of(Accel::Auto, "other", Path::new("/nowhere")), Ok(Mode::Tcg));
    }

    #[test]
    fn a_machine_that_says_nothing_has_failed() {
        let (short, long) = (Duration::from_secs(5), SILENCE);
        assert!(!has_failed(true, false, short) && !has_failed(true, true, short));
        assert!(has_failed(true, false, long) && has_failed(true, true, long));
        // a machine that ended at once; a machine that booted and was shut down
        assert!(has_failed(false, false, short) && !has_failed(false, true, short));
    }

    #[test]
    fn a_failure_is_remembered_until_the_next_boot() {
        let data = tempfile::tempdir().unwrap();
        remember_failure(data.path());
        assert_eq!(fs::read_to_string(mark(data.path())).ok(), boot_id());
        assert!(boot_id().is_some());
    }
}
