//! What nodes tell the server: where it scrapes them.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::address::check_address;

/// The facility whose settings map jobs to targets.
pub(crate) const FACILITY: &str = "prometheus-targets";

parameters! {
    /// Declares that Prometheus scrapes this node. Call it in the phase `settings`, once for each
    /// job. By default, it is the node exporter's.
    ///
    /// Example: `prometheus.target(request, "app", port = 8080, path = "/metrics")`
    pub(crate) struct Target {
        /// The job: targets of one kind, on all nodes.
        #[serde(default = "node")]
        job: String,
        /// The TCP port.
        #[serde(default = "default_port")]
        pub(crate) port: u16,
        /// The path of the metrics.
        #[serde(default = "default_path")]
        pub(crate) path: String,
        /// `http` or `https`.
        #[serde(default)]
        pub(crate) scheme: Scheme,
        /// The address or host name. Default: the node's.
        #[serde(default)]
        pub(crate) address: Option<String>,
        /// More labels. Each target has `node` and `group`.
        #[serde(default)]
        pub(crate) labels: BTreeMap<String, String>,
    }
}

/// How a target is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Scheme {
    /// Without TLS.
    #[default]
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

fn node() -> String {
    "node".to_owned()
}

pub(crate) fn default_port() -> u16 {
    9100
}

pub(crate) fn default_path() -> String {
    "/metrics".to_owned()
}

pub(crate) fn target(request: &mut Request, target: Target) -> Result<()> {
    check_file_name("a job", &target.job)?;
    ensure!(target.port > 0, "job {}: there is no port 0", target.job);
    check_path(&target.path)?;
    target.address.as_deref().map_or(Ok(()), check_address)?;
    check_labels(&target.labels)?;
    let job = target.job.clone();
    request.set_settings(FACILITY, json!({ job: target }))
}

pub(crate) fn check_path(path: &str) -> Result<()> {
    let good = path.starts_with('/') && path.chars().all(|c| c.is_ascii_graphic());
    ensure!(good, "the path {path:?} of metrics is none: begin with /");
    Ok(())
}

pub(crate) fn check_labels(labels: &BTreeMap<String, String>) -> Result<()> {
    for name in labels.keys() {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        ensure!(
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.bytes().all(good)
                && !name.starts_with("__"),
            "{name:?} cannot name a label: use letters, digits and _, and begin with a letter"
        );
    }
    Ok(())
}
