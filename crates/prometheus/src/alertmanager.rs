//! Alertmanager, which groups alerts and notifies people.

use std::collections::BTreeMap;

use pallet_core::prelude::*;
use pallet_core::serde_json::Map;

use super::address::with_port;
use super::component::{arguments, file, reload, service};
use super::peers::{self, Alertmanager, FACILITY};
use super::secrets;
use super::system::system;
use super::yaml::{document, refuse_secrets};

parameters! {
    /// Declares that this node will run Alertmanager. Call it in the phase `settings`: servers send
    /// their alerts to it, and several of them form a cluster.
    ///
    /// Example: `prometheus.alertmanager_settings(request)`
    pub(crate) struct AlertmanagerSettings {
        /// The TCP port.
        #[serde(default = "default_port")]
        port: u16,
        /// The port of the cluster, TCP and UDP.
        #[serde(default = "default_cluster_port")]
        cluster_port: u16,
    }

    /// Installs, configures and starts Alertmanager, at the ports that
    /// `prometheus.alertmanager_settings` declared. `amtool` checks the configuration before it
    /// takes its place.
    ///
    /// Example: `prometheus.alertmanager(request, receivers = [{"name": "team", "webhook_configs": [{"url": "http://chat.example/hook"}]}], route = {"receiver": "team", "group_by": ["alertname"]})`
    pub(crate) struct AlertmanagerArguments {
        /// Who is notified, and how: `receivers` of alertmanager.yml. Default: one that notifies
        /// nobody.
        #[serde(default)]
        receivers: Vec<Map<String, Value>>,
        /// Which alerts go to whom: `route`. Default: all to the first receiver.
        #[serde(default)]
        route: Map<String, Value>,
        /// Which alerts silence which others: `inhibit_rules`.
        #[serde(default)]
        inhibit_rules: Vec<Map<String, Value>>,
        /// What all receivers share: `global`, such as `smtp_smarthost`.
        #[serde(default)]
        shared: Map<String, Value>,
        /// More keys of alertmanager.yml.
        #[serde(default)]
        config: Map<String, Value>,
        /// Secrets by name, each written to `secrets/NAME` beside alertmanager.yml.
        #[serde(default)]
        secrets: BTreeMap<String, String>,
        /// The URL under which users reach it.
        #[serde(default)]
        external_url: Option<String>,
        /// More arguments.
        #[serde(default)]
        arguments: Vec<String>,
    }
}

fn default_port() -> u16 {
    9093
}

fn default_cluster_port() -> u16 {
    9094
}

pub(crate) fn alertmanager_settings(
    request: &mut Request,
    settings: AlertmanagerSettings,
) -> Result<()> {
    let AlertmanagerSettings { port, cluster_port } = settings;
    ensure!(
        port > 0 && cluster_port > 0 && port != cluster_port,
        "alertmanager needs two ports above 0 that differ"
    );
    request.set_settings(FACILITY, Alertmanager { port, cluster_port })
}

pub(crate) fn alertmanager(request: &mut Request, wanted: AlertmanagerArguments) -> Result<()> {
    let system = system(request)?;
    let own: Option<Alertmanager> = request.settings(FACILITY)?;
    let own = own.context("call prometheus.alertmanager_settings in the phase `settings` first")?;
    let config = config(&wanted)?;
    refuse_secrets("the configuration of Alertmanager", &Value::Object(config.clone()))?;
    let node = request.target()?.name;
    let mut words = vec![format!("--web.listen-address=0.0.0.0:{}", own.port)];
    let others: Vec<_> =
        peers::all(request)?.into_iter().filter(|(name, ..)| *name != node).collect();
    // alone it needs no cluster, whose port is open to all
    words.push(match others.is_empty() {
        true => "--cluster.listen-address=".to_owned(),
        false => format!("--cluster.listen-address=0.0.0.0:{}", own.cluster_port),
    });
    for (_, address, one) in others {
        words.push(format!("--cluster.peer={}", with_port(&address, one.cluster_port)));
    }
    words.extend(wanted.external_url.map(|url| format!("--web.external-url={url}")));
    words.extend(wanted.arguments);

    let names = &system.alertmanager;
    let flag = reload(names);
    let (directory, group) = (system.alertmanager_directory, system.alertmanager_group);
    request.add(Package::install(names.package))?;
    secrets::put(request, &format!("{directory}/secrets"), group, &wanted.secrets, &flag)?;
    let main = file(format!("{directory}/alertmanager.yml"), document(&config), group);
    request.add_with(
        main.verify("amtool check-config"),
        Options::new().flag_on_change(flag.clone()),
    )?;
    arguments(request, names, &words)?;
    service(request, names, true)
}

fn config(wanted: &AlertmanagerArguments) -> Result<Map<String, Value>> {
    let mut receivers = wanted.receivers.clone();
    if receivers.is_empty() {
        receivers.push(Map::from_iter([("name".to_owned(), Value::from("nobody"))]));
    }
    let first = receivers[0].get("name").cloned();
    let first = first.context("each receiver of Alertmanager needs a name")?;
    let mut route = wanted.route.clone();
    route.entry("receiver").or_insert(first);
    let mut config = Map::new();
    if !wanted.shared.is_empty() {
        config.insert("global".into(), Value::Object(wanted.shared.clone()));
    }
    config.insert("route".into(), Value::Object(route));
    config.insert("receivers".into(), json!(receivers));
    if !wanted.inhibit_rules.is_empty() {
        config.insert("inhibit_rules".into(), json!(wanted.inhibit_rules));
    }
    for (key, value) in &wanted.config {
        ensure!(!config.contains_key(key), "config: {key} has a parameter of its own");
        config.insert(key.clone(), value.clone());
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::super::Prometheus;
    use super::*;

    #[test]
    fn the_first_receiver_gets_all() {
        let mut recorder = Recorder::<Prometheus>::on("debian 12");
        recorder.call("alertmanager_settings", json!({"port": 1093})).unwrap();
        let receivers = json!([{"name": "team", "webhook_configs": [{"url": "http://a.example"}]}]);
        recorder.call("alertmanager", json!({"receivers": receivers})).unwrap();
        let content = |index: usize| recorder.actions()[index].arguments["content"].clone();
        assert_eq!(
            content(1),
            "# written by pallet\nroute:\n  receiver: \"team\"\nreceivers:\n  \
             - name: \"team\"\n    webhook_configs:\n      - url: \"http://a.example\"\n"
        );
        assert_eq!(
            content(2),
            "# written by pallet\nARGS=\"--web.listen-address=0.0.0.0:1093 \
             --cluster.listen-address=\"\n"
        );
    }

    #[test]
    fn it_needs_its_settings() {
        let error =
            Recorder::<Prometheus>::on("debian 12").call("alertmanager", json!({})).unwrap_err();
        assert!(error.to_string().contains("alertmanager_settings"), "{error}");
    }
}
