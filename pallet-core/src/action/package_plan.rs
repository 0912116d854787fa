//! Plans one transaction of the package manager.

use std::collections::BTreeSet;

use super::package_spec::{PackageAction, PackageSpec};
use super::{ActionError, Certainty, Change};
use crate::model::{Known, PackageOptions, PackageTransaction};
use crate::observe::{NodeState, Observation, PackageState};
use crate::script::packages;

/// Plans one transaction for all packages. The summary contains their names if `named`.
pub(super) fn plan_packages(
    node: &mut NodeState,
    action: PackageAction,
    wanted: &[PackageSpec<'_>],
    options: PackageOptions,
    named: bool,
) -> Result<Option<Change>, ActionError> {
    let manager = packages::manager(&node.os)?;
    let mut transaction = PackageTransaction { options, ..PackageTransaction::default() };
    let (mut summaries, mut certainty, mut needed) = (Vec::new(), Certainty::May, Vec::new());
    for package in wanted {
        let Some((of_this, current)) = package.need(node, action) else { continue };
        let installs = matches!(action, PackageAction::Install | PackageAction::Upgrade);
        let listed = !installs
            || !transaction.options.enable.is_empty()
            || package.is_listed(node, manager)?;
        if of_this == Certainty::Will && listed {
            certainty = Certainty::Will;
        }
        let text = package.text();
        summaries.push(if named {
            format!("{} {}", package.summary(action, &current), package.name)
        } else {
            package.summary(action, &current)
        });
        match action {
            PackageAction::Install => transaction.install.push(text),
            PackageAction::Upgrade => transaction.upgrade.push(text),
            PackageAction::Remove => transaction.remove.push(text),
            PackageAction::Purge => transaction.purge.push(text),
        }
        needed.push(package);
    }
    // report an impossible transaction even if there is nothing to do now
    let script = packages::transaction(manager, &transaction)?;
    if needed.is_empty() {
        return Ok(None);
    }
    match moving(node, action, &needed) {
        Some(moving) => only_these_change(node, action, &moving),
        None => {
            packages_change(node);
            if matches!(action, PackageAction::Remove | PackageAction::Purge) {
                node.forget_installed_packages();
            }
        }
    }
    for package in needed {
        node.set_package(package.name, package.state(action));
    }
    Ok(Some(Change {
        certainty,
        packages: Some(transaction),
        ..Change::will(summaries.join(", "), script)
    }))
}

/// Asks which other packages change along with this one. With other repositories enabled or
/// disabled, this cannot be predicted.
pub(super) fn observe_dependencies(
    wanted: &mut Observation,
    action: PackageAction,
    options: &PackageOptions,
    manager: &str,
    package: PackageSpec<'_>,
) {
    if !options.enable.is_empty() || !options.disable.is_empty() {
        return;
    }
    match action {
        PackageAction::Install | PackageAction::Upgrade => wanted.install(manager, package.name),
        PackageAction::Remove | PackageAction::Purge => wanted.removal(manager, package.name),
    }
}

/// All packages that change along with these, if known. The package manager was asked only about
/// packages that were missing, or installed, respectively.
fn moving(
    node: &NodeState,
    action: PackageAction,
    packages: &[&PackageSpec<'_>],
) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for package in packages {
        let of_this = match action {
            PackageAction::Install | PackageAction::Upgrade => node.coming(package.name),
            PackageAction::Remove | PackageAction::Purge => node.leaving(package.name),
        };
        all.extend(of_this?.iter().cloned());
    }
    Some(all)
}

/// Updates the node's state for a change of exactly these packages.
fn only_these_change(node: &mut NodeState, action: PackageAction, moving: &BTreeSet<String>) {
    node.forget_what_these_packages_touch(moving);
    for name in moving {
        let Known::Known(state) = node.package(name) else { continue };
        match action {
            PackageAction::Install | PackageAction::Upgrade => {
                node.set_package(name, PackageState::Installed { version: None });
            }
            // a package that goes along may also be one whose removal was declared
            PackageAction::Remove | PackageAction::Purge
                if matches!(state, PackageState::Installed { .. }) =>
            {
                node.forget_package(name)
            }
            PackageAction::Remove | PackageAction::Purge => {}
        }
    }
}

/// Forgets all state that any change of packages may affect.
pub(super) fn packages_change(node: &mut NodeState) {
    node.forget_what_packages_touch();
    node.forget_package_versions();
}

#[cfg(test)]
mod tests {
    use super::super::Package;
    use super::super::check::{check, node};
    use expect_test::expect;

    #[test]
    fn what_no_list_has() {
        let unlisted = |age: u64| {
            let mut builder = node().without_package("postgresql-15");
            builder.0.set_unlisted("postgresql-15", age);
            builder
        };
        check(
            Package::install("postgresql-15"),
            unlisted(600),
            expect![[
                r#"error: apt knows no package postgresql-15: none of its lists has it, and they are 10 minutes old; look for its name on this system, declare the package_source that has it before, or fetch new lists with package_manager(action = "update", max_age = 0)"#
            ]],
        );
        // older lists are fetched again, and may have it then
        check(
            Package::install("postgresql-15"),
            unlisted(86_400),
            expect![[r#"
                may install
                ---
                package_transaction apt --install postgresql-15
            "#]],
        );
        check(Package::remove("postgresql-15"), unlisted(600), expect!["nothing to do"]);
    }
}
