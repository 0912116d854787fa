//! The law of actions that change the system, in a copy of this machine's root. The tests need
//! root: `cargo test -- --ignored`.

use super::super::package::PackageAction;
use super::super::user::UserAction;
use super::super::{Group, Package, PackageManager, Packages, User};
use super::*;
use crate::script::{LIBRARY, Script};

pub(super) fn copy() -> Place {
    Place::of(Shell::copy())
}

/// Runs a script that prepares the place.
pub(super) fn setup(place: &Place, script: &str) {
    let output = place.run(&format!("set -e\n{script}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs root"]
fn a_full_disk_leaves_the_old_file() {
    let place = copy();
    for content in ["x".repeat(60_000), "\0".repeat(60_000), "x".repeat(90_000)] {
        let action = place.prepared(RemoteFile::content("/mnt/file", content));
        let change = action
            .plan(&mut NodeState::new(place.observe(&action).os))
            .expect("it can be planned")
            .expect("it may change");
        // mounts are gone after a run, so everything is done in one
        let output = place.shell.run(&format!(
            "mount -t tmpfs -o size=48k tmpfs /mnt; echo old >/mnt/file; mkdir /incoming; \
             incoming=/incoming\n\
             head -c 90000 /dev/zero | tr '\\0' x >\"/incoming/$(head -c 90000 /dev/zero | tr \
             '\\0' x | sha256sum | cut -c1-64)\"\n\
             {LIBRARY}\n( set -e; change=\n{}\n\
             echo applied ) </dev/null; echo \"ended $?\"; cat /mnt/file; ls -A /mnt",
            change.script.as_str()
        ));
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "ended 1\nold\nfile\n",
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
#[ignore = "needs root"]
fn groups() {
    let place = copy();
    place.law(Group::new("app").gid(4242), true);
    place.law(Group::new("app"), false);
    place.law_of_unknown(Group::new("app").gid(4242), false);
    place.law(Group::new("app").gid(4243), true);
    place.law_of_unknown(Group::new("other").system(), true);
    place.law(Group::new("other").absent(), true);
    place.law_of_unknown(Group::new("app").absent(), true);
    place.law_of_unknown(Group::new("app").absent(), false);
}

#[test]
#[ignore = "needs root"]
fn users() {
    let place = copy();
    place.law(User::new("app"), true);
    place.law_of_unknown(User::new("app"), false);
    place.law(Group::new("one"), true);
    place.law(Group::new("two"), true);
    let all = || {
        User::new("app")
            .uid(4242)
            .group("one")
            .groups(["one", "two", "adm"])
            .home("/srv/it's")
            .shell("/usr/sbin/nologin")
            .comment("It's, the app")
    };
    place.law(all(), true);
    place.law_of_unknown(all(), false);
    place.law(User::new("app").groups(["two"]).append(), false);
    place.law(User::new("app").groups(["two"]), true);
    place.law_of_unknown(User::new("app").groups(["two"]), false);
    place.law_of_unknown(User::new("app").groups(["app"]).append(), true);
    place.law_of_unknown(User::new("app").groups(["adm"]).append().shell("/bin/sh"), true);
    place.law(User::new("app").groups(Vec::<String>::new()).comment(""), true);

    // only new users are created this way
    place.law(User::new("app").shell("/bin/bash").action(UserAction::Create), false);
    place.law_of_unknown(User::new("app").shell("/bin/bash").action(UserAction::Create), false);
    place.law(
        User::new("fresh").home("/srv/fresh").password("$6$salt$a/b.c").action(UserAction::Create),
        true,
    );
    setup(&place, "grep -qF 'fresh:$6$salt$a/b.c:' /etc/shadow");
    place.law(User::new("fresh").password("$6$salt$a/b.c"), false);
    place.law(User::new("fresh").password("$6$salt$other"), true);
    place.law_of_unknown(User::new("fresh").password("$6$salt$other"), false);
    place.law(User { remove_home: true, ..User::new("fresh").action(UserAction::Remove) }, true);
    setup(&place, "! test -e /srv/fresh");

    place.law(User::new("app").action(UserAction::Lock), false);
    place.law(User::new("app").action(UserAction::Unlock), true);
    place.law_of_unknown(User::new("app").action(UserAction::Unlock), false);
    setup(&place, "usermod -p '$1$abc$hash' app");
    place.law(User::new("app").action(UserAction::Lock), true);
    place.law_of_unknown(User::new("app").action(UserAction::Lock), false);
    setup(&place, "usermod -p '!!$1$abc$hash' app");
    place.law_of_unknown(User::new("app").action(UserAction::Unlock), true);
    setup(&place, "grep -q '^app:$1$abc$hash:' /etc/shadow");

    place.law(User::new("app").action(UserAction::Remove), true);
    place.law_of_unknown(User::new("app").action(UserAction::Remove), false);
    // a group with the same name exists before the user
    place.law(Group::new("daemonized"), true);
    place.law(User::new("daemonized").system().home("/var/lib/daemonized").groups(["two"]), true);
    place.law_of_unknown(User::new("fresh").uid(5000).groups(["two", "one"]), true);
}

#[test]
#[ignore = "needs root"]
fn a_user_with_running_processes_is_removed_by_force_alone() {
    let place = copy();
    place.law(User::new("pallet-busy").uid(47_831).shell("/bin/sh"), true);
    let busy = "setsid setpriv --reuid 47831 --clear-groups sh -c 'trap : TERM; while :; do sleep \
        1; done' >/dev/null 2>&1 </dev/null &\nsleep 0.3\n";
    let remove = |force| User { force, ..User::new("pallet-busy").action(UserAction::Remove) };
    let change = |action: User| {
        let action = place.prepared(action);
        let change = action
            .plan(&mut place.observe(&action))
            .expect("it can be planned")
            .expect("it is there");
        Change { script: Script::new().raw(busy).raw(change.script.as_str()), ..change }
    };
    let said = place.apply(&change(remove(false))).expect_err("it runs");
    assert!(
        said.contains("the user pallet-busy has running processes (")
            && said.contains("force = True"),
        "{said}"
    );
    assert_eq!(place.apply(&change(remove(true))), Ok(true));
    setup(
        &place,
        "! grep -q ^pallet-busy: /etc/passwd; ! ps -eo uid=,stat= | grep -v Z | grep -qw 47831",
    );
    place.law(remove(true), false);
}

/// A repository with two packages: `law-one` in two versions, one of them with a configuration
/// file, and `law-two`, which depends on it.
pub(super) const REPOSITORY: &str = r#"
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/* /var/lib/apt/periodic
mkdir -p /repo /etc/law
make() { # NAME VERSION DEPENDS
  mkdir -p /build/DEBIAN /build/etc
  rm -rf /build/etc/*
  printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: law\nDepends: %s\nDescription: a test\n' "$1" "$2" "$3" >/build/DEBIAN/control
  echo "$2" >/build/etc/"$1".conf
  echo "/etc/$1.conf" >/build/DEBIAN/conffiles
  dpkg-deb -Znone -b /build /repo/"$1"_"$2".deb >/dev/null
  { sed '/^Depends: $/d' /build/DEBIAN/control
    printf 'Filename: ./%s_%s.deb\nSize: %s\nSHA256: %s\n\n' "$1" "$2" "$(stat -c %s /repo/"$1"_"$2".deb)" "$(sha256sum </repo/"$1"_"$2".deb | cut -c1-64)"
  } >>/repo/Packages
}
make law-one 1.0-1 dpkg
make law-one 1.1-1 dpkg
make law-two 3:2.0-1 law-one
echo 'deb [trusted=yes] file:/repo ./' >/etc/apt/sources.list
"#;

/// Holds a lock as apt does, for some seconds.
const LOCK: &str = r#"
perl -e 'use Fcntl; open(my $file, ">>", shift) or die; fcntl($file, F_SETLK, pack("s s l! l! i", 1, 0, 0, 0, 0)) or die; sleep 4' FILE >/dev/null 2>&1 </dev/null &
sleep 0.5
"#;

#[test]
#[ignore = "needs root, and apt"]
fn fault_16_locks_of_lists_and_archives_are_waited_for() {
    let place = copy();
    setup(&place, REPOSITORY);
    for (action, file) in [(0, "/var/lib/apt/lists/lock"), (1, "/var/cache/apt/archives/lock")] {
        let mut state = NodeState::new(place.observe(&Package::install("law-one")).os);
        let change = if action == 0 {
            PackageManager::update().plan(&mut state)
        } else {
            Package::install("law-one").plan(&mut state)
        };
        let change = change.expect("it can be planned").expect("it may have something to do");
        let script = Script::new().raw(&LOCK.replace("FILE", file)).raw(change.script.as_str());
        assert_eq!(place.apply(&Change { script, ..change }), Ok(true), "{file}");
    }
}

#[test]
#[ignore = "needs root, and apt"]
fn packages_are_held() {
    let place = copy();
    setup(&place, REPOSITORY);
    let one = |version: &str| Package::install("law-one").version(version);
    place.law(one("1.0-1").hold(true), true);
    place.law(one("1.0-1").hold(true), false);
    place.law_of_unknown(one("1.0-1").hold(true), false);
    setup(&place, "apt-mark showhold | grep -qx law-one");
    let upgrade = PackageManager::upgrade();
    let change = upgrade
        .plan(&mut place.observe(&upgrade))
        .expect("it can be planned")
        .expect("it may have something to do");
    drop(place.apply(&change));
    place.law(one("1.0-1"), false);
    // declared packages are still installed
    place.law(one("1.1-1").hold(true), true);
    place.law(one("1.1-1").hold(false), true);
    place.law(one("1.1-1").hold(false), false);
    place.law_of_unknown(Package::install("law-two").hold(true), true);
}

#[test]
#[ignore = "needs root, and apt"]
fn what_comes_and_goes_along_is_known_before() {
    let place = copy();
    setup(&place, REPOSITORY);
    let asked = |names: &[&str]| place.observe(&Packages::install(names.iter().copied()));
    let names = |set: Option<&std::collections::BTreeSet<String>>| {
        set.map(|set| set.iter().cloned().collect::<Vec<_>>().join(" "))
    };
    assert_eq!(names(asked(&["law-two"]).coming("law-two")), None, "there are no lists yet");
    setup(&place, "apt-get -q update >/dev/null 2>&1; sleep 1");
    let seen = "find /var/cache/apt /var/lib/apt /var/lib/dpkg /var/log /etc/apt -printf '%p %T@ \
        %s\\n' | sort | cksum";
    let before = place.run(seen).stdout;
    let state = asked(&["law-two", "law-one", "law-three"]);
    assert_eq!(place.run(seen).stdout, before, "observing wrote something");
    assert_eq!(names(state.coming("law-two")).as_deref(), Some("law-one law-two"));
    assert_eq!(names(state.coming("law-one")).as_deref(), Some("law-one"));
    assert_eq!(names(state.coming("law-three")), None);
    // a package that is installed along with it is known, and others are still known
    let install = place.prepared(Packages::install(["law-two"]));
    let mut state = state;
    state.set_service(
        "pallet-law",
        crate::observe::ServiceState { exists: true, running: true, enabled: None, masked: false },
    );
    state.set_service(
        "ssh",
        crate::observe::ServiceState { exists: true, running: true, enabled: None, masked: false },
    );
    let change = install.plan(&mut state).expect("it can be planned").expect("it is not there");
    assert!(Package::install("law-one").plan(&mut state).expect("it can be planned").is_none());
    assert!(
        state.service("ssh").known().is_some() && state.service("pallet-law").known().is_none()
    );
    assert_eq!(place.apply(&change), Ok(true));
    let state = place.observe(&Packages::install(["law-one"]).action(PackageAction::Remove));
    assert_eq!(names(state.leaving("law-one")).as_deref(), Some("law-one law-two"));
}

#[test]
#[ignore = "needs root, and apt"]
fn packages_of_apt() {
    let place = copy();
    // any provider of a virtual package counts
    place.law(Package::install("awk"), false);
    place.law_of_unknown(Package::install("awk"), false);
    setup(&place, REPOSITORY);
    // there are no lists yet, so they are fetched first
    place.law(Package::install("law-one").version("1.0-1"), true);
    place.law_of_unknown(Package::install("law-one"), false);
    place.law_of_unknown(Package::install("law-one").version("1.0"), false);
    place.law(Package::install("law-one").version("1.1*"), true);
    place.law_of_unknown(Package::install("law-one").version("1.0-1"), true);
    setup(&place, "echo changed >/etc/law-one.conf");
    let upgrade = place.prepared(Package::upgrade("law-one"));
    let change = upgrade
        .plan(&mut place.observe(&upgrade))
        .expect("it can be planned")
        .expect("it may have something to do");
    assert_eq!((change.certainty, place.apply(&change)), (Certainty::May, Ok(true)));
    assert_eq!(place.apply(&change), Ok(false));
    setup(&place, "grep -q changed /etc/law-one.conf");
    place.law(Package::install("law-two").version("2.0"), true);
    place.law(Package::remove("law-one"), true);
    place.law_of_unknown(Package::remove("law-one"), false);
    assert!(
        place
            .observe(&Package::install("law-two"))
            .package("law-two")
            .known()
            .is_some_and(|state| !matches!(state, crate::observe::PackageState::Installed { .. }))
    );
    place.law(Package::purge("law-one"), true);
    place.law_of_unknown(Package::purge("law-one"), false);
    let said = place.refuses(Package::install("law.on"));
    assert!(said.contains("apt knows no package law.on"), "{said}");
    // old lists are fetched again before it fails
    setup(
        &place,
        "touch -d '2 days ago' /var/lib/pallet/package-lists /var/lib/apt/lists/partial; \
        rm -rf /var/lib/apt/periodic",
    );
    let said = place.fails(Package::install("law.on"));
    assert!(said.contains("Unable to locate package law.on"), "{said}");

    place.law(PackageManager::update(), false);
    setup(
        &place,
        "touch -d '2 days ago' /var/lib/pallet/package-lists /var/lib/apt/lists/partial; \
        rm -rf /var/lib/apt/periodic",
    );
    place.law(PackageManager::update(), true);
    place.law_of_unknown(PackageManager::update(), false);
    setup(&place, "rm -rf /var/lib/apt/lists/*");
    place.law(PackageManager::update(), true);
}
