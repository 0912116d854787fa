//! When a node fetches and installs upgrades: the timers of apt.

use pallet_core::prelude::*;

/// The flag that is set when a timer changed.
const CHANGED: &str = "package-policy-timers";

/// When packages are upgraded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", deny_unknown_fields)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct Window {
    /// The time of day: `03:30`.
    pub(crate) time: String,
    /// The days of the week, joined by commas: `Sat,Sun`, `Mon..Fri`. Default: each.
    #[serde(default)]
    pub(crate) days: Option<String>,
    /// Begin up to this number of minutes later, so that nodes differ. Default: 0.
    #[serde(default)]
    pub(crate) random_minutes: u16,
}

/// Refuses what is no time of day.
pub(crate) fn check_time(time: &str) -> Result<()> {
    minutes(time).map(|_| ())
}

fn minutes(time: &str) -> Result<u16> {
    let parts = time.split_once(':').and_then(|(hour, minute)| {
        let two = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
        Some((two(hour)?, two(minute)?))
    });
    match parts {
        Some((hour, minute)) if hour < 24 && minute < 60 => Ok(hour * 60 + minute),
        _ => bail!("{time:?} is no time of day: write it as 03:30"),
    }
}

fn check_days(days: &str) -> Result<()> {
    let known = |day: &str| ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&day);
    let right = days.split(',').all(|part| match part.split_once("..") {
        Some((first, last)) => known(first) && known(last),
        None => known(part),
    });
    ensure!(right, "the days {days:?} are none: write them as Sat,Sun or Mon..Fri");
    Ok(())
}

/// Sets the timers that fetch lists and install upgrades; without a window, those of the
/// distribution.
pub(crate) fn schedule(request: &mut Request, window: Option<&Window>) -> Result<()> {
    let mut times = Vec::new();
    if let Some(window) = window {
        window.days.as_deref().map_or(Ok(()), check_days)?;
        let begins = minutes(&window.time)?;
        times.push(("apt-daily-upgrade.timer", begins, window.days.clone()));
        // 00:15 on Sat is 23:45 on Fri, so the lists are then fetched each day
        let lists = (begins + 24 * 60 - 30) % (24 * 60);
        let days = if lists < begins { window.days.clone() } else { None };
        times.push(("apt-daily.timer", lists, days));
    }
    for timer in ["apt-daily-upgrade.timer", "apt-daily.timer"] {
        let directory = format!("/etc/systemd/system/{timer}.d");
        let path = format!("{directory}/pallet.conf");
        let changed = Options::new().flag_on_change(CHANGED);
        match (times.iter().find(|(name, ..)| *name == timer), window) {
            (Some((_, begins, days)), Some(window)) => {
                let days = days.as_ref().map(|days| format!("{days} ")).unwrap_or_default();
                let content = format!(
                    "# written by pallet\n[Timer]\nOnCalendar=\n\
                     OnCalendar={days}*-*-* {:02}:{:02}\nRandomizedDelaySec={}m\n",
                    begins / 60,
                    begins % 60,
                    if timer == "apt-daily.timer" { 0 } else { window.random_minutes }
                );
                request.add(Directory::at(directory))?;
                let file = RemoteFile::content(path, content).owner("root").group("root");
                request.add_with(file.mode(0o644), changed)?;
            }
            _ => request.add_with(File::at(path).absent(), changed)?,
        }
    }
    let read = ExecCheckedScript::new("make systemd read the timers", "systemctl daemon-reload");
    request.add_with(read, Options::new().if_flag(CHANGED))?;
    for timer in ["apt-daily.timer", "apt-daily-upgrade.timer"] {
        request.add(Service::start(timer).enabled(true))?;
        request.add_with(Service::restart(timer), Options::new().if_flag(CHANGED))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::PackagePolicy;
    use super::*;

    #[test]
    fn lists_are_fetched_before_packages_are_upgraded() {
        let mut recorder = Recorder::<PackagePolicy>::on("debian 12");
        let window = json!({"time": "00:10", "days": "Sat,Sun", "random_minutes": 20});
        recorder.call("unattended_upgrades", json!({"window": window})).unwrap();
        let content = |path: &str| {
            let actions = recorder.actions();
            let file = actions.iter().find(|one| one.name == "remote_file" && one.subject == path);
            file.unwrap().arguments["content"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            content("/etc/systemd/system/apt-daily-upgrade.timer.d/pallet.conf"),
            "# written by pallet\n[Timer]\nOnCalendar=\nOnCalendar=Sat,Sun *-*-* 00:10\n\
             RandomizedDelaySec=20m\n"
        );
        let lists = content("/etc/systemd/system/apt-daily.timer.d/pallet.conf");
        assert!(lists.contains("OnCalendar=*-*-* 23:40\nRandomizedDelaySec=0m\n"), "{lists}");
    }
}
