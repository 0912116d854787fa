//! Limits of services: systemd's defaults for its units.

use std::fmt::Write;

use pallet_core::prelude::*;

use super::value::{Table, item};

/// The flag that is set when the defaults changed.
const CHANGED: &str = "limits-services";
const DIRECTORY: &str = "/etc/systemd/system.conf.d";

parameters! {
    /// Sets the default limits of services, and makes systemd read them. Services that run keep
    /// theirs until they are restarted; a unit's own `LimitNOFILE=` wins.
    ///
    /// Example: `limits.services(request, {"nofile": {"soft": 1024, "hard": 524288}})`
    pub(crate) struct ServiceLimits {
        /// The limits, as those of `limits.limit`, without the logins and the priority, which
        /// are of sessions only. `{}` removes them.
        limits: Table,
    }
}

pub(crate) fn services(request: &mut Request, arguments: ServiceLimits) -> Result<()> {
    let os = request.target()?.os;
    ensure!(
        os.service_manager == ServiceManager::Systemd,
        "limits.services needs systemd, and {os} has {}",
        os.service_manager.as_str()
    );
    let path = format!("{DIRECTORY}/90-pallet-limits.conf");
    let changed = || Options::new().flag_on_change(CHANGED);
    if arguments.limits.is_empty() {
        request.add_with(File::at(path).absent(), changed())?;
    } else {
        let content = render(&arguments.limits)?;
        let file = RemoteFile::content(path, content).owner("root").group("root").mode(0o644);
        request.add(Directory::at(DIRECTORY))?;
        request.add_with(file, changed())?;
    }
    let read = ExecCheckedScript::new("make systemd read its limits", "systemctl daemon-reload");
    request.add_with(read, Options::new().if_flag(CHANGED))
}

fn render(limits: &Table) -> Result<String> {
    let mut out = "# written by pallet\n[Manager]\n".to_owned();
    for (name, limit) in limits {
        let (_, row) = item(name)?;
        let (key, unit) = row.with_context(|| format!("{name} is no limit of services"))?;
        let shown = |value: Option<i64>| match value {
            None => Ok("infinity".to_owned()),
            // a nice value is written with its sign; without one it is the raw limit
            Some(value) if name == "nice" => Ok(format!("{value:+}")),
            Some(value) => {
                let value = value.checked_mul(unit);
                value.map(|value| value.to_string()).with_context(|| format!("{name} is too much"))
            }
        };
        let value = match limit.parts(name)? {
            [Some(soft), Some(hard)] if soft == hard => shown(soft)?,
            [Some(soft), Some(hard)] => format!("{}:{}", shown(soft)?, shown(hard)?),
            _ => bail!("the limit {name} of services needs both soft and hard"),
        };
        writeln!(out, "DefaultLimit{key}={value}")?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;

    fn call(arguments: Value) -> Result<Recorder<Limits>, PluginError> {
        let mut recorder = Recorder::<Limits>::on("debian 12");
        recorder.call("services", arguments)?;
        Ok(recorder)
    }

    #[test]
    fn units_are_those_of_systemd() {
        let limits = json!({"memlock": 64, "nofile": {"soft": 1024, "hard": "unlimited"},
            "nice": -5});
        let recorder = call(json!({"limits": limits})).unwrap();
        assert_eq!(
            recorder.actions()[1].arguments["content"],
            "# written by pallet\n[Manager]\nDefaultLimitMEMLOCK=65536\nDefaultLimitNICE=-5\n\
             DefaultLimitNOFILE=1024:infinity\n"
        );
        assert_eq!(recorder.actions()[2].options.if_flag.as_deref(), Some(CHANGED));
    }

    #[test]
    fn what_is_no_limit_of_services_is_refused() {
        for (limits, said) in [
            (json!({"maxlogins": 1}), "no limit of services"),
            (json!({"nofile": {"soft": 1}}), "needs both"),
        ] {
            let error = call(json!({"limits": limits})).err().unwrap();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
