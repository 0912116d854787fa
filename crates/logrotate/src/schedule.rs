//! When logrotate runs: its systemd timer.

use pallet_core::prelude::*;

const DIRECTORY: &str = "/etc/systemd/system/logrotate.timer.d";
const TIMER: &str = "logrotate.timer";
/// The flag that is set when the timer changed.
const CHANGED: &str = "logrotate-timer";

parameters! {
    /// Sets when logrotate runs, and starts its timer. Rules with `frequency = "hourly"` need
    /// `hourly`. Needs systemd, and a package of logrotate with a timer.
    ///
    /// Example: `logrotate.schedule(request, "hourly")`
    pub(crate) struct Schedule {
        /// The times, as those of `OnCalendar=` of systemd: `hourly`, `daily`, `*-*-* 03:30`.
        times: String,
    }
}

pub(crate) fn schedule(request: &mut Request, schedule: Schedule) -> Result<()> {
    let os = request.target()?.os;
    ensure!(
        os.service_manager == ServiceManager::Systemd,
        "logrotate.schedule needs systemd, and {os} has {}; use the action cron",
        os.service_manager.as_str()
    );
    let good = |c: char| c.is_ascii_alphanumeric() || " *-:/,.~+_".contains(c);
    let times = schedule.times.trim();
    ensure!(
        !times.is_empty() && times.chars().all(good),
        "the times {times:?} are none: write them as OnCalendar= of systemd, such as hourly"
    );
    // the empty line removes the package's own times
    let content = format!("# written by pallet\n[Timer]\nOnCalendar=\nOnCalendar={times}\n");
    let file = RemoteFile::content(format!("{DIRECTORY}/pallet.conf"), content);
    let changed = || Options::new().if_flag(CHANGED);
    request.add(Directory::at(DIRECTORY))?;
    request.add_with(
        file.owner("root").group("root").mode(0o644),
        Options::new().flag_on_change(CHANGED),
    )?;
    let read = ExecCheckedScript::new("make systemd read the timer", "systemctl daemon-reload");
    request.add_with(read, changed())?;
    request.add(Service::start(TIMER).enabled(true))?;
    request.add_with(Service::restart(TIMER), changed())
}

#[cfg(test)]
mod tests {
    use super::super::Logrotate;
    use super::*;

    #[test]
    fn the_timer_is_restarted_if_it_changed() {
        let mut recorder = Recorder::<Logrotate>::on("debian 12");
        recorder.call("schedule", json!({"times": "hourly"})).unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "directory /etc/systemd/system/logrotate.timer.d",
                "remote_file /etc/systemd/system/logrotate.timer.d/pallet.conf",
                "exec_checked_script make systemd read the timer",
                "service logrotate.timer",
                "service logrotate.timer",
            ]
        );
        let error = recorder.call("schedule", json!({"times": "a\n[X]"})).unwrap_err();
        assert!(error.to_string().contains("OnCalendar"), "{error}");
        let error = Recorder::<Logrotate>::on("alpine 3.20")
            .call("schedule", json!({"times": "hourly"}))
            .unwrap_err();
        assert!(error.to_string().contains("needs systemd"), "{error}");
    }
}
