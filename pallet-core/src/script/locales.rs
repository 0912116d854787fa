//! The differences between systems in how locales are generated, and where the default ones stand.
//! `library/locale.sh` is the shell part.

use thiserror::Error;

use crate::model::{Os, OsFamily};

/// The system has no locales to generate, or how is not known.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct LocalesError(String);

/// How a system generates locales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocaleGeneration {
    /// `locale-gen`, which generates what stands in /etc/locale.gen, or `localedef`.
    pub tool: &'static str,
    /// The package with the tool or with the sources of locales.
    pub package: &'static str,
}

/// Where the default locale of Debian stood until Debian 13, where it is a link.
pub const DEBIAN_DEFAULTS: &str = "/etc/default/locale";

/// Where the default locale stands.
pub const DEFAULTS: &str = "/etc/locale.conf";

/// How this system generates locales.
pub fn generation(os: &Os) -> Result<LocaleGeneration, LocalesError> {
    let (tool, package) = match os.family {
        OsFamily::Debian => ("locale-gen", "locales"),
        OsFamily::Arch => ("locale-gen", "glibc"),
        OsFamily::RedHat => ("localedef", "glibc-locale-source"),
        OsFamily::Suse => ("localedef", "glibc-i18ndata"),
        OsFamily::Alpine => {
            return Err(LocalesError(format!(
                "{os} has no locales to generate: musl has C.UTF-8 alone"
            )));
        }
        OsFamily::Unknown => {
            return Err(LocalesError(format!("how {os} generates locales is not known")));
        }
    };
    Ok(LocaleGeneration { tool, package })
}

/// The file with the default locale of a new system.
pub fn defaults(os: &Os) -> &'static str {
    let major = || os.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    match (os.family, os.id.as_str()) {
        (OsFamily::Debian, "debian") if major().is_none_or(|major| major >= 13) => DEFAULTS,
        (OsFamily::Debian, _) => DEBIAN_DEFAULTS,
        _ => DEFAULTS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_its_own_way() {
        let of = |name: &str| Os::named(name, "x86_64");
        for (name, tool, file) in [
            ("debian 12", "locale-gen", DEBIAN_DEFAULTS),
            ("debian 13", "locale-gen", DEFAULTS),
            ("debian", "locale-gen", DEFAULTS),
            ("ubuntu 24.04", "locale-gen", DEBIAN_DEFAULTS),
            ("arch", "locale-gen", DEFAULTS),
            ("rocky 9", "localedef", DEFAULTS),
            ("opensuse-leap 15.6", "localedef", DEFAULTS),
        ] {
            let os = of(name);
            assert_eq!((generation(&os).expect("it is known").tool, defaults(&os)), (tool, file));
        }
        assert_eq!(
            generation(&of("alpine")).expect_err("musl has none").to_string(),
            "alpine (x86_64) has no locales to generate: musl has C.UTF-8 alone"
        );
    }
}
