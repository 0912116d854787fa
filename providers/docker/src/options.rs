//! The options of a service in pallet.toml, and those of a node-spec.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pallet_core::prelude::*;

pallet_core::parameters! {
    /// Containers of Docker or Podman.
    pub(crate) struct Options {
        /// Where the engine listens: `unix:///path/of/socket`, or `tcp://host:port`. By default the
        /// first of the usual sockets that is there.
        #[serde(default)]
        pub(crate) host: Option<String>,
        /// Images that a node-spec can ask for besides those of the engine, by name: directories
        /// that each hold a whole root file system, or tarballs of one. The engine gets them when
        /// they are first needed.
        #[serde(default)]
        pub(crate) images: BTreeMap<String, PathBuf>,
        /// How nodes are reached: `exec` through the engine, or `ssh` where the image starts an
        /// sshd.
        #[serde(default)]
        pub(crate) transport: Transport,
        /// The client that `exec` goes through: `docker` or `podman`, or a path of one. By default
        /// the one that is installed.
        #[serde(default)]
        pub(crate) program: Option<String>,
        /// The first process of a node and its arguments. By default a shell that waits, or with
        /// `ssh` what the image says.
        #[serde(default)]
        pub(crate) command: Option<Vec<String>>,
        /// The engine's network that nodes are in, `host`, or `none`. By default the engine's own
        /// default.
        #[serde(default)]
        pub(crate) network: Option<String>,
        /// Whether nodes may do all that the engine's machine may.
        #[serde(default)]
        pub(crate) privileged: bool
    }

    /// What a node-spec can say under `provider.docker`.
    pub(crate) struct NodeOptions {
        /// Ports that the engine's machine passes on: `8080:80`, `127.0.0.1:8080:80/tcp`, or `80`
        /// alone for any free port of the machine.
        #[serde(default)]
        pub(crate) publish: Vec<String>,
        /// What of the engine's machine, and which of its volumes, is mounted where:
        /// `data:/srv/data`, `/etc/ssl:/etc/ssl:ro`.
        #[serde(default)]
        pub(crate) volumes: Vec<String>,
        /// As the option of the service.
        #[serde(default)]
        pub(crate) command: Option<Vec<String>>,
        /// As the option of the service.
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
    /// An error for the first option that cannot be meant.
    pub(crate) fn check(&self, service: &str) -> Result<(), PluginError> {
        let refuse = |option: &str, why: String| {
            Err(PluginError::invalid_input(format!(
                "services.{service}: option \
                `{option}` {why}"
            )))
        };
        for name in self.images.keys() {
            if !is_host_name(name) {
                return refuse(
                    &format!("images.{name}"),
                    "has no valid name: use up to 63 of a-z, \
                    0-9 and `-`"
                        .to_owned(),
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
    /// Those of a node-spec.
    pub(crate) fn of(spec: &NodeSpec) -> Result<NodeOptions, PluginError> {
        let options: NodeOptions = node_options(spec, "docker")?;
        if options.command.as_ref().is_some_and(Vec::is_empty) {
            return Err(PluginError::invalid_input(
                "node-spec: provider.docker: \
                `command` is empty: it needs a program",
            ));
        }
        Ok(options)
    }
}
