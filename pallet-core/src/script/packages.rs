//! The differences between package managers: the command of a transaction, and the unsupported
//! options. `library/packages.sh` is the shell part.

use thiserror::Error;

use super::Script;
use crate::model::{Os, OsFamily, PackageManager, PackageOptions, PackageTransaction};

/// The node has no package manager, or it does not support something.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct PackagesError(String);

/// The script of one transaction. It checks what is already installed on the node, so it is correct
/// whatever was known before.
pub fn transaction(
    manager: PackageManager,
    transaction: &PackageTransaction,
) -> Result<Script, PackagesError> {
    if manager == PackageManager::Unknown {
        return Err(PackagesError::new(
            "there is no package manager on this node that Pallet knows",
        ));
    }
    if manager == PackageManager::Pacman
        && let Some(package) = transaction.install.iter().find(|package| package.contains('='))
    {
        return Err(PackagesError::new(format!(
            "pacman installs only the newest version there is; omit the version of {package}"
        )));
    }
    check_options(manager, &transaction.options)?;
    let options = &transaction.options;
    let mut words = vec!["package_transaction", manager.as_str()];
    let flags = [
        ("--disable-service-start", options.disable_service_start),
        ("--allow-unsigned", options.allow_unsigned),
    ];
    words.extend(flags.iter().filter(|(_, given)| *given).map(|(flag, _)| *flag));
    let lists = [
        ("--enable", &options.enable),
        ("--disable", &options.disable),
        ("--install", &transaction.install),
        ("--upgrade", &transaction.upgrade),
        ("--remove", &transaction.remove),
        ("--purge", &transaction.purge),
    ];
    for (option, packages) in lists.iter().filter(|(_, packages)| !packages.is_empty()) {
        words.push(option);
        words.extend(packages.iter().map(String::as_str));
    }
    Ok(Script::new().call(words))
}

/// Rejects options that the package manager does not support.
fn check_options(manager: PackageManager, options: &PackageOptions) -> Result<(), PackagesError> {
    use PackageManager::{Apk, Apt, Dnf, Pacman, Yum, Zypper};
    let name = manager.as_str();
    let refuse = |message: &str| Err(PackagesError::new(format!("{name} {message}")));
    if !options.enable.is_empty() && manager == Pacman {
        return refuse("cannot enable a repository for some packages; omit `enable`");
    }
    if options.enable.len() > 1 && manager == Apt {
        return refuse("can take packages from one release only; give `enable` one name");
    }
    if options.enable.len() > 1 && manager == Apk {
        return refuse(
            "can take packages from the repository of one tag only; give `enable` one name",
        );
    }
    if !options.disable.is_empty() && matches!(manager, Apt | Zypper | Pacman | Apk) {
        return refuse("cannot disable a repository for some packages; omit `disable`");
    }
    if options.disable_service_start && matches!(manager, Dnf | Yum | Zypper | Pacman | Apk) {
        return refuse("does not start services by itself; omit `disable_service_start`");
    }
    if options.allow_unsigned && manager == Pacman {
        return refuse(
            "decides on signatures for each repository; omit `allow_unsigned`, and \
            give its package_source a `siglevel`",
        );
    }
    Ok(())
}

/// The node's package manager, or an error that names what was found instead.
pub fn manager(os: &Os) -> Result<PackageManager, PackagesError> {
    match os.package_manager {
        PackageManager::Unknown => Err(PackagesError::new(format!(
            "there is no package manager that Pallet knows on this node, which is {os}; it knows \
             apt, dnf, yum, zypper, pacman and apk"
        ))),
        manager => Ok(manager),
    }
}

/// Rejects a node that is not of the Debian family, for `what`.
pub fn require_debian(os: &Os, what: &str) -> Result<(), PackagesError> {
    match (os.family, os.package_manager) {
        (OsFamily::Debian, PackageManager::Apt) | (OsFamily::Unknown, PackageManager::Apt) => {
            Ok(())
        }
        _ => Err(PackagesError::new(format!(
            "{what} is for Debian-family systems; this node is {os}, with {}",
            found(os)
        ))),
    }
}

/// Like [`require_debian`], and returns the package manager.
pub(crate) fn require_apt(os: &Os, what: &str) -> Result<PackageManager, PackagesError> {
    require_debian(os, what).map(|()| PackageManager::Apt)
}

/// Rejects a node whose package manager does not install rpm packages.
pub fn require_rpm(os: &Os, what: &str) -> Result<PackageManager, PackagesError> {
    match os.package_manager {
        manager @ (PackageManager::Dnf | PackageManager::Yum | PackageManager::Zypper) => {
            Ok(manager)
        }
        _ => Err(PackagesError::new(format!(
            "{what} is for dnf, yum and zypper; this node is {os}, with {}",
            found(os)
        ))),
    }
}

/// The package manager that was found, in words.
fn found(os: &Os) -> String {
    match os.package_manager {
        PackageManager::Unknown => "none of apt, dnf, yum, zypper, pacman and apk".to_owned(),
        manager => manager.as_str().to_owned(),
    }
}

/// The code name of a Debian or Ubuntu release; `None` if unknown.
pub fn codename(os: &Os) -> Option<&'static str> {
    Some(match (os.id.as_str(), os.version.split('.').next().unwrap_or_default()) {
        ("debian" | "raspbian", "10") => "buster",
        ("debian" | "raspbian", "11") => "bullseye",
        ("debian" | "raspbian", "12") => "bookworm",
        ("debian" | "raspbian", "13") => "trixie",
        ("debian" | "raspbian", "14") => "forky",
        _ => match (os.id.as_str(), os.version.as_str()) {
            ("ubuntu", "18.04") => "bionic",
            ("ubuntu", "20.04") => "focal",
            ("ubuntu", "22.04") => "jammy",
            ("ubuntu", "24.04") => "noble",
            ("ubuntu", "25.10") => "questing",
            ("ubuntu", "26.04") => "resolute",
            _ => return None,
        },
    })
}

impl PackagesError {
    fn new(message: impl Into<String>) -> Self {
        PackagesError(message.into())
    }
}

/// The functions of the library that install, upgrade or remove packages.
#[cfg(feature = "host")]
const TRANSACTIONS: [&str; 3] = ["package_transaction", "package_file", "package_upgrade_all"];

/// Whether a script runs a transaction of the package manager.
#[cfg(feature = "host")]
pub(crate) fn is_transaction(script: &Script) -> bool {
    let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
    let words = script.as_str().lines().filter_map(first);
    words.into_iter().any(|word| TRANSACTIONS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn one_call_for_all() {
        let all = PackageTransaction {
            install: vec!["nginx".into(), "curl=7.88.1-10".into()],
            upgrade: vec!["openssl".into()],
            remove: vec!["telnet".into()],
            purge: vec!["exim4".into()],
            options: PackageOptions::default(),
        };
        let script = transaction(PackageManager::Apt, &all).expect("apt can do it all");
        expect![[r#"
            package_transaction apt --install nginx curl=7.88.1-10 --upgrade openssl --remove telnet --purge exim4
        "#]]
        .assert_eq(script.as_str());
    }

    #[test]
    fn what_a_manager_cannot_do_is_said_before_anything_runs() {
        let pinned =
            PackageTransaction { install: vec!["curl=8".into()], ..PackageTransaction::default() };
        let error =
            transaction(PackageManager::Pacman, &pinned).expect_err("pacman has no versions");
        expect!["pacman installs only the newest version there is; omit the version of curl=8"]
            .assert_eq(&error.to_string());
    }

    #[test]
    fn options_that_a_manager_does_not_have_are_refused() {
        use PackageManager::{Apk, Apt, Dnf, Pacman, Yum, Zypper};
        let mut said = String::new();
        let two = || vec!["one".to_owned(), "two".to_owned()];
        for manager in [Apt, Dnf, Yum, Zypper, Pacman, Apk] {
            for options in [
                PackageOptions { enable: two(), ..PackageOptions::default() },
                PackageOptions { disable: two(), ..PackageOptions::default() },
                PackageOptions { disable_service_start: true, ..PackageOptions::default() },
                PackageOptions { allow_unsigned: true, ..PackageOptions::default() },
            ] {
                let install = PackageTransaction {
                    install: vec!["nginx".into()],
                    options,
                    ..PackageTransaction::default()
                };
                match transaction(manager, &install) {
                    Ok(script) => said.push_str(script.as_str()),
                    Err(error) => said.push_str(&format!("{error}\n")),
                }
            }
        }
        expect![[r#"
            apt can take packages from one release only; give `enable` one name
            apt cannot disable a repository for some packages; omit `disable`
            package_transaction apt --disable-service-start --install nginx
            package_transaction apt --allow-unsigned --install nginx
            package_transaction dnf --enable one two --install nginx
            package_transaction dnf --disable one two --install nginx
            dnf does not start services by itself; omit `disable_service_start`
            package_transaction dnf --allow-unsigned --install nginx
            package_transaction yum --enable one two --install nginx
            package_transaction yum --disable one two --install nginx
            yum does not start services by itself; omit `disable_service_start`
            package_transaction yum --allow-unsigned --install nginx
            package_transaction zypper --enable one two --install nginx
            zypper cannot disable a repository for some packages; omit `disable`
            zypper does not start services by itself; omit `disable_service_start`
            package_transaction zypper --allow-unsigned --install nginx
            pacman cannot enable a repository for some packages; omit `enable`
            pacman cannot disable a repository for some packages; omit `disable`
            pacman does not start services by itself; omit `disable_service_start`
            pacman decides on signatures for each repository; omit `allow_unsigned`, and give its package_source a `siglevel`
            apk can take packages from the repository of one tag only; give `enable` one name
            apk cannot disable a repository for some packages; omit `disable`
            apk does not start services by itself; omit `disable_service_start`
            package_transaction apk --allow-unsigned --install nginx
        "#]]
        .assert_eq(&said);
    }
}
