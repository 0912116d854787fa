//! A job: a script that a timer of systemd runs.

use pallet_core::prelude::*;

use super::check::check_line;

/// When a job runs.
#[derive(Debug)]
pub(crate) struct Times<'a> {
    pub(crate) calendar: &'a str,
    pub(crate) randomized_delay: &'a str,
}

/// Writes the script of a job, and the timer that runs it as root.
pub(crate) fn put(
    request: &mut Request,
    (name, description): (&str, String),
    script: String,
    times: &Times<'_>,
) -> Result<()> {
    check_line("calendar", times.calendar)?;
    check_line("delay", times.randomized_delay)?;
    let path = format!("/etc/restic/jobs/{name}");
    let file = RemoteFile::content(&path, script);
    request.add(Directory::at("/etc/restic/jobs").owner("root").group("root").mode(0o700))?;
    // commands before a backup may hold secrets
    request.add(file.owner("root").group("root").mode(0o600).verify("sh -n"))?;
    let timer = json!({
        "name": format!("backup-{name}"),
        "description": description,
        "command": format!("/bin/sh {path}"),
        "calendar": times.calendar,
        "randomized_delay": times.randomized_delay,
        "service": {"Nice": 10, "IOSchedulingClass": "idle"},
    });
    request.call("systemd", "timer", timer)?;
    Ok(())
}

/// Removes a job.
pub(crate) fn remove(request: &mut Request, name: &str) -> Result<()> {
    let timer = json!({"name": format!("backup-{name}"), "action": "absent"});
    request.call("systemd", "timer", timer)?;
    request.add(File::at(format!("/etc/restic/jobs/{name}")).absent())
}
