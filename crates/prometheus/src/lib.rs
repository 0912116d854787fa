//! Prometheus: the server, which finds its targets by itself, alert rules, Alertmanager, and the
//! node exporter.
#![forbid(unsafe_code)]

mod address;
mod alertmanager;
mod component;
mod exporter;
mod peers;
mod rules;
mod scrape;
mod secrets;
mod server;
mod system;
mod target;
mod yaml;

use alertmanager::{alertmanager, alertmanager_settings};
use exporter::node_exporter;
use pallet_core::prelude::*;
use rules::rules;
use server::server;
use target::target;

struct Prometheus;

impl ConfigCrate for Prometheus {
    const NAME: &'static str = "prometheus";
    const ABOUT: &'static str = "Prometheus: server, alert rules, Alertmanager, node exporter";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/prometheus",
            "/etc/prometheus/**",
            "/etc/alertmanager",
            "/etc/alertmanager/**",
            "/etc/default/prometheus*",
            "/etc/sysconfig/prometheus*",
            "/etc/conf.d/prometheus",
            "/etc/conf.d/node_exporter",
            "/etc/conf.d/alertmanager",
        ],
        packages: &[
            "prometheus",
            "prometheus-node-exporter",
            "prometheus-alertmanager",
            "alertmanager",
            "golang-github-prometheus-*",
        ],
        services: &[
            "prometheus",
            "prometheus-node-exporter",
            "prometheus-node_exporter",
            "prometheus-alertmanager",
            "alertmanager",
        ],
        commands: &["promtool check config", "promtool check rules", "amtool check-config"],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] = &["debian", "ubuntu", "opensuse-leap", "arch"];

    fn functions() -> Vec<Function> {
        functions![target, alertmanager_settings, server, rules, alertmanager, node_exporter,]
    }
}

pallet_core::export_crate!(Prometheus);
