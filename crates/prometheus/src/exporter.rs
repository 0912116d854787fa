//! The node exporter: metrics of the machine.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::address::{check_address, with_port};
use super::component::{arguments, service};
use super::system::system;
use super::target::{FACILITY, Target, default_port};

parameters! {
    /// Installs and starts the node exporter, at the port that `prometheus.target` declared for the
    /// job `node` in the phase `settings`, or at 9100.
    ///
    /// Example: `prometheus.node_exporter(request, collectors = {"systemd": True, "wifi": False})`
    pub(crate) struct NodeExporter {
        /// The address to listen on. Default: all.
        #[serde(default)]
        listen: Option<String>,
        /// Collectors to turn on or off. Default: those of the program.
        #[serde(default)]
        collectors: BTreeMap<String, bool>,
        /// A directory of files with more metrics.
        #[serde(default)]
        textfile_directory: Option<String>,
        /// More arguments.
        #[serde(default)]
        arguments: Vec<String>,
    }
}

pub(crate) fn node_exporter(request: &mut Request, exporter: NodeExporter) -> Result<()> {
    let system = system(request)?;
    let declared: Option<BTreeMap<String, Target>> = request.settings(FACILITY)?;
    let declared = declared.unwrap_or_default();
    let port = declared.get("node").map_or(default_port(), |target| target.port);
    let listen = exporter.listen.as_deref().unwrap_or("0.0.0.0");
    check_address(listen)?;
    let mut words = vec![format!("--web.listen-address={}", with_port(listen, port))];
    for (name, on) in &exporter.collectors {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        ensure!(!name.is_empty() && name.bytes().all(good), "{name:?} cannot name a collector");
        words.push(format!("--{}collector.{name}", if *on { "" } else { "no-" }));
    }
    if let Some(directory) = &exporter.textfile_directory {
        ensure!(directory.starts_with('/'), "the directory {directory:?} is not absolute");
        words.push(format!("--collector.textfile.directory={directory}"));
    }
    words.extend(exporter.arguments);
    request.add(Package::install(system.exporter.package))?;
    arguments(request, &system.exporter, &words)?;
    service(request, &system.exporter, false)
}

#[cfg(test)]
mod tests {
    use super::super::Prometheus;
    use super::*;

    #[test]
    fn it_listens_where_the_server_was_told() {
        let mut recorder = Recorder::<Prometheus>::on("arch");
        recorder.call("target", json!({"port": 9200})).unwrap();
        let collectors = json!({"systemd": true, "wifi": false});
        recorder.call("node_exporter", json!({"collectors": collectors})).unwrap();
        assert_eq!(
            recorder.actions()[1].arguments["content"],
            "# written by pallet\nNODE_EXPORTER_ARGS=\"--web.listen-address=0.0.0.0:9200 \
             --collector.systemd --no-collector.wifi\"\n"
        );
        let wrong = json!({"collectors": {"a b": true}});
        assert!(recorder.call("node_exporter", wrong).is_err());
    }
}
