//! Parses the names of images: each distribution has a naming scheme, and only the name tells what
//! is in an image.

use pallet_core::model::PackageManager;
use pallet_core::prelude::*;

/// The naming scheme of a distribution.
#[derive(Debug)]
pub(crate) struct Naming {
    /// The distribution, as in os-release.
    pub(crate) id: &'static str,
    /// The login user of a fresh node.
    pub(crate) login_user: &'static str,
    /// The name, with `{version}`, `{arch}`, and `*` for the variable parts.
    pattern: &'static str,
    /// The word for arm64 in names.
    arm: &'static str,
    /// The word for x86_64 in names.
    x86: &'static str,
}

/// All known schemes, in order of preference.
pub(crate) const NAMINGS: [Naming; 13] = [
    naming("debian", "admin", "debian-{version}-{arch}-*", "arm64", "amd64"),
    naming(
        "ubuntu",
        "ubuntu",
        "ubuntu/images/hvm-ssd*/ubuntu-*-{version}-{arch}-server-*",
        "arm64",
        "amd64",
    ),
    naming("amzn", "ec2-user", "al{version}-ami-20*-kernel-*-{arch}", "arm64", "x86_64"),
    naming("amzn", "ec2-user", "amzn{version}-ami-*hvm-2.0.*-{arch}-gp2", "arm64", "x86_64"),
    naming("rocky", "rocky", "Rocky-*-EC2-Base-{version}-*.{arch}", "aarch64", "x86_64"),
    naming("almalinux", "ec2-user", "AlmaLinux OS {version} {arch}*", "aarch64", "x86_64"),
    naming("rhel", "ec2-user", "RHEL-{version}_HVM*-{arch}-*-Hourly2-*", "arm64", "x86_64"),
    naming("centos", "ec2-user", "CentOS Stream {version} {arch} *", "aarch64", "x86_64"),
    naming(
        "fedora",
        "fedora",
        "Fedora-Cloud-Base-AmazonEC2.{arch}-{version}-*",
        "aarch64",
        "x86_64",
    ),
    naming("fedora", "fedora", "Fedora-Cloud-Base-{version}-*.{arch}-hvm-*", "aarch64", "x86_64"),
    naming("sles", "ec2-user", "suse-sles-{version}-v*-hvm-ssd-{arch}", "arm64", "x86_64"),
    naming(
        "opensuse-leap",
        "ec2-user",
        "openSUSE-Leap-{version}-v*-hvm-ssd-{arch}*",
        "arm64",
        "x86_64",
    ),
    naming("alpine", "alpine", "alpine-{version}-{arch}-*cloudinit*", "aarch64", "x86_64"),
];

const fn naming(
    id: &'static str,
    login_user: &'static str,
    pattern: &'static str,
    arm: &'static str,
    x86: &'static str,
) -> Naming {
    Naming { id, login_user, pattern, arm, x86 }
}

/// The content of a name.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    /// The system.
    pub(crate) os: Os,
    /// The login user of a fresh node.
    pub(crate) login_user: &'static str,
    /// The index of the scheme; lower is preferred.
    pub(crate) rank: usize,
}

/// Parses the name of an image, if it matches a known scheme. `arch` is EC2's word: `x86_64`,
/// `arm64`.
pub(crate) fn read(name: &str, arch: &str) -> Option<Named> {
    NAMINGS.iter().enumerate().find_map(|(rank, naming)| {
        let version = version(naming.id, &naming.version_in(name, arch)?)?;
        let family = OsFamily::of(naming.id, "");
        let package_manager = if naming.id == "amzn" && version == "2" {
            PackageManager::Yum
        } else {
            family.package_manager()
        };
        let service_manager = if family == OsFamily::Alpine {
            ServiceManager::Openrc
        } else {
            ServiceManager::Systemd
        };
        let os = Os {
            id: naming.id.to_owned(),
            version,
            family,
            arch: machine(arch).to_owned(),
            package_manager,
            service_manager,
        };
        Some(Named { os, login_user: naming.login_user, rank })
    })
}

/// An architecture in the notation of `uname -m`.
pub(crate) fn machine(arch: &str) -> &str {
    if arch == "arm64" { "aarch64" } else { arch }
}

impl Naming {
    /// EC2's filter for names of this scheme, optionally for one architecture and one version.
    pub(crate) fn filter(&self, arch: Option<&str>, version: Option<&str>) -> String {
        let arch = match arch {
            Some("aarch64") => self.arm,
            Some("x86_64") => self.x86,
            _ => "*",
        };
        let version =
            version.map_or_else(|| "*".to_owned(), |version| self.version_filter(version));
        self.pattern.replace("{version}", &version).replace("{arch}", arch)
    }

    /// The filter for a version that the user requested.
    fn version_filter(&self, version: &str) -> String {
        let major = version.split('.').next().unwrap_or_default();
        match self.id {
            "sles" | "opensuse-leap" => format!("{major}*"),
            "debian" | "centos" | "fedora" | "amzn" => major.to_owned(),
            _ => format!("{version}*"),
        }
    }

    /// The version in a name of this scheme.
    fn version_in(&self, name: &str, arch: &str) -> Option<String> {
        let arch = match arch {
            "arm64" => self.arm,
            "x86_64" => self.x86,
            _ => return None,
        };
        let pattern = self.pattern.replace("{arch}", arch);
        let (before, after) = pattern.split_once("{version}")?;
        // the version is the shortest text for which the rest of the name matches
        let starts =
            (0..=name.len()).filter(|at| name.is_char_boundary(*at) && fits(before, &name[..*at]));
        starts.into_iter().find_map(|start| {
            let rest = &name[start..];
            let ends = rest.char_indices().map(|(at, _)| at).filter(|at| *at > 0);
            let end = ends
                .into_iter()
                .find(|at| looks_like_version(&rest[..*at]) && fits(after, &rest[*at..]))?;
            Some(rest[..end].to_owned())
        })
    }
}

/// Whether the whole text matches a pattern with `*`.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => {
            let Some(text) = text.strip_prefix(start) else { return false };
            (0..=text.len()).any(|at| text.is_char_boundary(at) && fits(rest, &text[at..]))
        }
    }
}

fn looks_like_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && text.chars().all(|character| character.is_ascii_digit() || ".-sp".contains(character))
        && text.ends_with(|last: char| last.is_ascii_digit())
}

/// A version in the notation of os-release.
fn version(id: &str, text: &str) -> Option<String> {
    let parts: Vec<_> = text.split(['.', '-']).map(|part| part.trim_start_matches("sp")).collect();
    let so_many = match id {
        "debian" | "amzn" | "centos" | "fedora" => 1,
        "alpine" => 3,
        _ => 2,
    };
    let numbers =
        parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    numbers.then(|| parts.iter().take(so_many).copied().collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_is_on_an_image() {
        let cases = [
            ("debian-12-amd64-20240717-1811", "x86_64", "debian 12 (x86_64)", "admin"),
            ("debian-13-arm64-20250814-2204", "arm64", "debian 13 (aarch64)", "admin"),
            (
                "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20240701",
                "x86_64",
                "ubuntu 22.04 (x86_64)",
                "ubuntu",
            ),
            (
                "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20240701",
                "arm64",
                "ubuntu 24.04 (aarch64)",
                "ubuntu",
            ),
            (
                "al2023-ami-2023.5.20240722.0-kernel-6.1-x86_64",
                "x86_64",
                "amzn 2023 (x86_64)",
                "ec2-user",
            ),
            ("amzn2-ami-hvm-2.0.20240719.0-x86_64-gp2", "x86_64", "amzn 2 (x86_64)", "ec2-user"),
            (
                "amzn2-ami-kernel-5.10-hvm-2.0.20240719.0-arm64-gp2",
                "arm64",
                "amzn 2 (aarch64)",
                "ec2-user",
            ),
            (
                "RHEL-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3",
                "x86_64",
                "rhel 9.4 (x86_64)",
                "ec2-user",
            ),
            (
                "RHEL-7.4_HVM_GA-20170808-x86_64-2-Hourly2-GP2",
                "x86_64",
                "rhel 7.4 (x86_64)",
                "ec2-user",
            ),
            ("Rocky-9-EC2-Base-9.4-20240523.0.aarch64", "arm64", "rocky 9.4 (aarch64)", "rocky"),
            ("AlmaLinux OS 9.4.20240513 x86_64", "x86_64", "almalinux 9.4 (x86_64)", "ec2-user"),
            ("CentOS Stream 9 x86_64 20240715", "x86_64", "centos 9 (x86_64)", "ec2-user"),
            ("Fedora-Cloud-Base-AmazonEC2.x86_64-41-1.4", "x86_64", "fedora 41 (x86_64)", "fedora"),
            (
                "suse-sles-15-sp6-v20240624-hvm-ssd-x86_64",
                "x86_64",
                "sles 15.6 (x86_64)",
                "ec2-user",
            ),
            ("suse-sles-15-v20180816-hvm-ssd-x86_64", "x86_64", "sles 15 (x86_64)", "ec2-user"),
            (
                "openSUSE-Leap-15-5-v20240110-hvm-ssd-x86_64-5535c495",
                "x86_64",
                "opensuse-leap 15.5 (x86_64)",
                "ec2-user",
            ),
            (
                "alpine-3.20.1-x86_64-bios-cloudinit-r0",
                "x86_64",
                "alpine 3.20.1 (x86_64)",
                "alpine",
            ),
        ];
        for (name, arch, os, user) in cases {
            let named = read(name, arch).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((named.os.to_string().as_str(), named.login_user), (os, user), "{name}");
        }
        assert_eq!(
            read("amzn2-ami-hvm-2.0.20240719.0-x86_64-gp2", "x86_64").unwrap().os.package_manager,
            PackageManager::Yum
        );
    }

    #[test]
    fn variants_and_strangers_are_not_taken_for_it() {
        for name in [
            "debian-12-backports-amd64-20240717-1811",
            "my-debian-12-amd64-1",
            "ubuntu-minimal/images/hvm-ssd/ubuntu-jammy-22.04-amd64-minimal-20240701",
            "ubuntu/images/hvm-ssd/ubuntu-jammy-daily-amd64-server-20240701",
            "al2023-ami-minimal-2023.5.20240722.0-kernel-6.1-x86_64",
            "al2023-ami-ecs-hvm-2023.0.20240712-kernel-6.1-x86_64",
            "suse-sles-15-sp6-byos-v20240624-hvm-ssd-x86_64",
            "RHEL-9.4.0_HVM-20240605-x86_64-82-Access2-GP3",
            "Windows_Server-2022-English-Full-Base-2024.07.10",
            "",
        ] {
            assert!(read(name, "x86_64").is_none(), "{name}");
        }
        assert!(read("debian-12-amd64-20240717-1811", "i386").is_none());
    }

    #[test]
    fn what_is_asked_of_ec2_is_narrow_and_misses_nothing() {
        let filters = |arch, version| {
            NAMINGS.iter().map(|naming| naming.filter(arch, version)).collect::<Vec<_>>()
        };
        assert_eq!(filters(Some("x86_64"), Some("12.4"))[0], "debian-12-amd64-*");
        assert_eq!(filters(None, Some("22"))[1], "ubuntu/images/hvm-ssd*/ubuntu-*-22*-*-server-*");
        assert_eq!(filters(Some("aarch64"), None)[4], "Rocky-*-EC2-Base-*-*.aarch64");
        let sles = NAMINGS.iter().find(|naming| naming.id == "sles").unwrap();
        assert!(fits(
            &sles.filter(Some("x86_64"), Some("15.6")),
            "suse-sles-15-sp6-v20240624-hvm-ssd-x86_64"
        ));
    }
}
