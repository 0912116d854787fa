//! The server.

use std::collections::BTreeMap;

use pallet_core::prelude::*;
use pallet_core::serde_json::Map;

use super::address::{check_address, check_duration, with_port};
use super::component::{arguments, file, reload, service};
use super::peers;
use super::scrape::{Job, file_of, jobs};
use super::secrets;
use super::system::system;
use super::target::check_labels;
use super::yaml::{document, refuse_secrets};

pub(crate) const DIRECTORY: &str = "/etc/prometheus";

parameters! {
    /// Installs, configures and starts the server. It scrapes itself, all nodes that
    /// `prometheus.target` declared in the phase `settings`, and what `jobs` lists; alerts go to
    /// all nodes that `prometheus.alertmanager_settings` declared.
    ///
    /// Targets stand in files of their own: if only they change, nothing is reloaded. `promtool`
    /// checks the configuration before it takes its place.
    ///
    /// Example: `prometheus.server(request, retention = "30d", external_labels = {"site": "north"})`
    pub(crate) struct Server {
        /// The TCP port.
        #[serde(default = "default_port")]
        port: u16,
        /// The address to listen on. Default: all.
        #[serde(default)]
        listen: Option<String>,
        /// Scrape only nodes of these groups. Default: all nodes that declared a target.
        #[serde(default)]
        groups: Vec<String>,
        /// Scrape also, or only, nodes with these roles.
        #[serde(default)]
        roles: Vec<String>,
        /// More jobs, each a dict: `name`, `targets`, `labels`, `path`, `scheme`, `interval`,
        /// `options`.
        #[serde(default)]
        jobs: Vec<Job>,
        /// How often targets are scraped.
        #[serde(default = "default_interval")]
        scrape_interval: String,
        /// How often rules are evaluated.
        #[serde(default = "default_interval")]
        evaluation_interval: String,
        /// Labels of everything that leaves this server.
        #[serde(default)]
        external_labels: BTreeMap<String, String>,
        /// How long samples are kept: `30d`. Default: 15 days.
        #[serde(default)]
        retention: Option<String>,
        /// How much space samples may take: `50GB`. Default: any.
        #[serde(default)]
        retention_size: Option<String>,
        /// The URL under which users reach it.
        #[serde(default)]
        external_url: Option<String>,
        /// More keys of prometheus.yml, as a dict: `remote_write`.
        #[serde(default)]
        config: Map<String, Value>,
        /// Secrets by name, each written to `/etc/prometheus/secrets/NAME`.
        #[serde(default)]
        secrets: BTreeMap<String, String>,
        /// More arguments, such as `--web.enable-lifecycle`.
        #[serde(default)]
        arguments: Vec<String>,
    }
}

fn default_port() -> u16 {
    9090
}

fn default_interval() -> String {
    "15s".to_owned()
}

pub(crate) fn server(request: &mut Request, mut server: Server) -> Result<()> {
    let system = system(request)?;
    check(&server)?;
    let words = words(&server);
    let jobs = jobs(request, &server.groups, &server.roles, std::mem::take(&mut server.jobs))?;
    let alertmanagers = peers::addresses(request)?;
    let mut scrape_configs = vec![json!({
        "job_name": "prometheus",
        "static_configs": [{"targets": [format!("localhost:{}", server.port)]}],
    })];
    for job in &jobs {
        ensure!(job.name != "prometheus", "the job prometheus is the server's own; name it else");
        let mut config = job.config.clone();
        let path = format!("{DIRECTORY}/targets.d/{}.json", job.name);
        config.insert("file_sd_configs".into(), json!([{"files": [path]}]));
        scrape_configs.push(Value::Object(config));
    }
    let mut config = Map::new();
    config.insert(
        "global".into(),
        json!({
            "scrape_interval": server.scrape_interval,
            "evaluation_interval": server.evaluation_interval,
            "external_labels": server.external_labels,
        }),
    );
    config.insert("rule_files".into(), json!([format!("{DIRECTORY}/rules.d/*.yml")]));
    if !alertmanagers.is_empty() {
        config.insert(
            "alerting".into(),
            json!({"alertmanagers": [{"static_configs": [{"targets": alertmanagers}]}]}),
        );
    }
    config.insert("scrape_configs".into(), Value::Array(scrape_configs));
    for (key, value) in server.config {
        ensure!(!config.contains_key(&key), "config: {key} is set by Pallet; use its parameters");
        config.insert(key, value);
    }
    let all = Value::Object(config.clone());
    refuse_secrets("the configuration of Prometheus", &all)?;

    let flag = reload(&system.server);
    let changed = || Options::new().flag_on_change(flag.clone());
    request.add(Package::install(system.server.package))?;
    request.add(Directory::at(format!("{DIRECTORY}/targets.d")))?;
    request.add(Directory::at(format!("{DIRECTORY}/rules.d")))?;
    let directory = format!("{DIRECTORY}/secrets");
    secrets::put(request, &directory, system.group, &server.secrets, &flag)?;
    for job in &jobs {
        let path = format!("{DIRECTORY}/targets.d/{}.json", job.name);
        request.add(file(path, file_of(&job.targets)?, system.group))?;
    }
    let main = file(format!("{DIRECTORY}/prometheus.yml"), document(&config), system.group);
    request.add_with(main.verify("promtool check config"), changed())?;
    arguments(request, &system.server, &words)?;
    service(request, &system.server, true)
}

fn check(server: &Server) -> Result<()> {
    ensure!(server.port > 0, "prometheus: there is no port 0");
    check_duration("scrape_interval", &server.scrape_interval)?;
    check_duration("evaluation_interval", &server.evaluation_interval)?;
    server.retention.as_deref().map_or(Ok(()), |value| check_duration("retention", value))?;
    if let Some(size) = &server.retention_size {
        let unit =
            ["KB", "MB", "GB", "TB", "PB", "EB"].into_iter().find_map(|u| size.strip_suffix(u));
        let right = unit.or_else(|| size.strip_suffix('B')).is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        ensure!(right, "the retention_size {size:?} is no size: write it as 50GB");
    }
    server.listen.as_deref().map_or(Ok(()), check_address)?;
    check_labels(&server.external_labels)
}

fn words(server: &Server) -> Vec<String> {
    let listen = with_port(server.listen.as_deref().unwrap_or("0.0.0.0"), server.port);
    let mut words = vec![format!("--web.listen-address={listen}")];
    for (name, value) in [
        ("storage.tsdb.retention.time", &server.retention),
        ("storage.tsdb.retention.size", &server.retention_size),
        ("web.external-url", &server.external_url),
    ] {
        words.extend(value.as_ref().map(|value| format!("--{name}={value}")));
    }
    words.extend(server.arguments.iter().cloned());
    words
}

#[cfg(test)]
mod tests {
    use super::super::Prometheus;
    use super::*;

    fn content(recorder: &Recorder<Prometheus>, path: &str) -> String {
        let actions = recorder.actions();
        let file = actions.iter().find(|one| one.subject == path);
        file.unwrap_or_else(|| panic!("no {path}")).arguments["content"].as_str().unwrap().into()
    }

    #[test]
    fn nodes_that_declared_targets_are_scraped() {
        let mut recorder = Recorder::<Prometheus>::on("debian 12");
        recorder.call("target", json!({"labels": {"rack": "a"}})).unwrap();
        recorder.call("target", json!({"job": "app", "port": 8080, "path": "/m"})).unwrap();
        recorder.call("alertmanager_settings", json!({})).unwrap();
        let jobs = json!([{"name": "app", "targets": ["app.example:80"], "interval": "1m"}]);
        let arguments = json!({"retention": "30d", "jobs": jobs, "secrets": {"x": "y"}});
        recorder.call("server", arguments).unwrap();
        assert_eq!(
            content(&recorder, "/etc/prometheus/targets.d/node.json"),
            "[\n  {\n    \"targets\": [\n      \"192.0.2.1:9100\"\n    ],\n    \
             \"labels\": {\n      \
             \"node\": \"node-1\",\n      \"group\": \"group\",\n      \"rack\": \"a\"\n    }\n  \
             }\n]\n"
        );
        let app = content(&recorder, "/etc/prometheus/targets.d/app.json");
        assert!(app.contains("app.example:80") && app.contains("\"__metrics_path__\": \"/m\""));
        let config = content(&recorder, "/etc/prometheus/prometheus.yml");
        assert!(config.contains("- \"192.0.2.1:9093\"\n"), "{config}");
        assert!(config.contains("job_name: \"app\"\n    scrape_interval: \"1m\"\n"), "{config}");
        assert_eq!(
            content(&recorder, "/etc/default/prometheus"),
            "# written by pallet\nARGS=\"--web.listen-address=0.0.0.0:9090 \
             --storage.tsdb.retention.time=30d\"\n"
        );
        let declared = recorder.declared();
        assert_eq!(declared.first().unwrap(), "package prometheus");
        assert_eq!(declared.last().unwrap(), "service prometheus");
    }

    #[test]
    fn only_the_chosen_nodes_are_scraped() {
        let mut recorder = Recorder::<Prometheus>::on("debian 12");
        recorder.call("target", json!({})).unwrap();
        recorder.call("server", json!({"groups": ["other"]})).unwrap();
        assert!(!content(&recorder, "/etc/prometheus/prometheus.yml").contains("\"node\""));
    }

    #[test]
    fn what_makes_no_server_is_refused() {
        for (arguments, said) in [
            (json!({"scrape_interval": "15"}), "no duration"),
            (json!({"retention_size": "50"}), "no size"),
            (json!({"jobs": [{"name": "a/b"}]}), "cannot name a job"),
            (json!({"jobs": [{"name": "prometheus"}]}), "the server's own"),
            (json!({"jobs": [{"name": "a", "targets": ["a b"]}]}), "is no address"),
            (json!({"config": {"global": {}}}), "set by Pallet"),
            (json!({"config": {"a": secret_placeholder("x")}}), "put it into `secrets`"),
            (json!({"arguments": ["--a=b c"]}), "without spaces"),
            (json!({"external_labels": {"a-b": "c"}}), "cannot name a label"),
        ] {
            let error =
                Recorder::<Prometheus>::on("debian 12").call("server", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
