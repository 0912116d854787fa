//! The journal: how much of it is kept, for how long, and where else messages go.

use pallet_core::prelude::*;

use super::manager::require;
use super::settings_file::{self, size, time_span};
use super::text::Settings;

parameters! {
    /// Sets how much of the journal is kept, for how long, and where else messages go. What is
    /// omitted stays as the system has it.
    ///
    /// The file is `/etc/systemd/journald.conf.d/pallet.conf`. journald is restarted if it changed;
    /// no message is lost by that.
    ///
    /// Example: `systemd.journald(request, storage = "persistent", size = "500M", retention = "1month", forward = ["syslog"])`
    pub(crate) struct Journald {
        /// Where the journal is: `persistent` is on the disk, `volatile` in memory, `auto` on the
        /// disk if `/var/log/journal` exists, and `none` keeps nothing.
        #[serde(default)]
        storage: Option<Storage>,
        /// Maximum size on the disk: `500M`.
        #[serde(default)]
        size: Option<String>,
        /// Disk space to leave free: `1G`.
        #[serde(default)]
        keep_free: Option<String>,
        /// Maximum size of one file: `50M`.
        #[serde(default)]
        file_size: Option<String>,
        /// Maximum size in memory: `64M`.
        #[serde(default)]
        runtime_size: Option<String>,
        /// Maximum age: `1month`.
        #[serde(default)]
        retention: Option<String>,
        /// Maximum age of a file before the next one begins: `1day`.
        #[serde(default)]
        file_age: Option<String>,
        /// Where all messages also go. `[]` sends them nowhere else.
        #[serde(default)]
        forward: Option<Vec<Forward>>,
        /// Time in which a service may log `rate_limit_burst` messages: `30s`. `0` is no limit.
        #[serde(default)]
        rate_limit_interval: Option<String>,
        /// Number of messages. `0` is no limit.
        #[serde(default)]
        rate_limit_burst: Option<u32>,
        /// Compress large messages.
        #[serde(default)]
        compress: Option<bool>,
        /// More settings of the section `Journal`.
        #[serde(default)]
        #[schemars(with = "Option<Settings>")]
        settings: Option<Value>,
    }
}

/// Where the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Storage {
    /// On the disk.
    Persistent,
    /// In memory.
    Volatile,
    /// On the disk if its directory exists.
    Auto,
    /// Nowhere.
    None,
}

/// Where messages go besides the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Forward {
    /// A syslog daemon.
    Syslog,
    /// The kernel's log.
    Kmsg,
    /// The console.
    Console,
    /// All users who are logged in.
    Wall,
}

pub(crate) fn journald(request: &mut Request, journald: Journald) -> Result<()> {
    require(request)?;
    let mut settings = json!({});
    if let Some(storage) = journald.storage {
        settings["Storage"] = json!(storage);
    }
    for (what, key, value, check) in [
        ("size", "SystemMaxUse", &journald.size, size as fn(&str, &str) -> Result<()>),
        ("keep_free", "SystemKeepFree", &journald.keep_free, size),
        ("file_size", "SystemMaxFileSize", &journald.file_size, size),
        ("runtime_size", "RuntimeMaxUse", &journald.runtime_size, size),
        ("retention", "MaxRetentionSec", &journald.retention, time_span),
        ("file_age", "MaxFileSec", &journald.file_age, time_span),
        ("rate_limit_interval", "RateLimitIntervalSec", &journald.rate_limit_interval, time_span),
    ] {
        if let Some(value) = value {
            check(what, value)?;
            settings[key] = json!(value);
        }
    }
    if let Some(burst) = journald.rate_limit_burst {
        settings["RateLimitBurst"] = json!(burst);
    }
    if let Some(compress) = journald.compress {
        settings["Compress"] = json!(compress);
    }
    if let Some(forward) = &journald.forward {
        for (key, to) in [
            ("ForwardToSyslog", Forward::Syslog),
            ("ForwardToKMsg", Forward::Kmsg),
            ("ForwardToConsole", Forward::Console),
            ("ForwardToWall", Forward::Wall),
        ] {
            settings[key] = json!(forward.contains(&to));
        }
    }
    if let Some(more) = &journald.settings {
        for (key, value) in more.as_object().context("settings must be a dict")? {
            ensure!(settings[key].is_null(), "{key} is set twice; omit it in settings");
            settings[key] = value.clone();
        }
    }
    let given = settings.as_object().is_some_and(|settings| !settings.is_empty());
    ensure!(given, "no setting of the journal is given");
    settings_file::put(request, "journald", "Journal", settings, "systemd-journald")
}

#[cfg(test)]
mod tests {
    use super::super::Systemd;
    use super::*;

    #[test]
    fn what_is_given_is_set() {
        let mut recorder = Recorder::<Systemd>::on("debian 12");
        recorder
            .call("journald", json!({"size": "500M", "retention": "1month", "forward": ["syslog"]}))
            .unwrap();
        assert_eq!(
            recorder.actions()[1].arguments["content"],
            "# written by pallet\n[Journal]\nSystemMaxUse=500M\nMaxRetentionSec=1month\n\
             ForwardToSyslog=yes\nForwardToKMsg=no\nForwardToConsole=no\nForwardToWall=no\n"
        );
        for arguments in [
            json!({}),
            json!({"size": "much"}),
            json!({"size": "5M", "settings": {"SystemMaxUse": "6M"}}),
        ] {
            assert!(Recorder::<Systemd>::on("debian 12").call("journald", &arguments).is_err());
        }
    }
}
