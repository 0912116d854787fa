//! The law of services, with each service manager. The tests need root: `cargo test -- --ignored`.

use super::super::service::ServiceAction;
use super::super::{Service, ServiceScript};
use super::system::{copy, setup};
use super::*;

#[test]
#[ignore = "needs root"]
fn fault_11_a_process_that_ends_soon_is_no_service() {
    let place = copy();
    let said =
        place.fails(Service::start("pallet-soon").command("sleep 1; echo 'no luck'; exit 1"));
    assert!(
        said.contains("no luck")
            && said.contains("the service pallet-soon was started, and does not stay up"),
        "{said}"
    );
    place.law(Service::start("pallet-soon").command("sleep 2").min_ready_seconds(0), true);
}

#[test]
#[ignore = "needs root"]
fn fault_11_an_init_script_whose_daemon_ends_soon() {
    let place = copy();
    setup(&place, &INIT_SCRIPT.replace("pallet-law", "pallet-dead"));
    setup(
        &place,
        "sed -i 's/start) touch/start) (sleep 1; rm -f \\/var\\/run-mark) >\\/dev\\/null 2>\\&1 \
         \\& touch/' /etc/init.d/pallet-dead",
    );
    let said = place.fails(Service::start("pallet-dead"));
    assert!(said.contains("the service pallet-dead was started, and does not stay up"), "{said}");
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
    let waits = "trap : HUP; while :; do sleep 60 & wait; done";
    for action in [
        Service::restart("pallet-law").command(waits),
        Service::reload("pallet-law").command(waits),
    ] {
        let action = place.prepared(action);
        let change = action
            .plan(&mut place.observe(&action))
            .expect("it can be planned")
            .expect("it always acts");
        assert_eq!(place.apply(&change), Ok(true));
    }
    place.law(
        Service::stop("pallet-law"),
        place
            .observe(&sleep())
            .service("pallet-law")
            .known()
            .is_some_and(|service| service.running),
    );
    place.law_of_unknown(Service::stop("pallet-law"), false);
    place.law_of_unknown(sleep(), true);
    // the ID of an ended process may have been reused
    setup(
        &place,
        &format!(
            "{running}; cp /run/pallet/pallet-law.pid /tmp/pid; echo \"$pid 1\" \
        >/run/pallet/pallet-law.pid"
        ),
    );
    assert!(
        place
            .observe(&sleep())
            .service("pallet-law")
            .known()
            .is_some_and(|service| !service.running)
    );
    setup(&place, "cp /tmp/pid /run/pallet/pallet-law.pid");
    place.law_of_unknown(Service::stop("pallet-law"), true);
    // all of its child processes ended with it
    setup(
        &place,
        "read -r pid started </tmp/pid; ! ps -eo pgid=,stat= | grep -v Z | grep -q -w \"$pid\"",
    );
    let said =
        place.fails(Service::start("pallet-law").command("echo 'no such thing' >&2; exit 1"));
    assert_eq!(
        said,
        "no such thing\npallet-law ended at once; its command must stay in the foreground\n"
    );
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
    assert!(
        error.to_string().starts_with("nothing on this node knows the service no-such-service"),
        "{error}"
    );
}

/// A fake `sv` of runit: it knows the services whose links exist.
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
    setup(
        &place,
        &format!(
            "mkdir -p /run/runit /etc/sv /etc/service\n\
        cat >/usr/local/bin/sv <<'SV'\n{SV}SV\nchmod 755 /usr/local/bin/sv"
        ),
    );
    let demo = || Service::start("demo");
    assert_eq!(place.observe(&demo()).os.service_manager, crate::model::ServiceManager::Runit);
    place.law(ServiceScript::content("demo", "#!/bin/sh\nexec sleep 1000\n"), true);
    place.law(ServiceScript::content("demo", "#!/bin/sh\nexec sleep 1000\n"), false);
    place.law(demo(), true);
    setup(
        &place,
        "test -e /etc/sv/demo/down && test -L /etc/service/demo && test -e /var/run-demo",
    );
    place.law(demo().enabled(true), true);
    setup(&place, "! test -e /etc/sv/demo/down");
    place.law_of_unknown(demo().enabled(true), false);
    place.law_of_unknown(Service::stop("demo").enabled(false), true);
    place.law(Service::stop("demo").enabled(false), false);
    place.law(demo().action(ServiceAction::Enable), true);
    place.law(demo().action(ServiceAction::Disable), true);
}

/// Fake tools of OpenRC, for machines without it.
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

const UNIT: &str = "[Service]\nExecStart=/bin/sleep 1000\nExecReload=/bin/kill -CONT $MAINPID\n\
    [Install]\nWantedBy=multi-user.target\n";

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
    place.law(
        RemoteFile::content("/etc/systemd/system/pallet-law.service", UNIT.replace("1000", "2000")),
        true,
    );
    for (action, again) in
        [(Service::restart("pallet-law"), "2000"), (Service::reload("pallet-law"), "2000")]
    {
        let action = place.prepared(action);
        let change = action
            .plan(&mut place.observe(&action))
            .expect("it can be planned")
            .expect("it always acts");
        assert_eq!(place.apply(&change), Ok(true));
        setup(
            &place,
            &format!("ps -o args= -p $(systemctl show -P MainPID pallet-law) | grep -q {again}"),
        );
    }
    place.law_of_unknown(Service::stop("pallet-law").enabled(false), true);
    place.law(Service::stop("pallet-law").enabled(false), false);
    place.law(demo().enabled(true), true);
    place.law(Service::stop("pallet-law.service").enabled(false), true);
    place.law(Service::start("plain").command("exec sleep 50"), true);
    place.law(Service::stop("plain"), true);
    // a service that never starts is reported
    place.law(
        RemoteFile::content(
            "/etc/systemd/system/pallet-law.service",
            "[Service]\n\
        Type=oneshot\nExecStart=/bin/false\n",
        ),
        true,
    );
    let said = place.fails(demo());
    assert!(said.contains("pallet-law.service"), "{said}");
    place.law(File::at("/etc/systemd/system/pallet-law.service").absent(), true);
    setup(&place, "systemctl daemon-reload; systemctl reset-failed pallet-law || :");
    let action = place.prepared(demo());
    assert!(action.plan(&mut place.observe(&action)).is_err());
}
