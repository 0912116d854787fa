//! What differs between package managers: the call for a transaction, and what each cannot do. The shell half is `library/packages.sh`.

use thiserror::Error;

use super::Script;
use crate::model::{Os, PackageManager, PackageTransaction};

/// What the node's package manager cannot do, or that there is none.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct PackagesError(String);

/// The script of one transaction: it asks for what is installed already, so it is right whatever was known before.
pub fn transaction(manager: PackageManager, transaction: &PackageTransaction) -> Result<Script, PackagesError> {
    if manager == PackageManager::Unknown {
        return Err(PackagesError::new("there is no package manager on this node that Pallet knows"));
    }
    if manager == PackageManager::Pacman
        && let Some(package) = transaction.install.iter().find(|package| package.contains('='))
    {
        return Err(PackagesError::new(format!("pacman installs only the newest version there is; leave the version of {package} away")));
    }
    let mut words = vec!["package_transaction", manager.as_str()];
    let lists = [
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

/// The node's package manager, or an error that says what was found instead.
pub fn manager(os: &Os) -> Result<PackageManager, PackagesError> {
    match os.package_manager {
        PackageManager::Unknown => Err(PackagesError::new(format!(
            "there is no package manager that Pallet knows on this node, which is {os}; it knows apt, dnf, yum, zypper, pacman and apk"
        ))),
        manager => Ok(manager),
    }
}

impl PackagesError {
    fn new(message: impl Into<String>) -> Self {
        PackagesError(message.into())
    }
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
        };
        let script = transaction(PackageManager::Apt, &all).expect("apt can do it all");
        expect![[r#"
            package_transaction apt --install nginx curl=7.88.1-10 --upgrade openssl --remove telnet --purge exim4
        "#]]
        .assert_eq(script.as_str());
    }

    #[test]
    fn what_a_manager_cannot_do_is_said_before_anything_runs() {
        let pinned = PackageTransaction { install: vec!["curl=8".into()], ..PackageTransaction::default() };
        let error = transaction(PackageManager::Pacman, &pinned).expect_err("pacman has no versions");
        expect!["pacman installs only the newest version there is; leave the version of curl=8 away"].assert_eq(&error.to_string());
    }
}
