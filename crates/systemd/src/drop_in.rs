//! A drop-in: settings that are added to a unit that somebody else wrote.

use pallet_core::prelude::*;

use super::manager::{is_template, reload, require, unit_name, unit_path};
use super::text::{self, Sections};
use super::unit::{Presence, yes};
use super::verify;

parameters! {
    /// Ensures settings on top of a unit, such as a package's: a drop-in in
    /// `/etc/systemd/system/UNIT.d`.
    ///
    /// `systemd-analyze verify` must accept it together with its unit before it takes its place.
    /// Otherwise the old one stays, and the unit runs on. A setting that holds a list, such as
    /// `ExecStart`, is replaced by a list that begins with an empty value: `["", "/usr/bin/app"]`.
    ///
    /// Example: `systemd.drop_in(request, "nginx", sections = {"Service": {"LimitNOFILE": 65536}})`
    pub(crate) struct DropIn {
        /// The unit: `nginx`, `ssh.socket`.
        unit: String,
        /// Name of the drop-in, so that a unit can have several. Later names win.
        #[serde(default = "default_name")]
        name: String,
        /// Sections, each a dict of settings. A list of values repeats its setting.
        #[serde(default)]
        #[schemars(with = "Option<Sections>")]
        sections: Option<Value>,
        /// The whole file, instead of `sections`.
        #[serde(default)]
        content: Option<String>,
        /// Restart the unit when the drop-in changed. A unit that does not run is started.
        #[serde(default = "yes")]
        restart: bool,
        /// Let systemd check the drop-in before it takes its place.
        #[serde(default = "yes")]
        verify: bool,
        /// Sets this flag if the drop-in changed.
        #[serde(default)]
        flag_on_change: Option<String>,
        /// `present` or `absent`.
        #[serde(default)]
        action: Presence,
    }
}

fn default_name() -> String {
    "pallet".to_owned()
}

pub(crate) fn drop_in(request: &mut Request, arguments: DropIn) -> Result<()> {
    require(request)?;
    let unit = unit_name(&arguments.unit)?;
    let name = arguments.name.trim_end_matches(".conf");
    check_file_name("a drop-in", name)?;
    let directory = format!("{}.d", unit_path(&unit));
    let path = format!("{directory}/{name}.conf");
    let flag = arguments.flag_on_change.unwrap_or_else(|| format!("systemd {unit}.d/{name}.conf"));
    let changed = Options::new().flag_on_change(&flag);
    if arguments.action == Presence::Absent {
        ensure!(
            arguments.sections.is_none() && arguments.content.is_none(),
            "the drop-in {name} of {unit} is to be absent; omit its sections and content"
        );
        request.add_with(File::at(&path).absent(), changed)?;
    } else {
        let what = format!("the drop-in {name} of {unit}");
        let text = text::of(&what, arguments.content.as_deref(), arguments.sections.as_ref())?;
        let mut file = RemoteFile::content(&path, text).owner("root").group("root").mode(0o644);
        if arguments.verify {
            verify::put(request)?;
            file = file.verify(verify::command(&format!("{unit}.d/{name}.conf")));
        }
        request.add(Directory::at(&directory))?;
        request.add_with(file, changed)?;
    }
    reload(request, &flag)?;
    if arguments.restart && !is_template(&unit) {
        request.add_with(Service::restart(&unit), Options::new().if_flag(&flag))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Systemd;
    use super::*;

    #[test]
    fn a_drop_in_is_checked_with_its_unit() {
        let mut recorder = Recorder::<Systemd>::on("debian 12");
        let sections = json!({"Service": {"LimitNOFILE": 65536}});
        recorder.call("drop_in", json!({"unit": "nginx", "sections": sections})).unwrap();
        assert_eq!(
            recorder.declared()[2..],
            [
                "directory /etc/systemd/system/nginx.service.d",
                "remote_file /etc/systemd/system/nginx.service.d/pallet.conf",
                "exec_checked_script read the units again",
                "service nginx.service"
            ]
        );
        let file = &recorder.actions()[3];
        assert_eq!(
            file.arguments["verify"],
            "sh /usr/local/lib/pallet/systemd-verify nginx.service.d/pallet.conf"
        );
        assert_eq!(recorder.actions()[5].options.if_flag, file.options.flag_on_change);
    }

    #[test]
    fn a_name_stays_in_its_directory() {
        for arguments in [
            json!({"unit": "nginx", "name": "../a", "content": "[Service]"}),
            json!({"unit": "../nginx", "content": "[Service]"}),
        ] {
            let error =
                Recorder::<Systemd>::on("debian 12").call("drop_in", arguments).unwrap_err();
            assert!(error.to_string().contains("cannot name a"), "{error}");
        }
    }
}
