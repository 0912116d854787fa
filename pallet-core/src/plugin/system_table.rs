//! What differs between systems, in one table: names of packages and services, versions, paths.

use crate::model::{Os, OsFamily};

/// A table with a row for each kind of system.
///
/// A row is for a distribution with or without a version (`debian 12`, `rocky 9`, `ubuntu`), or for
/// a family of distributions (`debian`, `red_hat`, `suse`, `arch`, `alpine`). The first row that
/// fits a system is its own, so special rows come before general ones.
///
/// ```
/// use pallet_core::plugin::SystemTable;
///
/// struct Names { package: &'static str, service: &'static str }
///
/// const NAMES: SystemTable<Names> = SystemTable(&[
///     ("debian", Names { package: "redis-server", service: "redis-server" }),
///     ("red_hat", Names { package: "redis", service: "redis" }),
/// ]);
/// # let rocky = pallet_core::model::Os::named("rocky 9", "x86_64");
/// assert_eq!(NAMES.row(&rocky).unwrap().package, "redis");
/// # assert_eq!(NAMES.row(&rocky).unwrap().service, "redis");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SystemTable<T: 'static>(pub &'static [(&'static str, T)]);

impl<T> SystemTable<T> {
    /// The row of a system.
    pub fn row(&self, os: &Os) -> anyhow::Result<&'static T> {
        let row = self.0.iter().find(|(name, _)| fits(name, os));
        row.map(|(_, row)| row).ok_or_else(|| {
            let names: Vec<_> = self.0.iter().map(|(name, _)| *name).collect();
            anyhow::anyhow!("{os} is not supported; supported are {}", names.join(", "))
        })
    }
}

fn fits(name: &str, os: &Os) -> bool {
    let (id, version) = name.split_once(' ').unwrap_or((name, ""));
    if version.is_empty() {
        return id == os.id || (os.family != OsFamily::Unknown && id == os.family.as_str());
    }
    let rest = os.version.strip_prefix(version);
    id == os.id && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: SystemTable<u8> =
        SystemTable(&[("debian 12", 1), ("ubuntu", 2), ("debian", 3), ("rocky 9", 4)]);

    fn row(system: &str) -> Option<u8> {
        TABLE.row(&Os::named(system, "x86_64")).ok().copied()
    }

    #[test]
    fn the_first_row_that_fits_is_taken() {
        assert_eq!(row("debian 12"), Some(1));
        assert_eq!(row("debian 13"), Some(3));
        assert_eq!(row("ubuntu 24.04"), Some(2));
        assert_eq!(row("linuxmint 22"), Some(3), "by its family");
        assert_eq!(row("rocky 9.4"), Some(4));
        assert_eq!(row("rocky 90"), None);
    }

    #[test]
    fn what_is_not_supported_is_named() {
        let error = TABLE.row(&Os::named("arch", "x86_64")).unwrap_err().to_string();
        assert_eq!(
            error,
            "arch (x86_64) is not supported; supported are debian 12, ubuntu, debian, rocky 9"
        );
    }
}
