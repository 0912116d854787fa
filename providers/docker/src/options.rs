//! The options of a service in pallet.toml, and those of a node-spec.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pallet_core::prelude::*;

pallet_core::parameters! {
    /// Containers of Docker or Podman.
    pub(crate) struct Options {
        /// The address of the engine: `unix:///path/of/socket`, or `tcp://host:port`. Default: the
        /// first usual socket that exists.
        #[serde(default)]
        pub(crate) host: Option<String>,
        /// More images for node-specs, by name: root file systems as directories or tarballs. They
        /// are imported into the engine when they are first needed.
        #[serde(default)]
        pub(crate) images: BTreeMap<String, PathBuf>,
        /// How to connect to nodes: `exec` through the engine, or `ssh` if the image starts an
        /// sshd.
        #[serde(default)]
        pub(crate) transport: Transport,
        /// The client for `exec`: `docker`, `podman`, or the path of one. Default: the installed
        /// one.
        #[serde(default)]
        pub(crate) program: Option<String>,
        /// The first process of a node and its arguments. Default: a shell that waits, or with
        /// `ssh` the command of the image.
        #[serde(default)]
        pub(crate) command: Option<Vec<String>>,
        /// The engine's network to attach nodes to, `host`, or `none`. Default: the engine's
        /// default.
        #[serde(default)]
        pub(crate) network: Option<String>,
        /// Run nodes as privileged containers.
        #[serde(default)]
        pub(crate) privileged: bool
    }

    /// What a node-spec can say under `provider.docker`.
    pub(crate) struct NodeOptions {
        /// Ports to publish on the engine's machine: `8080:80`, `127.0.0.1:8080:80/tcp`, or `80`
        /// for any free port of the machine.
        #[serde(default)]
        pub(crate) publish: Vec<String>,
        /// Volumes and directories of the engine's machine to mount: `data:/srv/data`,
        /// `/etc/ssl:/etc/ssl:ro`.
        #[serde(default)]
        pub(crate) volumes: Vec<String>,
        /// Overrides the option of the service.
        #[serde(default)]
        pub(crate) command: Option<Vec<String>>,
        /// Overrides the option of the service.
        #[serde(default)]
        pub(crate) privileged: Option<bool>
    }
}

/// How nodes are reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Transport {
    /// By the engine's client.
    #[default]
    Exec,
    /// By ssh.
    Ssh,
}

impl Options {
    /// Returns an error for the first invalid option.
    pub(crate) fn check(&self, service: &str) -> Result<(), PluginError> {
        let refuse = |option: &str, why: String| {
            Err(PluginError::invalid_input(format!("services.{service}: option `{option}` {why}")))
        };
        for name in self.images.keys() {
            if !is_host_name(name) {
                return refuse(
                    &format!("images.{name}"),
                    "has no valid name: use up to 63 of a-z, 0-9 and `-`".to_owned(),
                );
            }
        }
        if self.command.as_ref().is_some_and(Vec::is_empty) {
            return refuse(
                "command",
                "is empty: it needs a program, such as `/usr/sbin/sshd`".to_owned(),
            );
        }
        if self.program.as_ref().is_some_and(String::is_empty) {
            return refuse("program", "is empty: it names a client, such as `docker`".to_owned());
        }
        Ok(())
    }
}

impl NodeOptions {
    /// The options of a node-spec.
    pub(crate) fn of(spec: &NodeSpec) -> Result<NodeOptions, PluginError> {
        let options: NodeOptions = node_options(spec, "docker")?;
        if options.command.as_ref().is_some_and(Vec::is_empty) {
            return Err(PluginError::invalid_input(
                "node-spec: provider.docker: `command` is empty: it needs a program",
            ));
        }
        Ok(options)
    }
}
