//! Settings of the daemon.

use pallet_core::prelude::*;
use pallet_core::serde_json::{self, Map};

use super::check::refuse_secret;
use super::install::{RELOAD, RESTART, ServiceArguments, service};
use super::program::{self, DECLARED, command};

/// What a running daemon takes over when it is reloaded.
const RELOADED: &[&str] = &[
    "allow-nondistributable-artifacts",
    "authorization-plugins",
    "debug",
    "default-runtime",
    "features",
    "insecure-registries",
    "labels",
    "live-restore",
    "max-concurrent-downloads",
    "max-concurrent-uploads",
    "max-download-attempts",
    "registry-mirrors",
    "runtimes",
    "shutdown-timeout",
];

parameters! {
    /// Sets the settings of the daemon, which it checks before they take their place, and runs the
    /// service. The daemon is restarted only for settings that need it; containers stop then,
    /// unless it has `live-restore`.
    ///
    /// Example: `docker.daemon(request, {"log-driver": "json-file", "log-opts": {"max-size": "10m"}, "live-restore": True})`
    pub(crate) struct Daemon {
        /// The settings, as in daemon.json.
        settings: Map<String, Value>,
    }
}

pub(crate) fn daemon(request: &mut Request, daemon: Daemon) -> Result<()> {
    let pretty = |settings: &Map<String, Value>| {
        serde_json::to_string_pretty(settings).map(|text| text + "\n")
    };
    let content = pretty(&daemon.settings)?;
    refuse_secret("daemon.json", &content)?;
    let mut restarts = daemon.settings;
    restarts.retain(|key, _| !RELOADED.contains(&key.as_str()));

    program::put(request)?;
    let file = |path: String, content: String| {
        RemoteFile::content(path, content).owner("root").group("root").mode(0o644)
    };
    request.add_with(
        file("/etc/docker/daemon.json".to_owned(), content).verify(command(&["check-daemon"])),
        Options::new().flag_on_change(RELOAD),
    )?;
    // it changes only if a setting does that needs a restart
    let changed = Options::new().flag_on_change(RESTART);
    request.add_with(file(format!("{DECLARED}/restart.json"), pretty(&restarts)?), changed)?;
    service(request, ServiceArguments {})
}

#[cfg(test)]
mod tests {
    use super::super::Docker;
    use super::*;

    #[test]
    fn only_some_settings_need_a_restart() {
        let mut recorder = Recorder::<Docker>::on("debian 12");
        let settings = json!({"log-driver": "local", "debug": true});
        recorder.call("daemon", json!({"settings": settings})).unwrap();
        let actions = recorder.actions();
        let of = |path: &str| actions.iter().find(|one| one.subject == path).unwrap();
        let main = of("/etc/docker/daemon.json");
        assert_eq!(
            main.arguments["content"],
            "{\n  \"log-driver\": \"local\",\n  \"debug\": true\n}\n"
        );
        assert_eq!(main.options.flag_on_change.as_deref(), Some(RELOAD));
        let restart = of("/etc/docker/pallet/restart.json");
        assert_eq!(restart.arguments["content"], "{\n  \"log-driver\": \"local\"\n}\n");
        assert_eq!(restart.options.flag_on_change.as_deref(), Some(RESTART));
    }
}
