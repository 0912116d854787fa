//! What differs between systems: names of packages, services and files.

use pallet_core::prelude::*;

/// The names of one program.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) package: &'static str,
    pub(crate) service: &'static str,
    /// The file with its command line.
    pub(crate) arguments: &'static str,
    /// The variable in it.
    pub(crate) variable: &'static str,
}

/// The names of all programs.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) server: Names,
    pub(crate) alertmanager: Names,
    pub(crate) alertmanager_directory: &'static str,
    pub(crate) exporter: Names,
    /// The groups that the server and Alertmanager run as.
    pub(crate) group: &'static str,
    pub(crate) alertmanager_group: &'static str,
}

pub(crate) const SYSTEMS: SystemTable<System> = SystemTable(&[
    (
        "debian",
        System {
            server: Names {
                package: "prometheus",
                service: "prometheus",
                arguments: "/etc/default/prometheus",
                variable: "ARGS",
            },
            alertmanager: Names {
                package: "prometheus-alertmanager",
                service: "prometheus-alertmanager",
                arguments: "/etc/default/prometheus-alertmanager",
                variable: "ARGS",
            },
            alertmanager_directory: "/etc/prometheus",
            exporter: Names {
                package: "prometheus-node-exporter",
                service: "prometheus-node-exporter",
                arguments: "/etc/default/prometheus-node-exporter",
                variable: "ARGS",
            },
            group: "prometheus",
            alertmanager_group: "prometheus",
        },
    ),
    (
        "suse",
        System {
            server: Names {
                package: "golang-github-prometheus-prometheus",
                service: "prometheus",
                arguments: "/etc/sysconfig/prometheus",
                variable: "ARGS",
            },
            alertmanager: Names {
                package: "golang-github-prometheus-alertmanager",
                service: "prometheus-alertmanager",
                arguments: "/etc/sysconfig/prometheus-alertmanager",
                variable: "ARGS",
            },
            alertmanager_directory: "/etc/prometheus",
            exporter: Names {
                package: "golang-github-prometheus-node_exporter",
                service: "prometheus-node_exporter",
                arguments: "/etc/sysconfig/prometheus-node_exporter",
                variable: "ARGS",
            },
            group: "prometheus",
            alertmanager_group: "prometheus",
        },
    ),
    (
        "arch",
        System {
            server: Names {
                package: "prometheus",
                service: "prometheus",
                arguments: "/etc/conf.d/prometheus",
                variable: "PROMETHEUS_ARGS",
            },
            alertmanager: Names {
                package: "alertmanager",
                service: "alertmanager",
                arguments: "/etc/conf.d/alertmanager",
                variable: "ALERTMANAGER_ARGS",
            },
            alertmanager_directory: "/etc/alertmanager",
            exporter: Names {
                package: "prometheus-node-exporter",
                service: "prometheus-node-exporter",
                arguments: "/etc/conf.d/node_exporter",
                variable: "NODE_EXPORTER_ARGS",
            },
            group: "prometheus",
            alertmanager_group: "alertmanager",
        },
    ),
]);

pub(crate) fn system(request: &Request) -> Result<&'static System> {
    SYSTEMS.row(&request.target()?.os)
}
