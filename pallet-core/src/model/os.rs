//! The operating system of a node: what it is, and how packages and services are managed there.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The operating system of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// The distribution, as `ID` in os-release: `debian`, `ubuntu`, `rocky`, ...
    pub id: String,
    /// Its version, as `VERSION_ID` in os-release; empty for a rolling release.
    #[serde(default)]
    pub version: String,
    /// The family it belongs to.
    pub family: OsFamily,
    /// The machine's architecture, as in `uname -m`: `x86_64`, `aarch64`, ...
    #[serde(default)]
    pub arch: String,
    /// Its package manager.
    pub package_manager: PackageManager,
    /// Its service manager.
    pub service_manager: ServiceManager,
}

/// A system that this version of Pallet does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the system {name:?} is not known; write a distribution, and its version if that matters: \
     `debian 12`; known are {}",
    DISTRIBUTIONS.map(|(_, ids)| ids.join(", ")).join(", ")
)]
pub struct UnknownOs {
    /// Its name, as the user wrote it.
    pub name: String,
}

/// The known distributions, by family.
const DISTRIBUTIONS: [(OsFamily, &[&str]); 5] = [
    (OsFamily::Debian, &["debian", "ubuntu", "raspbian", "linuxmint"]),
    (OsFamily::RedHat, &["rhel", "centos", "rocky", "almalinux", "fedora", "amzn", "ol"]),
    (OsFamily::Suse, &["opensuse", "opensuse-leap", "opensuse-tumbleweed", "suse", "sles"]),
    (OsFamily::Arch, &["arch", "archlinux", "manjaro"]),
    (OsFamily::Alpine, &["alpine"]),
];

/// A family of distributions that are managed in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OsFamily {
    /// Debian, Ubuntu and derivatives.
    Debian,
    /// Red Hat Enterprise Linux, Rocky, Alma, CentOS, Fedora, Amazon Linux.
    RedHat,
    /// SUSE Linux Enterprise and openSUSE.
    Suse,
    /// Arch Linux and derivatives.
    Arch,
    /// Alpine Linux.
    Alpine,
    /// A system that this version of Pallet does not know.
    #[serde(other)]
    Unknown,
}

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageManager {
    /// apt-get and dpkg.
    Apt,
    /// dnf and rpm.
    Dnf,
    /// yum and rpm.
    Yum,
    /// zypper and rpm.
    Zypper,
    /// pacman.
    Pacman,
    /// apk.
    Apk,
    /// None that this version of Pallet knows.
    #[serde(other)]
    Unknown,
}

/// A service manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceManager {
    /// systemd is running as the first process.
    Systemd,
    /// OpenRC.
    Openrc,
    /// Scripts in `/etc/init.d`.
    Sysvinit,
    /// runit.
    Runit,
    /// None: services are plain processes.
    #[serde(other)]
    Process,
}

impl Os {
    /// The os-release files, relative to the system's root. The first regular file is used. The
    /// first path is usually a link to the second, and a link may lead out of an image's directory.
    pub const RELEASE_FILES: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

    /// The system that `debian 12` most probably means, with its family's current package and
    /// service managers.
    pub fn named(text: &str, arch: &str) -> Os {
        let (id, version) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        Os::of_family(id, version.trim(), OsFamily::of(id, ""), arch)
    }

    /// Parses a system's name, for a machine with this architecture: `debian 12`, `rocky 9`,
    /// `alpine`.
    pub fn of_name(text: &str, arch: &str) -> Result<Os, UnknownOs> {
        let os = Os::named(text, arch);
        let version = os
            .version
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        match os.family != OsFamily::Unknown && version {
            true => Ok(os),
            false => Err(UnknownOs { name: text.to_owned() }),
        }
    }

    /// The system that an os-release describes (the text of one of [`Os::RELEASE_FILES`]), with its
    /// family's current package and service managers.
    pub fn described(os_release: &str, arch: &str) -> Os {
        let value = |key: &str| {
            let line =
                os_release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.map(|value| value.trim().trim_matches(['"', '\'']).to_owned()).unwrap_or_default()
        };
        let id = value("ID");
        Os::of_family(&id, &value("VERSION_ID"), OsFamily::of(&id, &value("ID_LIKE")), arch)
    }

    fn of_family(id: &str, version: &str, family: OsFamily, arch: &str) -> Os {
        let service_manager = match family {
            OsFamily::Alpine => ServiceManager::Openrc,
            OsFamily::Unknown => ServiceManager::Process,
            _ => ServiceManager::Systemd,
        };
        let (id, version, arch) = (id.to_owned(), version.to_owned(), arch.to_owned());
        Os { id, version, family, arch, package_manager: family.package_manager(), service_manager }
    }
}

impl OsFamily {
    /// The family of the distribution `id`; `like` is `ID_LIKE` of its os-release.
    pub fn of(id: &str, like: &str) -> OsFamily {
        std::iter::once(id)
            .chain(like.split_whitespace())
            .map(Self::of_one)
            .find(|family| *family != OsFamily::Unknown)
            .unwrap_or(OsFamily::Unknown)
    }

    fn of_one(id: &str) -> OsFamily {
        match id {
            "redhat" | "red_hat" => OsFamily::RedHat,
            _ if id.starts_with("opensuse-") => OsFamily::Suse,
            _ => DISTRIBUTIONS
                .iter()
                .find(|(_, ids)| ids.contains(&id))
                .map_or(OsFamily::Unknown, |(family, _)| *family),
        }
    }

    /// The current package manager of its systems.
    pub fn package_manager(self) -> PackageManager {
        match self {
            OsFamily::Debian => PackageManager::Apt,
            OsFamily::RedHat => PackageManager::Dnf,
            OsFamily::Suse => PackageManager::Zypper,
            OsFamily::Arch => PackageManager::Pacman,
            OsFamily::Alpine => PackageManager::Apk,
            OsFamily::Unknown => PackageManager::Unknown,
        }
    }

    /// Its name: `debian`, `red_hat`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            OsFamily::Debian => "debian",
            OsFamily::RedHat => "red_hat",
            OsFamily::Suse => "suse",
            OsFamily::Arch => "arch",
            OsFamily::Alpine => "alpine",
            OsFamily::Unknown => "unknown",
        }
    }
}

impl PackageManager {
    /// Its name, which is also its command: `apt`, `dnf`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            PackageManager::Apt => "apt",
            PackageManager::Dnf => "dnf",
            PackageManager::Yum => "yum",
            PackageManager::Zypper => "zypper",
            PackageManager::Pacman => "pacman",
            PackageManager::Apk => "apk",
            PackageManager::Unknown => "unknown",
        }
    }
}

impl ServiceManager {
    /// Its name: `systemd`, `sysvinit`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            ServiceManager::Systemd => "systemd",
            ServiceManager::Openrc => "openrc",
            ServiceManager::Sysvinit => "sysvinit",
            ServiceManager::Runit => "runit",
            ServiceManager::Process => "process",
        }
    }
}

impl fmt::Display for Os {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if !self.version.is_empty() {
            write!(f, " {}", self.version)?;
        }
        if !self.arch.is_empty() {
            write!(f, " ({})", self.arch)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Os, OsFamily, PackageManager};

    #[test]
    fn an_os_release_is_read() {
        let os = Os::described(
            "NAME=\"Rocky\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n\
            VERSION_ID='9.4'\n",
            "aarch64",
        );
        assert_eq!(os.to_string(), "rocky 9.4 (aarch64)");
        assert_eq!((os.family, os.package_manager), (OsFamily::RedHat, PackageManager::Dnf));
        let pop = Os::described("ID=pop\nID_LIKE=\"ubuntu debian\"\n", "");
        assert_eq!((pop.to_string().as_str(), pop.family), ("pop", OsFamily::Debian));
    }

    #[test]
    fn a_distribution_belongs_to_its_family_or_its_relatives() {
        assert_eq!(OsFamily::of("ubuntu", "debian"), OsFamily::Debian);
        assert_eq!(OsFamily::of("rocky", "rhel centos fedora"), OsFamily::RedHat);
        assert_eq!(OsFamily::of("opensuse-leap", "suse opensuse"), OsFamily::Suse);
        assert_eq!(OsFamily::of("pop", "ubuntu debian"), OsFamily::Debian);
        assert_eq!(OsFamily::of("plan9", ""), OsFamily::Unknown);
    }
}
