//! The law of `package` with other package managers that Debian also packages: in a copy of this
//! machine's root that imitates their systems, with a repository of its own. The tests need root,
//! apt and a mirror: `cargo test -- --ignored`.

use super::super::package::PackageAction;
use super::super::package_source::{DnfSource, PacmanSource, ZypperSource};
use super::super::{AddRpm, Package, PackageSource, Packages};
use super::*;
use crate::model::PackageManager;

/// Builds the packages `law-one` (in two versions) and `law-two`, which depends on it, with the
/// format's own tools.
const RPMS: &str = r#"
mkdir -p /repo /etc/rpm /var/lib/rpm
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros.law
rpm --initdb
make() { # NAME VERSION REQUIRES
  { printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: test\nLicense: MIT\nBuildArch: noarch\n%s\n%%description\ntest\n' "$1" "$2" "$3"
    printf '%%install\nmkdir -p %%{buildroot}/usr/share\necho %s >%%{buildroot}/usr/share/%s\n%%files\n/usr/share/%s\n' "$2" "$1" "$1"
  } >/spec
  rpmbuild --quiet -bb --define '_rpmdir /repo' --define '_topdir /rpmbuild' /spec
}
make law-one 1.0 ''
make law-one 1.1 ''
make law-two 2.0 "Requires: law-one$epoch"
make law-rest 1.0 ''
createrepo_c -q /repo
"#;

const PACMAN: &str = r#"
mkdir -p /repo /var/lib/pacman /var/cache/pacman/pkg
make() { # NAME VERSION DEPENDS
  rm -rf /build
  mkdir -p /build/usr/share
  echo "$2" >/build/usr/share/"$1"
  printf 'pkgname = %s\npkgver = %s-1\npkgdesc = test\narch = any\nsize = 1\n%s\n' "$1" "$2" "$3" >/build/.PKGINFO
  (cd /build && bsdtar -czf "/repo/$1-$2-1-any.pkg.tar.gz" --uid 0 --gid 0 .PKGINFO usr)
}
make law-one 1.1 ''
make law-two 2.0 'depend = law-one'
make law-rest 1.0 ''
repo-add -q /repo/law.db.tar.gz /repo/*.pkg.tar.gz
printf '[options]\nArchitecture = auto\nSigLevel = Never\n[law]\nServer = file:///repo\n' >/etc/pacman.conf
"#;

const DNF: &str = r#"
mkdir -p /etc/yum.repos.d
printf '[law]\nname=law\nbaseurl=file:///repo\ngpgcheck=0\n' >/etc/yum.repos.d/law.repo
"#;

const ZYPPER: &str = r#"
mkdir -p /etc/zypp/repos.d
printf '[law]\nname=law\nenabled=1\nautorefresh=0\nbaseurl=dir:///repo\ntype=rpm-md\ngpgcheck=0\n' >/etc/zypp/repos.d/law.repo
"#;

fn copy(debian_packages: &str, release: &str, setup: &[&str]) -> Place {
    let place = Place::of(Shell::copy());
    let script = format!(
        "set -e\nexport DEBIAN_FRONTEND=noninteractive\napt-get -qq update\n\
         apt-get -qq -y --no-install-recommends install {debian_packages} >/dev/null\n\
         {}\nrm -f /etc/os-release\nprintf '{release}' >/etc/os-release\n",
        setup.concat()
    );
    let output = place.shell.run(&script);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    place
}

fn law_of(place: &Place, manager: PackageManager, versions: bool) {
    assert_eq!(place.observe(&Package::install("law-one")).os.package_manager, manager);
    // Debian's zypper needs at least one installed package
    place.law(Package::install("law-rest"), true);
    if versions {
        place.law(Package::install("law-one").version("1.0-1"), true);
        place.law_of_unknown(Package::install("law-one").version("1.0"), false);
        place.law(Package::install("law-one").version("1.1"), true);
        place.law_of_unknown(Package::install("law-one").version("1.0"), true);
        let upgrade = place.prepared(Package::upgrade("law-one"));
        let change = upgrade
            .plan(&mut place.observe(&upgrade))
            .expect("it can be planned")
            .expect("it may have something to do");
        assert_eq!(place.apply(&change), Ok(true), "{manager:?}");
        assert_eq!(place.apply(&change), Ok(false), "{manager:?}");
        place.law(Package::install("law-two").version("2.0"), true);
        place.law_of_unknown(Package::purge("law-two"), true);
    }
    place.law(Package::install("law-two"), true);
    place.law(Package::install("law-one"), false);
    place.law_of_unknown(Package::install("law-two"), false);
    place.law(Package::remove("law-two"), true);
    place.law_of_unknown(Package::remove("law-two"), false);
    let said = place.refuses(Package::install("law-none"));
    assert!(said.contains("knows no package law-none"), "{said}");
    what_comes_along_is_known_before(place);
    place.law(Packages::install(["law-one", "law-two"]), true);
    place.law_of_unknown(Packages::install(["law-two"]).of(manager, ["law-one"]), false);
    place.law(Packages::install(["law-one", "law-two"]).action(PackageAction::Remove), true);
    if manager != PackageManager::Pacman {
        let rpm = || AddRpm::remote_file("law-one", "/repo/noarch/law-one-1.0-1.noarch.rpm");
        place.law(rpm(), true);
        place.law(rpm(), false);
        place.law_of_unknown(rpm(), false);
        place.law_of_unknown(Package::remove("law-one"), true);
        place.law_of_unknown(rpm(), true);
    }
    let url = || Some("file:///repo".to_owned());
    let source = || {
        PackageSource::new("more")
            .dnf(DnfSource { url: url(), gpgcheck: Some(false), ..DnfSource::default() })
            .zypper(ZypperSource { url: url(), gpgcheck: Some(false), ..ZypperSource::default() })
            .pacman(PacmanSource {
                server: "file:///repo".to_owned(),
                siglevel: Some("Never".to_owned()),
            })
    };
    place.law(source(), true);
    place.law(source(), false);
    place.law_of_unknown(source(), false);
    place.law(source().absent(), true);
    place.law_of_unknown(source(), true);
    place.law_of_unknown(source().absent(), true);
}

/// The result of the package manager's own simulation, which writes nothing.
fn what_comes_along_is_known_before(place: &Place) {
    let seen = "find /var/cache /var/lib /var/log /etc -printf '%p %T@ %s\\n' 2>/dev/null | grep \
        -v rpmdb.sqlite-shm | sort | cksum";
    let state = place.observe(&Package::install("law-one"));
    if matches!(
        state.package("law-one").known(),
        Some(crate::observe::PackageState::Installed { .. })
    ) {
        place.law(Package::remove("law-one"), true);
    }
    let before = place.run(seen).stdout;
    let mut state =
        place.observe(&Packages::install(["law-one", "law-two", "law-rest", "law-none"]));
    assert_eq!(place.run(seen).stdout, before, "observing wrote something");
    let names = |name: &str| {
        state.coming(name).map(|set| set.iter().cloned().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(names("law-two").as_deref(), Some("law-one law-two"), "{state:?}");
    // it is installed, so it is not asked about
    assert_eq!((names("law-rest"), names("law-none")), (None, None));
    assert!(state.unlisted("law-none").is_some() && state.unlisted("law-two").is_none());
    // files with other names are still known
    state.set_service(
        "sshd",
        crate::observe::ServiceState { exists: true, running: true, enabled: None, masked: false },
    );
    Package::install("law-two")
        .plan(&mut state)
        .expect("it can be planned")
        .expect("it is not there");
    assert!(state.service("sshd").known().is_some());
    assert!(Package::install("law-one").plan(&mut state).expect("it can be planned").is_none());
}

#[test]
#[ignore = "needs root, apt and a mirror"]
fn dnf_and_yum() {
    let place = copy(
        "dnf rpm createrepo-c",
        "ID=rocky\\nID_LIKE=\"rhel centos fedora\"\\nVERSION_ID=\"9.4\"\\n",
        &["epoch='\nEpoch: 3'", RPMS, DNF],
    );
    law_of(&place, PackageManager::Dnf, true);
}

#[test]
#[ignore = "needs root, apt and a mirror"]
fn zypper() {
    let place = copy(
        "zypper rpm createrepo-c",
        "ID=opensuse-leap\\nID_LIKE=\"suse opensuse\"\\n",
        &["epoch=''", RPMS, ZYPPER],
    );
    law_of(&place, PackageManager::Zypper, true);
}

#[test]
#[ignore = "needs root, apt and a mirror"]
fn pacman() {
    let place = copy("pacman-package-manager makepkg libarchive-tools", "ID=arch\\n", &[PACMAN]);
    law_of(&place, PackageManager::Pacman, false);
}
