//! The versions of Java that each system has, their packages, and where they are.

use pallet_core::prelude::*;

/// What a system has.
struct Names {
    /// The version that is installed unless another one is asked for.
    own: u32,
    versions: &'static [u32],
    naming: Naming,
}

/// How a system names packages and directories.
#[derive(Clone, Copy)]
enum Naming {
    Debian,
    RedHat,
    Suse,
    Arch,
    Alpine,
}

const SYSTEMS: SystemTable<Names> = SystemTable(&[
    ("debian 12", Names { own: 17, versions: &[17], naming: Naming::Debian }),
    ("debian 13", Names { own: 21, versions: &[21, 25], naming: Naming::Debian }),
    ("ubuntu 22.04", Names { own: 11, versions: &[8, 11, 17, 21], naming: Naming::Debian }),
    ("ubuntu 24.04", Names { own: 21, versions: &[8, 11, 17, 21], naming: Naming::Debian }),
    ("red_hat", Names { own: 17, versions: &[8, 11, 17, 21], naming: Naming::RedHat }),
    ("suse", Names { own: 17, versions: &[8, 11, 17, 21], naming: Naming::Suse }),
    ("arch", Names { own: 21, versions: &[8, 11, 17, 21], naming: Naming::Arch }),
    ("alpine", Names { own: 21, versions: &[8, 11, 17, 21], naming: Naming::Alpine }),
]);

/// What is installed of Java.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Kind {
    /// What runs programs.
    #[default]
    Jre,
    /// The compiler too.
    Jdk,
}

/// One Java of a system.
pub(crate) struct Java {
    pub(crate) package: String,
    /// The value of `JAVA_HOME`.
    pub(crate) home: String,
}

/// The Java of a system with this version, or its own.
pub(crate) fn java(os: &Os, version: Option<u32>, kind: Kind, headless: bool) -> Result<Java> {
    let names = SYSTEMS.row(os)?;
    let version = version.unwrap_or(names.own);
    let all: Vec<String> = names.versions.iter().map(u32::to_string).collect();
    ensure!(
        names.versions.contains(&version),
        "{os} has no Java {version}; it has {}",
        all.join(", ")
    );
    let jdk = kind == Kind::Jdk;
    // red hat and suse call version 8 as Java 2 did
    let old = if version == 8 { "1.8.0".to_owned() } else { version.to_string() };
    Ok(match names.naming {
        Naming::Debian => {
            let arch = match os.arch.as_str() {
                "x86_64" => "amd64",
                "aarch64" => "arm64",
                other => other,
            };
            let end = if headless { "-headless" } else { "" };
            let kind = if jdk { "jdk" } else { "jre" };
            Java {
                package: format!("openjdk-{version}-{kind}{end}"),
                home: format!("/usr/lib/jvm/java-{version}-openjdk-{arch}"),
            }
        }
        Naming::RedHat => Java {
            package: match (jdk, headless) {
                (true, _) => format!("java-{old}-openjdk-devel"),
                (false, true) => format!("java-{old}-openjdk-headless"),
                (false, false) => format!("java-{old}-openjdk"),
            },
            home: format!("/usr/lib/jvm/{}-{old}", if jdk { "java" } else { "jre" }),
        },
        Naming::Suse => {
            let old = if version == 8 { "1_8_0".to_owned() } else { version.to_string() };
            let dotted = old.replace('_', ".");
            let kind = if jdk { "java" } else { "jre" };
            Java {
                package: match (jdk, headless) {
                    (true, _) => format!("java-{old}-openjdk-devel"),
                    (false, true) => format!("java-{old}-openjdk-headless"),
                    (false, false) => format!("java-{old}-openjdk"),
                },
                home: format!("/usr/lib64/jvm/{kind}-{dotted}-openjdk"),
            }
        }
        Naming::Arch => {
            // a JRE 8 is only that part of a JDK
            let part = if version == 8 && !jdk { "/jre" } else { "" };
            Java {
                package: match (jdk, headless) {
                    (true, _) => format!("jdk{version}-openjdk"),
                    (false, true) => format!("jre{version}-openjdk-headless"),
                    (false, false) => format!("jre{version}-openjdk"),
                },
                home: format!("/usr/lib/jvm/java-{version}-openjdk{part}"),
            }
        }
        Naming::Alpine => {
            let end = match (jdk, headless, version) {
                (true, _, _) => "",
                // version 8 has no such part
                (false, true, 11..) => "-jre-headless",
                (false, _, _) => "-jre",
            };
            let directory = if version == 8 { "1.8".to_owned() } else { version.to_string() };
            Java {
                package: format!("openjdk{version}{end}"),
                home: format!("/usr/lib/jvm/java-{directory}-openjdk"),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(system: &str, version: Option<u32>, kind: Kind, headless: bool) -> (String, String) {
        let java = java(&Os::named(system, "x86_64"), version, kind, headless).unwrap();
        (java.package, java.home)
    }

    #[test]
    fn each_system_has_its_names() {
        for (system, version, kind, headless, package, home) in [
            (
                "debian 12",
                None,
                Kind::Jre,
                true,
                "openjdk-17-jre-headless",
                "/usr/lib/jvm/java-17-openjdk-amd64",
            ),
            (
                "debian 13",
                Some(25),
                Kind::Jdk,
                false,
                "openjdk-25-jdk",
                "/usr/lib/jvm/java-25-openjdk-amd64",
            ),
            (
                "rocky 9.4",
                Some(8),
                Kind::Jre,
                true,
                "java-1.8.0-openjdk-headless",
                "/usr/lib/jvm/jre-1.8.0",
            ),
            (
                "opensuse-leap 15.6",
                None,
                Kind::Jdk,
                true,
                "java-17-openjdk-devel",
                "/usr/lib64/jvm/java-17-openjdk",
            ),
            (
                "arch",
                Some(17),
                Kind::Jre,
                true,
                "jre17-openjdk-headless",
                "/usr/lib/jvm/java-17-openjdk",
            ),
            (
                "arch",
                Some(8),
                Kind::Jre,
                true,
                "jre8-openjdk-headless",
                "/usr/lib/jvm/java-8-openjdk/jre",
            ),
            (
                "alpine 3.20",
                Some(8),
                Kind::Jre,
                true,
                "openjdk8-jre",
                "/usr/lib/jvm/java-1.8-openjdk",
            ),
        ] {
            let names = named(system, version, kind, headless);
            assert_eq!(names, (package.to_owned(), home.to_owned()), "{system}");
        }
    }

    #[test]
    fn a_version_that_is_not_there_is_refused() {
        let os = Os::named("debian 12", "x86_64");
        let error = java(&os, Some(11), Kind::Jre, true).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("has no Java 11; it has 17"), "{error}");
    }
}
