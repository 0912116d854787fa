//! A unit: its file, checked by systemd before it takes its place, and whether it runs.

use pallet_core::action::service::ServiceAction;
use pallet_core::action::service_script::ServiceImpl;
use pallet_core::prelude::*;

use super::manager::{is_template, reload, require, unit_name, unit_path};
use super::text::{self, Sections};
use super::verify;

/// Where the files of units are checked before they take their place.
const CHECKED: &str = "/var/lib/pallet/units";

parameters! {
    /// Ensures a unit of systemd in `/etc/systemd/system`, or that there is none.
    ///
    /// `systemd-analyze verify` must accept the file before it takes its place: also a line that
    /// systemd would only ignore is refused, and a program that does not exist. Then the old unit
    /// stays and runs on. systemd reads its units again after a change. A secret is refused,
    /// because everybody can read units: write it to a file, and name that in `EnvironmentFile` or
    /// `LoadCredential`.
    ///
    /// Example: `systemd.unit(request, "app", sections = {"Unit": {"After": "network.target"}, "Service": {"ExecStart": "/usr/local/bin/app", "User": "app"}, "Install": {"WantedBy": "multi-user.target"}}, started = True, enabled = True)`
    pub(crate) struct Unit {
        /// Name: `app.socket`. Without a kind, it is a service.
        name: String,
        /// Sections, each a dict of settings. A list of values repeats its setting.
        #[serde(default)]
        #[schemars(with = "Option<Sections>")]
        sections: Option<Value>,
        /// The whole file, instead of `sections`.
        #[serde(default)]
        content: Option<String>,
        /// Whether it runs. Default: unchanged.
        #[serde(default)]
        started: Option<bool>,
        /// Whether it starts at boot, which needs a section `Install`. Default: unchanged.
        #[serde(default)]
        enabled: Option<bool>,
        /// Restart it when its file changed, if `started` is true.
        #[serde(default = "yes")]
        restart: bool,
        /// Let systemd check the file before it takes its place.
        #[serde(default = "yes")]
        verify: bool,
        /// Sets this flag if the file changed.
        #[serde(default)]
        flag_on_change: Option<String>,
        /// Overwrite a file that was changed by hand.
        #[serde(default)]
        overwrite_changes: bool,
        /// `present`, or `absent`: it is stopped and disabled, and its files and drop-ins are
        /// deleted.
        #[serde(default)]
        action: Presence,
    }
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Presence {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

pub(crate) fn yes() -> bool {
    true
}

/// The file of a unit to be placed.
pub(crate) struct UnitFile<'a> {
    pub(crate) unit: &'a str,
    pub(crate) text: String,
    pub(crate) verify: bool,
    /// This flag is set if the file changed.
    pub(crate) flag: String,
    pub(crate) overwrite_changes: bool,
}

pub(crate) fn unit(request: &mut Request, arguments: Unit) -> Result<()> {
    require(request)?;
    let unit = unit_name(&arguments.name)?;
    if arguments.action == Presence::Absent {
        ensure!(
            arguments.sections.is_none()
                && arguments.content.is_none()
                && arguments.started != Some(true)
                && arguments.enabled != Some(true),
            "unit {unit} is to be absent; omit its sections, content, started and enabled"
        );
        return remove(request, &unit);
    }
    let (started, enabled) = (arguments.started, arguments.enabled);
    ensure!(
        !is_template(&unit) || (started.is_none() && enabled.is_none()),
        "{unit} is a template; start its instances with service(request, \"NAME@INSTANCE\")"
    );
    let text = text::of(&unit, arguments.content.as_deref(), arguments.sections.as_ref())?;
    let flag = arguments.flag_on_change.unwrap_or_else(|| format!("systemd {unit}"));
    let file = UnitFile {
        unit: &unit,
        text,
        verify: arguments.verify,
        flag: flag.clone(),
        overwrite_changes: arguments.overwrite_changes,
    };
    place(request, &[file])?;
    run(request, &unit, started, enabled, arguments.restart.then_some(&flag))
}

/// Places files of units that systemd accepts: all of them, or none. systemd reads them.
pub(crate) fn place(request: &mut Request, files: &[UnitFile<'_>]) -> Result<()> {
    if files.iter().any(|file| file.verify) {
        verify::put(request)?;
        request.add(Directory::at(CHECKED).owner("root").group("root").mode(0o700))?;
    }
    for UnitFile { unit, text, .. } in files.iter().filter(|file| file.verify) {
        request.add(
            RemoteFile::content(checked(unit), text.clone())
                .owner("root")
                .group("root")
                .mode(0o600)
                .verify(verify::command(unit))
                .max_versions(0)
                .overwrite_changes(),
        )?;
    }
    for UnitFile { unit, text, flag, overwrite_changes, .. } in files {
        let script = ServiceScript::content(*unit, text.clone());
        let mut script = script.service_impl(ServiceImpl::Systemd);
        script.overwrite_changes = *overwrite_changes;
        request.add_with(script, Options::new().flag_on_change(flag))?;
    }
    Ok(())
}

fn checked(unit: &str) -> String {
    format!("{CHECKED}/{unit}")
}

/// Makes the unit run or not, and restarts it if the flag is set.
pub(crate) fn run(
    request: &mut Request,
    unit: &str,
    started: Option<bool>,
    enabled: Option<bool>,
    flag: Option<&String>,
) -> Result<()> {
    let with = |service: Service| match enabled {
        Some(enabled) => service.enabled(enabled),
        None => service,
    };
    match (started, enabled) {
        (Some(true), _) => {
            // a unit that is new starts once
            if let Some(flag) = flag {
                request.add_with(with(Service::restart(unit)), Options::new().if_flag(flag))?;
            }
            request.add(with(Service::start(unit)))
        }
        (Some(false), _) => request.add(with(Service::stop(unit))),
        (None, Some(enabled)) => {
            let action = if enabled { ServiceAction::Enable } else { ServiceAction::Disable };
            request.add(Service::start(unit).action(action))
        }
        (None, None) => Ok(()),
    }
}

/// Stops, disables and removes a unit with its drop-ins.
pub(crate) fn remove(request: &mut Request, unit: &str) -> Result<()> {
    if !is_template(unit) {
        request.add(Service::stop(unit).enabled(false))?;
    }
    let path = unit_path(unit);
    let flag = format!("systemd remove {unit}");
    let changed = || Options::new().flag_on_change(&flag);
    request.add_with(File::at(&path).absent(), changed())?;
    request.add_with(Directory::at(format!("{path}.d")).absent(), changed())?;
    request.add(File::at(checked(unit)).absent())?;
    reload(request, &flag)
}

#[cfg(test)]
mod tests {
    use super::super::Systemd;
    use super::*;

    fn app(more: Value) -> Value {
        let mut arguments = json!({
            "name": "app",
            "sections": {"Service": {"ExecStart": "/usr/bin/app"}},
        });
        let all = arguments.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        arguments
    }

    #[test]
    fn a_unit_is_checked_placed_and_started() {
        let mut recorder = Recorder::<Systemd>::on("debian 12");
        recorder.call("unit", app(json!({"started": true, "enabled": true}))).unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "directory /usr/local/lib/pallet",
                "remote_file /usr/local/lib/pallet/systemd-verify",
                "directory /var/lib/pallet/units",
                "remote_file /var/lib/pallet/units/app.service",
                "service_script app.service",
                "service app.service",
                "service app.service"
            ]
        );
        let actions = recorder.actions();
        let (checked, placed) = (&actions[3].arguments, &actions[4].arguments);
        assert_eq!(checked["verify"], "sh /usr/local/lib/pallet/systemd-verify app.service");
        assert_eq!(checked["content"], placed["content"]);
        assert_eq!(actions[5].options.if_flag, actions[4].options.flag_on_change);
        assert_eq!(actions[5].arguments["action"], "restart");
        assert_eq!(actions[6].arguments["action"], "start");
    }

    #[test]
    fn a_caller_may_have_its_own_flag() {
        let mut recorder = Recorder::<Systemd>::on("debian 12");
        recorder
            .call("unit", app(json!({"verify": false, "flag_on_change": "app", "enabled": false})))
            .unwrap();
        assert_eq!(recorder.declared(), ["service_script app.service", "service app.service"]);
        let actions = recorder.actions();
        assert_eq!(actions[0].options.flag_on_change.as_deref(), Some("app"));
        assert_eq!(actions[1].arguments["action"], "disable");
    }

    #[test]
    fn a_unit_goes_with_all_its_files() {
        let mut recorder = Recorder::<Systemd>::on("debian 12");
        recorder.call("unit", json!({"name": "app.timer", "action": "absent"})).unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "service app.timer",
                "file /etc/systemd/system/app.timer",
                "directory /etc/systemd/system/app.timer.d",
                "file /var/lib/pallet/units/app.timer",
                "exec_checked_script read the units again"
            ]
        );
    }

    #[test]
    fn what_makes_no_unit_is_refused() {
        let refused = |system: &str, arguments: Value| {
            let error = Recorder::<Systemd>::on(system).call("unit", arguments).unwrap_err();
            error.to_string()
        };
        let absent = refused("debian 12", app(json!({"action": "absent"})));
        assert!(absent.contains("omit its sections"), "{absent}");
        let none = refused("debian 12", json!({"name": "app"}));
        assert!(none.contains("either sections or content"), "{none}");
        let template = refused("debian 12", app(json!({"name": "app@", "started": true})));
        assert!(template.contains("is a template"), "{template}");
        let other = refused("alpine 3.20", app(json!({})));
        assert!(other.contains("is not run by systemd, but by openrc"), "{other}");
    }
}
