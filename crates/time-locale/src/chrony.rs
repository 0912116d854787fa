//! The clock: chrony, as client and as server.

use pallet_core::prelude::*;

use super::arguments::Chrony;
use super::directives::render;
use super::sources::nodes;
use super::system::{System, system};

/// The flag that is set when chrony needs a restart.
const CHANGED: &str = "time-locale-chrony";

pub(crate) fn chrony(request: &mut Request, chrony: Chrony) -> Result<()> {
    let system = system(request)?;
    let nodes = nodes(request, chrony.group.as_deref(), chrony.role.as_deref())?;
    let content = render(&chrony, &nodes, system)?;
    request.add(Package::install("chrony"))?;
    request.add_with(
        file(system.configuration, content).verify("chronyd -p -f"),
        Options::new().flag_on_change(CHANGED),
    )?;
    command_line(request, system, chrony.control_clock)?;
    if request.target()?.os.family == OsFamily::Arch {
        // the units exclude each other, and images enable this one
        request.add(Service::stop("systemd-timesyncd").enabled(false))?;
    }
    request.add(Service::start(system.service).enabled(true))?;
    request.add_with(Service::restart(system.service), Options::new().if_flag(CHANGED))
}

fn file(path: impl Into<String>, content: String) -> RemoteFile {
    RemoteFile::content(path, content).owner("root").group("root").mode(0o644)
}

/// Says whether chronyd sets the clock. systemd starts it only where it may, unless told otherwise.
fn command_line(request: &mut Request, system: &System, control_clock: bool) -> Result<()> {
    let (path, variable, own) = system.arguments;
    let words = if control_clock { own.to_owned() } else { format!("{own} -x") };
    let content = format!("# written by pallet\n{variable}=\"{}\"\n", words.trim_start());
    let changed = || Options::new().flag_on_change(CHANGED);
    if request.target()?.os.family == OsFamily::Arch {
        // it has no such directory by itself, though the unit of chrony reads the file
        request.add(Directory::at("/etc/sysconfig"))?;
    }
    request.add_with(file(path, content), changed())?;
    if request.target()?.os.service_manager != ServiceManager::Systemd {
        return Ok(());
    }
    let directory = format!("/etc/systemd/system/{}.service.d", system.service);
    let part = format!("{directory}/pallet.conf");
    let unit = Options::new().flag_on_change("time-locale-unit");
    if control_clock {
        request.add_with(File::at(part).absent(), unit)?;
    } else {
        let content = "# written by pallet\n[Unit]\nConditionCapability=\n".to_owned();
        request.add(Directory::at(directory))?;
        request.add_with(file(part, content), unit)?;
    }
    request.add_with(
        ExecCheckedScript::new("make systemd read the unit", "systemctl daemon-reload"),
        Options::new().if_flag("time-locale-unit"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::TimeLocale;
    use super::*;

    fn content(system: &str, arguments: Value, path: &str) -> String {
        let mut recorder = Recorder::<TimeLocale>::on(system);
        recorder.call("chrony", arguments).unwrap();
        let actions = recorder.actions();
        let file = actions.iter().find(|one| one.subject == path).unwrap();
        file.arguments["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn sources_and_networks_are_listed() {
        let arguments = json!({"servers": ["192.0.2.1"], "pools": ["pool.example"],
            "allow": ["192.0.2.0/24"], "local_stratum": 10, "makestep": {"limit": -1},
            "directives": ["leapsectz right/UTC"]});
        assert_eq!(
            content("debian 12", arguments, "/etc/chrony/chrony.conf"),
            "# written by pallet\nserver 192.0.2.1 iburst\npool pool.example iburst\n\
             driftfile /var/lib/chrony/chrony.drift\nmakestep 1 -1\nrtcsync\n\
             allow 192.0.2.0/24\nlocal stratum 10\nleapsectz right/UTC\n"
        );
    }

    #[test]
    fn a_node_that_may_not_set_the_clock_only_measures() {
        let arguments = json!({"servers": ["a.example"], "control_clock": false});
        let line = content("rocky 9", arguments.clone(), "/etc/sysconfig/chronyd");
        assert_eq!(line, "# written by pallet\nOPTIONS=\"-F 2 -x\"\n");
        let path = "/etc/systemd/system/chronyd.service.d/pallet.conf";
        assert!(content("rocky 9", arguments, path).ends_with("[Unit]\nConditionCapability=\n"));
    }

    #[test]
    fn arch_has_neither_the_directory_nor_another_clock() {
        let mut recorder = Recorder::<TimeLocale>::on("arch");
        recorder.call("chrony", json!({"servers": ["a.example"]})).unwrap();
        let declared = recorder.declared();
        let place = |one: &str| declared.iter().position(|other| other == one).unwrap();
        assert!(place("directory /etc/sysconfig") < place("remote_file /etc/sysconfig/chronyd"));
        assert!(place("service systemd-timesyncd") < place("service chronyd"));
    }

    #[test]
    fn what_is_no_clock_is_refused() {
        for (arguments, said) in [
            (json!({}), "no source of time"),
            // it is its only node
            (json!({"group": "group"}), "no source of time"),
            (json!({"servers": ["a b"]}), "cannot be a time server"),
            (json!({"servers": ["a"], "allow": ["a; b"]}), "is no network"),
            (json!({"servers": ["a"], "makestep": {"threshold": 0.0}}), "above 0"),
            (json!({"local_stratum": 16}), "1 to 15"),
            (json!({"servers": ["a"], "directives": ["a\nb"]}), "not one line"),
        ] {
            let error =
                Recorder::<TimeLocale>::on("debian 12").call("chrony", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
