//! What the server scrapes: the nodes that declared it, by job, and what is listed.

use std::collections::BTreeMap;

use pallet_core::prelude::*;
use pallet_core::serde_json::{self, Map};

use super::address::{check_address, check_duration, with_port};
use super::target::{FACILITY, Scheme, Target, check_labels, check_path, default_path};

parameters! {
    /// Targets that are not nodes of the project, or options of a job that nodes declare.
    pub(crate) struct Job {
        /// Its name.
        name: String,
        /// Addresses with ports.
        #[serde(default)]
        targets: Vec<String>,
        /// Labels of these targets.
        #[serde(default)]
        labels: BTreeMap<String, String>,
        /// The path of the metrics.
        #[serde(default = "default_path")]
        path: String,
        /// `http` or `https`.
        #[serde(default)]
        scheme: Scheme,
        /// How often they are scraped: `30s`. Default: as all others.
        #[serde(default)]
        interval: Option<String>,
        /// More keys of a `scrape_config`, as a dict.
        #[serde(default)]
        options: Map<String, Value>,
    }
}

/// A job: its name, its `scrape_config` without targets, and its targets, for file_sd.
#[derive(Debug)]
pub(crate) struct Scrape {
    pub(crate) name: String,
    pub(crate) config: Map<String, Value>,
    pub(crate) targets: Vec<Value>,
}

/// All jobs, by name.
pub(crate) fn jobs(
    request: &Request,
    groups: &[String],
    roles: &[String],
    listed: Vec<Job>,
) -> Result<Vec<Scrape>> {
    let mut jobs: BTreeMap<String, Scrape> = BTreeMap::new();
    for job in listed {
        let scrape = of_job(&job)?;
        let name = scrape.name.clone();
        ensure!(jobs.insert(name.clone(), scrape).is_none(), "the job {name} is listed twice");
    }
    let mut nodes = request.targets()?;
    nodes.retain(|node| {
        (groups.is_empty() && roles.is_empty())
            || groups.contains(&node.group)
            || node.roles.iter().any(|role| roles.contains(role))
    });
    // whatever the order in which providers list nodes
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    for node in nodes {
        let declared: Option<BTreeMap<String, Target>> = request.settings_of(&node.id, FACILITY)?;
        for (name, target) in declared.unwrap_or_default() {
            let job = jobs.entry(name.clone()).or_insert_with(|| Scrape {
                config: config(&name, &default_path(), Scheme::Http),
                name,
                targets: Vec::new(),
            });
            job.targets.push(of_node(&node, &target)?);
        }
    }
    Ok(jobs.into_values().collect())
}

fn config(name: &str, path: &str, scheme: Scheme) -> Map<String, Value> {
    let mut config = Map::new();
    config.insert("job_name".into(), name.into());
    if path != default_path() {
        config.insert("metrics_path".into(), path.into());
    }
    if scheme == Scheme::Https {
        config.insert("scheme".into(), scheme.as_str().into());
    }
    config
}

fn of_job(job: &Job) -> Result<Scrape> {
    check_file_name("a job", &job.name)?;
    check_path(&job.path)?;
    check_labels(&job.labels)?;
    job.targets.iter().try_for_each(|target| check_address(target))?;
    let mut config = config(&job.name, &job.path, job.scheme);
    if let Some(interval) = &job.interval {
        check_duration("interval", interval)?;
        config.insert("scrape_interval".into(), interval.clone().into());
    }
    for (key, value) in &job.options {
        ensure!(
            !config.contains_key(key) && key != "file_sd_configs",
            "job {}: {key} has a parameter of its own, or is set by Pallet",
            job.name
        );
        config.insert(key.clone(), value.clone());
    }
    let targets = match job.targets.as_slice() {
        [] => Vec::new(),
        targets => vec![json!({"targets": targets, "labels": job.labels})],
    };
    Ok(Scrape { name: job.name.clone(), config, targets })
}

fn of_node(node: &pallet_core::model::Target, target: &Target) -> Result<Value> {
    let address = target.address.as_ref().or(node.address.as_ref());
    let address = address.with_context(|| {
        format!("node {} has no address at which Prometheus could scrape it", node.name)
    })?;
    let mut labels: Map<String, Value> = Map::new();
    labels.insert("node".into(), node.name.clone().into());
    labels.insert("group".into(), node.group.clone().into());
    // these say for one target what a scrape_config says for all
    if target.path != default_path() {
        labels.insert("__metrics_path__".into(), target.path.clone().into());
    }
    if target.scheme == Scheme::Https {
        labels.insert("__scheme__".into(), target.scheme.as_str().into());
    }
    for (name, value) in &target.labels {
        labels.insert(name.clone(), value.clone().into());
    }
    Ok(json!({"targets": [with_port(address, target.port)], "labels": labels}))
}

/// The file of a job's targets.
pub(crate) fn file_of(targets: &[Value]) -> Result<String> {
    Ok(serde_json::to_string_pretty(targets)? + "\n")
}
