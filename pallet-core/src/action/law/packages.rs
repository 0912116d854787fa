//! The law of the actions around packages, with apt in a copy of this machine's root. The tests
//! need root: `cargo test -- --ignored`.

use super::super::package::PackageAction;
use super::super::package_source::AptSource;
use super::super::{
    DebconfSetSelections, InstallDeb, MinimalPackages, Package, PackageManager, PackageSource,
    Packages,
};
use super::system::{REPOSITORY, copy, setup};
use crate::model;

#[test]
#[ignore = "needs root, and apt"]
fn sources_and_files_of_apt() {
    let place = copy();
    setup(&place, REPOSITORY);
    setup(&place, "rm -f /etc/apt/sources.list; mkdir -p /etc/apt/sources.list.d");
    let source = || {
        let apt = AptSource {
            url: "file:/repo".into(),
            release: Some("./".into()),
            allow_unsigned: true,
            ..AptSource::default()
        };
        PackageSource::new("law").apt(apt)
    };
    place.law(source(), true);
    place.law(source(), false);
    place.law_of_unknown(source(), false);
    // a new source needs its lists, which are fetched
    place.law(Packages::install(["law-one", "law-two"]), true);
    place.law_of_unknown(
        Packages::install(["law-two"]).of(model::PackageManager::Apt, ["law-one"]),
        false,
    );
    place.law(Packages::install(["law-one", "law-two"]).action(PackageAction::Purge), true);
    place.law(PackageManager::update(), false);
    let deb = || InstallDeb::remote_file("law-one", "/repo/law-one_1.0-1.deb");
    place.law(deb(), true);
    place.law(deb(), false);
    place.law_of_unknown(deb(), false);
    // the dependencies of a package file are installed with it
    place.law_of_unknown(Package::purge("law-one"), true);
    place.law_of_unknown(InstallDeb::remote_file("law-two", "/repo/law-two_3:2.0-1.deb"), true);
    place.law(Package::install("law-one"), false);
    let wrong = place.fails(InstallDeb::remote_file("law-none", "/repo/law-one_1.1-1.deb"));
    assert!(wrong.contains("the file is not of the package law-none"), "{wrong}");
    place.law(source().absent(), true);
    place.law_of_unknown(source().absent(), false);
}

/// If this machine has no sudo, a package of that name is enough.
const SUDO: &str = r"dpkg-query -W -f '${db:Status-Status}' sudo 2>/dev/null | grep -qx installed || {
mkdir -p /law-sudo/DEBIAN
printf '%s\n' 'Package: sudo' 'Version: 1' 'Architecture: all' 'Maintainer: law <law@localhost>' 'Description: law' >/law-sudo/DEBIAN/control
dpkg-deb --build /law-sudo /law-sudo.deb
dpkg --install /law-sudo.deb
}";

#[test]
#[ignore = "needs root, and apt"]
fn answers_of_debconf_and_minimal_packages() {
    let place = copy();
    let answer = |value: &str| DebconfSetSelections::new("law", "law/question", "string", value);
    place.law(answer("it's one"), true);
    place.law(answer("it's one"), false);
    place.law_of_unknown(answer("it's one"), false);
    place.law_of_unknown(answer("two $HOME"), true);
    setup(&place, "echo get law/question | debconf-communicate law | grep -q '^0 two \\$HOME$'");
    // a place that has them, and recent lists
    setup(&place, REPOSITORY);
    setup(&place, SUDO);
    place.law(PackageManager::update(), true);
    place.law(MinimalPackages::new(), false);
    place.law_of_unknown(MinimalPackages::new(), false);
}
