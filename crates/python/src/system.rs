//! The interpreters that each system has, and their packages.

use pallet_core::prelude::*;

parameters! {
    /// Installs Python with what virtual environments need.
    ///
    /// Example: `python.install(request)`
    pub(crate) struct Install {
        /// Version, such as `3.12`, where the system has several: Ubuntu, Rocky, openSUSE. Default:
        /// the system's own version.
        #[serde(default)]
        version: Option<String>,
        /// Also install the headers and the compiler that packages with parts in C need.
        #[serde(default)]
        development: bool,
    }
}

/// What a system calls the packages of Python.
struct Names {
    /// Those of its own version.
    own: &'static [&'static str],
    own_headers: &'static [&'static str],
    /// Those of a certain version; `{}` stands for it, `{0}` for it without the dot. Empty: the
    /// system has only its own version.
    certain: &'static [&'static str],
    certain_headers: &'static [&'static str],
    compiler: &'static str,
}

const NAMES: SystemTable<Names> = SystemTable(&[
    (
        "debian",
        Names {
            own: &["python3", "python3-venv"],
            own_headers: &["python3-dev"],
            certain: &["python{}", "python{}-venv"],
            certain_headers: &["python{}-dev"],
            compiler: "build-essential",
        },
    ),
    (
        "red_hat",
        Names {
            own: &["python3"],
            own_headers: &["python3-devel"],
            certain: &["python{}"],
            certain_headers: &["python{}-devel"],
            compiler: "gcc",
        },
    ),
    (
        "suse",
        Names {
            own: &["python3"],
            own_headers: &["python3-devel"],
            certain: &["python{0}"],
            certain_headers: &["python{0}-devel"],
            compiler: "gcc",
        },
    ),
    (
        "arch",
        Names {
            own: &["python"],
            own_headers: &[],
            certain: &[],
            certain_headers: &[],
            compiler: "gcc",
        },
    ),
    (
        "alpine",
        Names {
            own: &["python3"],
            own_headers: &["python3-dev"],
            certain: &[],
            certain_headers: &[],
            compiler: "build-base",
        },
    ),
]);

/// Refuses what is no version such as `3.12`.
fn check_version(version: &str) -> Result<()> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let good = version.split_once('.').is_some_and(|(major, minor)| {
        major == "3" && digits(minor) && minor.len() <= 3 && !minor.starts_with("00")
    });
    ensure!(good, "{version:?} is not a version of Python such as 3.12");
    Ok(())
}

/// The program of a version: `python3.12`.
pub(crate) fn program(version: Option<&str>) -> Result<String> {
    version.map_or(Ok(()), check_version)?;
    Ok(format!("python{}", version.unwrap_or("3")))
}

pub(crate) fn install(request: &mut Request, install: Install) -> Result<()> {
    let os = request.target()?.os;
    for package in packages(&os, &install)? {
        request.add(Package::install(package))?;
    }
    Ok(())
}

fn packages(os: &Os, install: &Install) -> Result<Vec<String>> {
    let names = NAMES.row(os)?;
    let mut wanted: Vec<String> = match &install.version {
        None => {
            let headers = if install.development { names.own_headers } else { &[] };
            names.own.iter().chain(headers).map(|name| (*name).to_owned()).collect()
        }
        Some(version) => {
            check_version(version)?;
            ensure!(!names.certain.is_empty(), "{os} has one version of Python; omit `version`");
            let headers = if install.development { names.certain_headers } else { &[] };
            let short = version.replace('.', "");
            let named = |name: &&str| name.replace("{}", version).replace("{0}", &short);
            names.certain.iter().chain(headers).map(named).collect()
        }
    };
    if install.development {
        wanted.push(names.compiler.to_owned());
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::super::Python;
    use super::*;

    fn declared(system: &str, arguments: Value) -> Vec<String> {
        let mut recorder = Recorder::<Python>::on(system);
        recorder.call("install", arguments).unwrap();
        recorder.declared()
    }

    #[test]
    fn each_system_has_its_names() {
        for (system, arguments, packages) in [
            ("debian 12", json!({}), &["python3", "python3-venv"][..]),
            ("ubuntu 24.04", json!({"version": "3.12"}), &["python3.12", "python3.12-venv"]),
            ("rocky 9.4", json!({"version": "3.11"}), &["python3.11"]),
            ("opensuse-leap 15.6", json!({"version": "3.11"}), &["python311"]),
            ("arch", json!({"development": true}), &["python", "gcc"]),
            (
                "debian 13",
                json!({"development": true}),
                &["python3", "python3-venv", "python3-dev", "build-essential"],
            ),
        ] {
            let packages: Vec<_> = packages.iter().map(|name| format!("package {name}")).collect();
            assert_eq!(declared(system, arguments), packages, "{system}");
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for version in ["3", "2.7", "3.x", "3.11.2", "3.", "3.1 -y", "latest"] {
            assert!(program(Some(version)).is_err(), "{version}");
        }
        let error = Recorder::<Python>::on("arch").call("install", json!({"version": "3.12"}));
        assert!(error.unwrap_err().to_string().contains("omit `version`"));
    }
}
