//! The arguments of `unit`.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

parameters! {
    /// Ensures the systemd service of an application: its user, its command, its limits, and what
    /// it may not do.
    ///
    /// The service gets the variables of `app_deploy.environment`. It is not started here:
    /// `app_deploy.release` or `app_deploy.run`, called later in the phase, starts it, and restarts
    /// it if the unit changed.
    ///
    /// Example: `app_deploy.unit(request, "hello", "/srv/hello/current/bin/hello --port 8080")`
    pub(crate) struct Unit {
        /// Name of the application and of the service.
        pub(super) name: String,
        /// Command, as in `ExecStart` of a unit: an absolute path and its arguments. `%` and `$`
        /// have their meaning there.
        pub(super) command: String,
        /// User that runs it. Created as a system user if missing. Default: `name`.
        #[serde(default)]
        pub(super) user: Option<String>,
        /// Group that runs it. Default: the user's.
        #[serde(default)]
        pub(super) group: Option<String>,
        /// Working directory. Default: `/srv/NAME/current`.
        #[serde(default)]
        pub(super) directory: Option<String>,
        /// Description.
        #[serde(default)]
        pub(super) description: Option<String>,
        /// How systemd knows that the service is ready: `exec`, `simple`, `notify` or `forking`.
        #[serde(default)]
        pub(super) r#type: UnitType,
        /// When systemd restarts it by itself: `on-failure`, `always` or `no`.
        #[serde(default)]
        pub(super) restart: Restart,
        /// Time before such a restart, in seconds.
        #[serde(default = "one")]
        pub(super) restart_seconds: u32,
        /// Command that reloads it, as in `ExecReload`.
        #[serde(default)]
        pub(super) reload: Option<String>,
        /// Command that runs before it, as in `ExecStartPre`.
        #[serde(default)]
        pub(super) before_start: Option<String>,
        /// Time that it has to stop, in seconds.
        #[serde(default = "thirty")]
        pub(super) stop_seconds: u32,
        /// What it may not do: `strict`, `basic` or `off`.
        #[serde(default)]
        pub(super) hardening: Hardening,
        /// Directories that it may write to, with `strict`. `/srv/NAME/shared` always is one.
        #[serde(default)]
        pub(super) writable: Vec<String>,
        /// Let it listen on ports below 1024.
        #[serde(default)]
        pub(super) privileged_ports: bool,
        /// Other units that must run before, such as `postgresql.service`.
        #[serde(default)]
        pub(super) after: Vec<String>,
        /// Maximum number of open files.
        #[serde(default)]
        pub(super) open_files: Option<u32>,
        /// Maximum memory, as in `MemoryMax`: `512M`.
        #[serde(default)]
        pub(super) memory: Option<String>,
        /// Further settings of the unit's section `Service`, such as `{"Nice": "5"}`. They come
        /// last.
        #[serde(default)]
        pub(super) service: BTreeMap<String, String>,
    }
}

/// How systemd knows that a service is ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum UnitType {
    /// Its program was executed.
    #[default]
    Exec,
    /// At once.
    Simple,
    /// It says so.
    Notify,
    /// Its first process ended, and left another.
    Forking,
}

/// When systemd restarts a service by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "kebab-case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Restart {
    /// If it fails.
    #[default]
    OnFailure,
    /// Whenever it ends.
    Always,
    /// Never.
    No,
}

/// What a service may not do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Hardening {
    /// It sees a read-only system, no home directories, no devices, and a /tmp of its own; it gets
    /// no privileges, and cannot change the kernel.
    #[default]
    Strict,
    /// It gets no privileges.
    Basic,
    /// All that its user may do.
    Off,
}

fn one() -> u32 {
    1
}

fn thirty() -> u32 {
    30
}
