//! Reads what service managers say of services.

use std::collections::BTreeMap;

use super::parse::Answer;
use crate::model::{NodeState, Observation, ServiceState};
use crate::script::services::unit;

/// Reads the answers of the node's service manager and of the files of plain processes.
pub(super) fn read(wanted: &Observation, answers: &[Answer<'_>], state: &mut NodeState) {
    let mut units = BTreeMap::new();
    let mut links = BTreeMap::new();
    for answer in answers {
        match answer.as_slice() {
            ["units", text] => units = systemd(text),
            ["links", name, enabled] => {
                links.insert(*name, *enabled);
            }
            _ => {}
        }
    }
    // a name that nothing answers for is a service that nothing on the node knows
    for name in wanted.services.keys() {
        let mut found = ServiceState { exists: false, running: false, enabled: None };
        if let Some(unit) = units.get(unit(name).as_str()) {
            found = unit.state.clone();
            if unit.generated {
                found.enabled = links.get(name.as_str()).and_then(|enabled| yes_or_no(enabled));
            }
        }
        state.set_service(name, found);
    }
    for answer in answers {
        let (name, found) = match answer.as_slice() {
            ["service", name, running, enabled] => {
                (name, ServiceState { exists: true, running: *running == "yes", enabled: yes_or_no(enabled) })
            }
            ["process", name, _pid] if !state.service(name).known().is_some_and(|known| known.exists) => {
                (name, ServiceState { exists: true, running: true, enabled: None })
            }
            _ => continue,
        };
        if wanted.services.contains_key(*name) {
            state.set_service(name, found);
        }
    }
}

struct Unit {
    state: ServiceState,
    /// It stands for an init script.
    generated: bool,
}

/// Reads the blocks of `systemctl show`: each names its unit with all its aliases, and those that do not exist too.
fn systemd(text: &str) -> BTreeMap<&str, Unit> {
    let mut units = BTreeMap::new();
    for block in text.split("\n\n") {
        let properties: BTreeMap<&str, &str> = block.lines().filter_map(|line| line.split_once('=')).collect();
        let property = |name: &str| properties.get(name).copied().unwrap_or_default();
        for name in property("Names").split(' ').filter(|name| !name.is_empty()) {
            let state = ServiceState {
                exists: !matches!(property("LoadState"), "not-found" | ""),
                running: matches!(property("ActiveState"), "active" | "reloading" | "activating"),
                enabled: match property("UnitFileState") {
                    "enabled" | "enabled-runtime" | "alias" => Some(true),
                    // these are started by others, and can be neither enabled nor disabled
                    "static" | "indirect" | "generated" | "transient" | "" => None,
                    _ => Some(false),
                },
            };
            units.insert(name, Unit { state, generated: property("UnitFileState") == "generated" });
        }
    }
    units
}

fn yes_or_no(word: &str) -> Option<bool> {
    match word {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::check::node;
    use expect_test::{Expect, expect};

    fn check(names: &[&str], answers: &[&[&str]], expected: Expect) {
        let mut state = node().0;
        let mut wanted = Observation::default();
        names.iter().for_each(|name| wanted.service(name));
        let answers: Vec<Answer<'_>> = answers.iter().map(|answer| answer.to_vec()).collect();
        read(&wanted, &answers, &mut state);
        let line = |name: &String| match state.service(name).known() {
            Some(ServiceState { exists, running, enabled }) => format!("{name}: exists {exists}, running {running}, enabled {enabled:?}\n"),
            None => format!("{name}: unknown\n"),
        };
        expected.assert_eq(&wanted.services.keys().map(line).collect::<String>());
    }

    #[test]
    fn systemd_units_answer_for_their_aliases() {
        let units = "Names=mysql.service mariadb.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n\
                     Names=nginx.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n\n\
                     Names=apt-daily.timer\nLoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n\n\
                     Names=old.service\nLoadState=loaded\nActiveState=failed\nUnitFileState=generated\n\n\
                     Names=dbus.service\nLoadState=loaded\nActiveState=active\nUnitFileState=static";
        check(
            &["mysql", "nginx", "apt-daily.timer", "old", "dbus"],
            &[&["units", units], &["links", "old", "yes"]],
            expect![[r#"
                apt-daily.timer: exists true, running false, enabled Some(false)
                dbus: exists true, running true, enabled None
                mysql: exists true, running true, enabled Some(true)
                nginx: exists false, running false, enabled None
                old: exists true, running false, enabled Some(true)
            "#]],
        );
    }

    #[test]
    fn init_scripts_and_processes() {
        check(
            &["cron", "demo", "gone"],
            &[&["service", "cron", "no", "yes"], &["process", "demo", "77"], &["process", "cron", "78"]],
            expect![[r#"
                cron: exists true, running false, enabled Some(true)
                demo: exists true, running true, enabled None
                gone: exists false, running false, enabled None
            "#]],
        );
    }
}
