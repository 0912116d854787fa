//! Upgrades that a node makes by itself: unattended-upgrades of Debian and Ubuntu.

use std::fmt::Write;

use pallet_core::model;
use pallet_core::prelude::*;

use super::schedule::{Window, schedule};

const FILE: &str = "/etc/apt/apt.conf.d/52pallet-unattended-upgrades";

/// Reads the file as apt does.
pub(crate) const CHECK: &str = "sh -c 'APT_CONFIG=$1 exec apt-config dump >/dev/null' check";

parameters! {
    /// Lets a node upgrade its packages by itself, at times of yours. apt checks the configuration
    /// before it takes its place. apt only. Held packages stay.
    ///
    /// Example: `package_policy.unattended_upgrades(request, window = {"time": "03:30", "days": "Sat,Sun", "random_minutes": 30}, reboot = True, reboot_time = "05:00")`
    pub(crate) struct Unattended {
        /// What is upgraded: patterns such as
        /// `origin=Debian,codename=${distro_codename},label=Debian-Security`. Default: security
        /// updates of the distribution.
        #[serde(default)]
        origins: Vec<String>,
        /// Expressions of packages that stay: `linux-`, `libc6$`.
        #[serde(default)]
        exclude: Vec<String>,
        /// When packages are upgraded. Their lists are fetched 30 minutes earlier. Default: the
        /// times of the distribution.
        #[serde(default)]
        window: Option<Window>,
        /// Reboot if an upgrade asks for it.
        #[serde(default)]
        reboot: bool,
        /// The time of that reboot: `04:00`. Default: at once.
        #[serde(default)]
        reboot_time: Option<String>,
        /// Reboot even if users are logged in.
        #[serde(default)]
        reboot_with_users: bool,
        /// Remove packages that nothing needs any more.
        #[serde(default)]
        remove_unused: bool,
        /// The address that gets a report of each upgrade. The node needs a program that sends
        /// mail.
        #[serde(default)]
        mail: Option<String>,
        /// Remove downloaded packages after this number of days; 0 keeps them.
        #[serde(default = "seven")]
        clean_after: u16,
        /// Upgrade by itself. If false, the node does not.
        #[serde(default = "yes")]
        enabled: bool,
    }
}

fn seven() -> u16 {
    7
}

fn yes() -> bool {
    true
}

pub(crate) fn unattended_upgrades(request: &mut Request, arguments: Unattended) -> Result<()> {
    let os = request.target()?.os;
    ensure!(
        os.package_manager == model::PackageManager::Apt,
        "package-policy.unattended_upgrades needs apt, and {os} has {}",
        os.package_manager.as_str()
    );
    let content = render(&arguments, &os)?;
    request.add(Package::install("unattended-upgrades"))?;
    request.add(
        RemoteFile::content(FILE, content).owner("root").group("root").mode(0o644).verify(CHECK),
    )?;
    schedule(request, arguments.window.as_ref())
}

fn render(arguments: &Unattended, os: &Os) -> Result<String> {
    let standard: &[&str] = if os.id == "ubuntu" {
        &["origin=Ubuntu,archive=${distro_codename}-security"]
    } else {
        &["origin=Debian,codename=${distro_codename}-security,label=Debian-Security"]
    };
    let origins: Vec<&str> = match arguments.origins.as_slice() {
        [] => standard.to_vec(),
        listed => listed.iter().map(String::as_str).collect(),
    };
    let mut out = "// written by pallet\n".to_owned();
    let on = |on: bool| if on { "1" } else { "0" };
    let says = |on: bool| if on { "true" } else { "false" };
    for (name, value) in [
        ("APT::Periodic::Update-Package-Lists", on(arguments.enabled).to_owned()),
        ("APT::Periodic::Unattended-Upgrade", on(arguments.enabled).to_owned()),
        ("APT::Periodic::AutocleanInterval", arguments.clean_after.to_string()),
        ("Unattended-Upgrade::Automatic-Reboot", says(arguments.reboot).to_owned()),
        (
            "Unattended-Upgrade::Automatic-Reboot-WithUsers",
            says(arguments.reboot_with_users).to_owned(),
        ),
        (
            "Unattended-Upgrade::Remove-Unused-Dependencies",
            says(arguments.remove_unused).to_owned(),
        ),
    ] {
        writeln!(out, "{name} \"{value}\";")?;
    }
    if let Some(time) = &arguments.reboot_time {
        ensure!(arguments.reboot, "reboot_time needs reboot = True");
        super::schedule::check_time(time)?;
        writeln!(out, "Unattended-Upgrade::Automatic-Reboot-Time \"{time}\";")?;
    }
    if let Some(mail) = &arguments.mail {
        let good = |c: char| c.is_ascii_graphic() && !"\"\\;{}".contains(c);
        ensure!(!mail.is_empty() && mail.chars().all(good), "the mail address {mail:?} is none");
        writeln!(out, "Unattended-Upgrade::Mail \"{mail}\";")?;
    }
    // lists of other files would be joined with these
    list(&mut out, "Allowed-Origins", &[])?;
    list(&mut out, "Origins-Pattern", &origins)?;
    let exclude: Vec<&str> = arguments.exclude.iter().map(String::as_str).collect();
    list(&mut out, "Package-Blacklist", &exclude)?;
    Ok(out)
}

fn list(out: &mut String, name: &str, values: &[&str]) -> Result<()> {
    for value in values {
        ensure!(
            !value.trim().is_empty() && !value.contains(|c: char| c.is_control() || c == '"'),
            "{value:?} cannot stand in the list {name} of unattended-upgrades"
        );
        if name == "Origins-Pattern" {
            let known = [
                "o",
                "origin",
                "l",
                "label",
                "a",
                "suite",
                "archive",
                "n",
                "codename",
                "c",
                "component",
                "site",
            ];
            let right = value.split(',').all(|part| {
                part.split_once('=').is_some_and(|(key, value)| {
                    known.contains(&key.trim()) && !value.trim().is_empty()
                })
            });
            ensure!(
                right,
                "the origin {value:?} is none: join parts such as origin=Debian with commas; there \
                 are {}",
                known.join(", ")
            );
        }
    }
    writeln!(out, "#clear Unattended-Upgrade::{name};")?;
    if !values.is_empty() {
        writeln!(out, "Unattended-Upgrade::{name} {{")?;
        for value in values {
            writeln!(out, "  \"{value}\";")?;
        }
        out.push_str("};\n");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::PackagePolicy;
    use super::*;

    fn call(system: &str, arguments: Value) -> Result<Recorder<PackagePolicy>, PluginError> {
        let mut recorder = Recorder::<PackagePolicy>::on(system);
        recorder.call("unattended_upgrades", arguments)?;
        Ok(recorder)
    }

    #[test]
    fn security_updates_are_the_default() {
        let recorder = call("debian 12", json!({"exclude": ["linux-"]})).unwrap();
        assert_eq!(
            recorder.actions()[1].arguments["content"],
            "// written by pallet\nAPT::Periodic::Update-Package-Lists \"1\";\n\
             APT::Periodic::Unattended-Upgrade \"1\";\nAPT::Periodic::AutocleanInterval \"7\";\n\
             Unattended-Upgrade::Automatic-Reboot \"false\";\n\
             Unattended-Upgrade::Automatic-Reboot-WithUsers \"false\";\n\
             Unattended-Upgrade::Remove-Unused-Dependencies \"false\";\n\
             #clear Unattended-Upgrade::Allowed-Origins;\n\
             #clear Unattended-Upgrade::Origins-Pattern;\n\
             Unattended-Upgrade::Origins-Pattern {\n  \
             \"origin=Debian,codename=${distro_codename}-security,label=Debian-Security\";\n};\n\
             #clear Unattended-Upgrade::Package-Blacklist;\n\
             Unattended-Upgrade::Package-Blacklist {\n  \"linux-\";\n};\n"
        );
        let recorder = call("ubuntu 24.04", json!({})).unwrap();
        let content = recorder.actions()[1].arguments["content"].to_string();
        assert!(content.contains("origin=Ubuntu,archive=${distro_codename}-security"));
    }

    #[test]
    fn what_apt_would_misread_is_refused() {
        for (system, arguments, said) in [
            ("rocky 9", json!({}), "needs apt"),
            ("debian 12", json!({"origins": ["Debian"]}), "is none: join"),
            ("debian 12", json!({"origins": ["origin=a\";\n"]}), "cannot stand in"),
            ("debian 12", json!({"exclude": [""]}), "cannot stand in"),
            ("debian 12", json!({"mail": "a\"; x"}), "mail address"),
            ("debian 12", json!({"reboot_time": "04:00"}), "needs reboot"),
            ("debian 12", json!({"reboot": true, "reboot_time": "4"}), "is no time"),
            ("debian 12", json!({"window": {"time": "25:00"}}), "is no time"),
            ("debian 12", json!({"window": {"time": "03:00", "days": "Samstag"}}), "days"),
        ] {
            let error = call(system, arguments.clone()).err().unwrap();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
