//! The law of actions that change the system, in a copy of this machine's root. They need root: `cargo test -- --ignored`.

use super::super::service::ServiceAction;
use super::super::user::UserAction;
use super::super::{Group, Package, PackageManager, Service, ServiceScript, User};
use super::*;
use crate::script::LIBRARY;

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
        let change = action.plan(&mut NodeState::new(place.observe(&action).os)).expect("it can be planned").expect("it may change");
        // what is mounted is gone after the run, so all of it is one
        let output = place.shell.run(&format!(
            "mount -t tmpfs -o size=48k tmpfs /mnt; echo old >/mnt/file; mkdir /incoming; incoming=/incoming\n\
             head -c 90000 /dev/zero | tr '\\0' x >\"/incoming/$(head -c 90000 /dev/zero | tr '\\0' x | sha256sum | cut -c1-64)\"\n\
             {LIBRARY}\n( set -e; change=\n{}\necho applied ) </dev/null; echo \"ended $?\"; cat /mnt/file; ls -A /mnt",
            change.script.as_str()
        ));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "ended 1\nold\nfile\n", "{}", String::from_utf8_lossy(&output.stderr));
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

    // only new users are made so
    place.law(User::new("app").shell("/bin/bash").action(UserAction::Create), false);
    place.law_of_unknown(User::new("app").shell("/bin/bash").action(UserAction::Create), false);
    place.law(User::new("fresh").home("/srv/fresh").password("$6$salt$a/b.c").action(UserAction::Create), true);
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
    // a group of the same name is there before the user
    place.law(Group::new("daemonized"), true);
    place.law(User::new("daemonized").system().home("/var/lib/daemonized").groups(["two"]), true);
    place.law_of_unknown(User::new("fresh").uid(5000).groups(["two", "one"]), true);
}

#[test]
#[ignore = "needs root"]
fn plain_processes() {
    let place = copy();
    let sleep = || Service::start("pallet-law").command("trap : HUP; sleep 60 & wait; sleep 60");
    place.law(sleep(), true);
    place.law(sleep(), false);
    place.law_of_unknown(sleep(), false);
    let running = "read -r pid started </run/pallet/pallet-law.pid; kill -0 $pid";
    setup(&place, running);
    for action in [Service::restart("pallet-law").command("exec sleep 60"), Service::reload("pallet-law").command("exec sleep 60")] {
        let action = place.prepared(action);
        let change = action.plan(&mut place.observe(&action)).expect("it can be planned").expect("it always acts");
        assert_eq!(place.apply(&change), Ok(true));
    }
    place.law(Service::stop("pallet-law"), place.observe(&sleep()).service("pallet-law").known().is_some_and(|service| service.running));
    place.law_of_unknown(Service::stop("pallet-law"), false);
    place.law_of_unknown(sleep(), true);
    // the number of a process that is gone may be another's by now
    setup(&place, &format!("{running}; cp /run/pallet/pallet-law.pid /tmp/pid; echo \"$pid 1\" >/run/pallet/pallet-law.pid"));
    assert!(place.observe(&sleep()).service("pallet-law").known().is_some_and(|service| !service.running));
    setup(&place, "cp /tmp/pid /run/pallet/pallet-law.pid");
    place.law_of_unknown(Service::stop("pallet-law"), true);
    // all that it had started went with it
    setup(&place, "read -r pid started </tmp/pid; ! ps -eo pgid=,stat= | grep -v Z | grep -q -w \"$pid\"");
    let said = place.fails(Service::start("pallet-law").command("echo 'no such thing' >&2; exit 1"));
    assert_eq!(said, "no such thing\npallet-law ended at once; its command must stay in the foreground\n");
}

const INIT_SCRIPT: &str = r#"
cat >/etc/init.d/pallet-law <<'END'
#!/bin/sh
### BEGIN INIT INFO
# Provides: pallet-law
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Short-Description: a test
### END INIT INFO
case $1 in
  start) touch /var/run-mark ;;
  stop) rm -f /var/run-mark ;;
  restart) touch /var/run-mark ;;
  status) [ -e /var/run-mark ] || exit 3 ;;
  *) exit 2 ;;
esac
END
chmod +x /etc/init.d/pallet-law
"#;

#[test]
#[ignore = "needs root"]
fn init_scripts() {
    let place = copy();
    setup(&place, INIT_SCRIPT);
    place.law(Service::start("pallet-law"), true);
    place.law(Service::start("pallet-law").enabled(true), true);
    place.law_of_unknown(Service::start("pallet-law").enabled(true), false);
    place.law_of_unknown(Service::stop("pallet-law"), true);
    place.law(Service::stop("pallet-law").enabled(false), true);
    place.law_of_unknown(Service::stop("pallet-law").enabled(false), false);
    place.law_of_unknown(Service::start("pallet-law").enabled(true), true);
    let said = place.prepared(Service::start("no-such-service"));
    let error = said.plan(&mut place.observe(&said)).expect_err("nothing knows it");
    assert!(error.to_string().starts_with("nothing on this node knows the service no-such-service"), "{error}");
}

/// What stands for runit's `sv`: it knows the services whose links are there.
const SV: &str = r#"#!/bin/sh
name=${2##*/}
if [ ! -e "$2/run" ]; then echo "fail: $2: unable to change to service directory: file does not exist"; exit 1; fi
case $1 in
  status) if [ -e "/var/run-$name" ]; then echo "run: $2: (pid 77) 5s"; else echo "down: $2: 5s"; fi ;;
  start | restart) : >"/var/run-$name" ;;
  stop) rm -f "/var/run-$name" ;;
  reload) ;;
esac
"#;

#[test]
#[ignore = "needs root"]
fn services_of_runit() {
    let place = copy();
    setup(&place, &format!("mkdir -p /run/runit /etc/sv /etc/service\ncat >/usr/local/bin/sv <<'SV'\n{SV}SV\nchmod 755 /usr/local/bin/sv"));
    let demo = || Service::start("demo");
    assert_eq!(place.observe(&demo()).os.service_manager, crate::model::ServiceManager::Runit);
    place.law(ServiceScript::content("demo", "#!/bin/sh\nexec sleep 1000\n"), true);
    place.law(ServiceScript::content("demo", "#!/bin/sh\nexec sleep 1000\n"), false);
    place.law(demo(), true);
    setup(&place, "test -e /etc/sv/demo/down && test -L /etc/service/demo && test -e /var/run-demo");
    place.law(demo().enabled(true), true);
    setup(&place, "! test -e /etc/sv/demo/down");
    place.law_of_unknown(demo().enabled(true), false);
    place.law_of_unknown(Service::stop("demo").enabled(false), true);
    place.law(Service::stop("demo").enabled(false), false);
    place.law(demo().action(ServiceAction::Enable), true);
    place.law(demo().action(ServiceAction::Disable), true);
}

/// What stands for OpenRC's tools, where there is no OpenRC.
const OPENRC: &str = r#"
mkdir -p /run/openrc /etc/runlevels/default
cat >/usr/local/sbin/rc-service <<'END'
#!/bin/sh
exec "/etc/init.d/$1" "$2"
END
cat >/usr/local/sbin/rc-update <<'END'
#!/bin/sh
case $1 in
  add) ln -sf "/etc/init.d/$2" "/etc/runlevels/$3/$2" ;;
  -a) rm -f /etc/runlevels/*/"$3" ;;
esac
END
chmod 755 /usr/local/sbin/rc-service /usr/local/sbin/rc-update
"#;

const OPENRC_SCRIPT: &str = r#"#!/bin/sh
# what openrc-run would make of a script
case $1 in
  start | restart) : >/var/run-demo ;;
  stop) rm -f /var/run-demo ;;
  status) [ -e /var/run-demo ] || exit 3 ;;
esac
"#;

#[test]
#[ignore = "needs root"]
fn services_of_openrc() {
    let place = copy();
    setup(&place, OPENRC);
    let demo = || Service::start("demo");
    assert_eq!(place.observe(&demo()).os.service_manager, crate::model::ServiceManager::Openrc);
    place.law(ServiceScript::content("demo", OPENRC_SCRIPT), true);
    place.law(demo(), true);
    place.law_of_unknown(demo().enabled(true), true);
    setup(&place, "test -L /etc/runlevels/default/demo && test -e /var/run-demo");
    place.law(demo().action(ServiceAction::Disable), true);
    place.law(demo().action(ServiceAction::Enable), true);
    place.law_of_unknown(Service::stop("demo").enabled(false), true);
    place.law(Service::stop("demo").enabled(false), false);
}

const UNIT: &str = "[Service]\nExecStart=/bin/sleep 1000\nExecReload=/bin/kill -CONT $MAINPID\n[Install]\nWantedBy=multi-user.target\n";

#[test]
#[ignore = "needs a node that runs systemd: PALLET_TEST_NODE='nsenter -a -t 1234'"]
fn systemd_units() {
    let place = Place::of(Shell::node());
    let demo = || Service::start("pallet-law");
    assert_eq!(place.observe(&demo()).os.service_manager, crate::model::ServiceManager::Systemd);
    place.law_of_unknown(RemoteFile::content("/etc/systemd/system/pallet-law.service", UNIT), true);
    place.law(demo(), true);
    place.law(demo().enabled(true), true);
    place.law_of_unknown(demo().enabled(true), false);
    place.law(RemoteFile::content("/etc/systemd/system/pallet-law.service", UNIT.replace("1000", "2000")), true);
    for (action, again) in [(Service::restart("pallet-law"), "2000"), (Service::reload("pallet-law"), "2000")] {
        let action = place.prepared(action);
        let change = action.plan(&mut place.observe(&action)).expect("it can be planned").expect("it always acts");
        assert_eq!(place.apply(&change), Ok(true));
        setup(&place, &format!("ps -o args= -p $(systemctl show -P MainPID pallet-law) | grep -q {again}"));
    }
    place.law_of_unknown(Service::stop("pallet-law").enabled(false), true);
    place.law(Service::stop("pallet-law").enabled(false), false);
    place.law(demo().enabled(true), true);
    place.law(Service::stop("pallet-law.service").enabled(false), true);
    place.law(Service::start("plain").command("exec sleep 50"), true);
    place.law(Service::stop("plain"), true);
    // what never starts says so
    place.law(RemoteFile::content("/etc/systemd/system/pallet-law.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n"), true);
    let said = place.fails(demo());
    assert!(said.contains("pallet-law.service"), "{said}");
    place.law(File::at("/etc/systemd/system/pallet-law.service").absent(), true);
    setup(&place, "systemctl daemon-reload; systemctl reset-failed pallet-law || :");
    let action = place.prepared(demo());
    assert!(action.plan(&mut place.observe(&action)).is_err());
}

/// A repository of two packages: `law-one` in two versions, one of them with a configuration file, and `law-two`, which needs the other.
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

#[test]
#[ignore = "needs root, and apt"]
fn packages_of_apt() {
    let place = copy();
    // a virtual package is there with whatever provides it
    place.law(Package::install("awk"), false);
    place.law_of_unknown(Package::install("awk"), false);
    setup(&place, REPOSITORY);
    // there are no lists yet: they are fetched first
    place.law(Package::install("law-one").version("1.0-1"), true);
    place.law_of_unknown(Package::install("law-one"), false);
    place.law_of_unknown(Package::install("law-one").version("1.0"), false);
    place.law(Package::install("law-one").version("1.1*"), true);
    place.law_of_unknown(Package::install("law-one").version("1.0-1"), true);
    setup(&place, "echo changed >/etc/law-one.conf");
    let upgrade = place.prepared(Package::upgrade("law-one"));
    let change = upgrade.plan(&mut place.observe(&upgrade)).expect("it can be planned").expect("it may have something to do");
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
            .is_some_and(|state| !matches!(state, crate::model::PackageState::Installed { .. }))
    );
    place.law(Package::purge("law-one"), true);
    place.law_of_unknown(Package::purge("law-one"), false);
    let said = place.fails(Package::install("law.on"));
    assert!(said.contains("Unable to locate package law.on"), "{said}");

    place.law(PackageManager::update(), false);
    setup(&place, "touch -d '2 days ago' /var/lib/pallet/package-lists /var/lib/apt/lists/partial; rm -rf /var/lib/apt/periodic");
    place.law(PackageManager::update(), true);
    place.law_of_unknown(PackageManager::update(), false);
    setup(&place, "rm -rf /var/lib/apt/lists/*");
    place.law(PackageManager::update(), true);
}
