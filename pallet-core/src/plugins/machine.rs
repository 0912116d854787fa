//! The machine that plugins must be built for.

use std::collections::BTreeMap;
use std::fs;

/// The target of a plugin that runs everywhere: a crate in Starlark.
pub const ANY_TARGET: &str = "any";

/// The build for a machine's target, with the name of its own target.
pub fn build_for<'t, T>(
    targets: &'t BTreeMap<String, T>,
    machine: &str,
) -> Option<(&'t str, &'t T)> {
    let found = targets.get_key_value(machine).or_else(|| targets.get_key_value(ANY_TARGET));
    found.map(|(name, build)| (name.as_str(), build))
}

/// The machine that plugins must be built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The Rust target: `x86_64-unknown-linux-gnu`.
    pub target: String,
    /// The version of glibc that this process uses: `2.36`; `None` if unknown.
    pub glibc: Option<String>,
}

impl Machine {
    /// This machine.
    pub fn this() -> Self {
        Machine { target: Machine::target_of_this(), glibc: glibc() }
    }

    /// The Rust target of this machine.
    pub fn target_of_this() -> String {
        if cfg!(target_os = "macos") {
            return format!("{}-apple-darwin", std::env::consts::ARCH);
        }
        let libc = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
        format!("{}-unknown-{}-{libc}", std::env::consts::ARCH, std::env::consts::OS)
    }

    /// Why a build for a glibc does not run here; `None` if it runs, or if that is unknown.
    pub fn lacks(&self, glibc: Option<&str>) -> Option<String> {
        let (needed, ours) = (glibc?, self.glibc.as_deref()?);
        (numbers(needed)? > numbers(ours)?)
            .then(|| format!("needs glibc {needed}, but this machine has {ours}"))
    }
}

fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|word| word.parse().ok()).collect()
}

/// The version of the glibc that is mapped into this process: the highest version for which it
/// defines symbols.
fn glibc() -> Option<String> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps.lines().find_map(|line| {
        line.split_whitespace().nth(5).filter(|path| path.ends_with("/libc.so.6"))
    })?;
    let library = fs::read(path).ok()?;
    let mark = b"GLIBC_2.";
    let minors = library
        .windows(mark.len() + 3)
        .filter(|bytes| bytes.starts_with(mark))
        .filter_map(|bytes| {
            let digits: String = bytes[mark.len()..]
                .iter()
                .map(|byte| char::from(*byte))
                .take_while(char::is_ascii_digit)
                .collect();
            digits.parse::<u32>().ok()
        });
    minors.max().map(|minor| format!("2.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::Machine;

    #[test]
    fn a_build_for_a_newer_glibc_does_not_run() {
        let machine = Machine { target: String::new(), glibc: Some("2.36".into()) };
        assert_eq!(machine.lacks(Some("2.4")), None);
        assert_eq!(machine.lacks(Some("2.36")), None);
        assert_eq!(machine.lacks(None), None);
        assert_eq!(
            machine.lacks(Some("2.38")).unwrap(),
            "needs glibc 2.38, but this machine has 2.36"
        );
    }

    #[test]
    fn this_machine_is_known() {
        let machine = Machine::this();
        assert!(machine.target.contains("-unknown-linux-"), "{machine:?}");
        if cfg!(target_env = "gnu") {
            assert!(machine.glibc.unwrap().starts_with("2."));
        }
    }
}
