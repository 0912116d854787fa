//! Packages, and the cluster that comes with them; more clusters; the service.

use pallet_core::action::package_source::AptSource;
use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::cluster::{Cluster, Repository, USER, current, settings};
use super::sql;
use super::system::{Layout, PGDG_KEY, SYSTEMS};

/// Where the key of the repository is on the node.
const KEYRING: &str = "/etc/apt/keyrings/postgresql-pgdg.asc";

parameters! {
    /// Installs PostgreSQL. The cluster `main` is created with it, if it is missing, and started.
    ///
    /// Example: `postgresql.install(request)`
    pub(crate) struct Install {
        /// Major version, such as `"17"`. Default: that of `postgresql.settings`, or of the
        /// distribution.
        #[serde(default)]
        version: Option<String>,
        /// Where the packages come from. Default: that of `postgresql.settings`, or the
        /// distribution.
        #[serde(default)]
        repository: Option<Repository>,
        /// Locale of new clusters.
        #[serde(default = "default_locale")]
        locale: String,
        /// Encoding of new clusters.
        #[serde(default = "default_encoding")]
        encoding: String,
        /// Whether new clusters have checksums of their pages.
        #[serde(default = "yes")]
        data_checksums: bool,
    }

    /// Makes a cluster beside `main`: Debian and Ubuntu only. It is started, and starts with the
    /// node. All functions have the parameter `instance` to work with it.
    ///
    /// Example: `postgresql.instance(request, "reports", port = 5433)`
    pub(crate) struct Instance {
        /// The name of the cluster: letters, digits, `_` and `.`.
        name: String,
        /// TCP port. Change it later with `postgresql.setting`.
        port: u16,
        /// Locale of the cluster. Default: that of `postgresql.install`.
        #[serde(default)]
        locale: Option<String>,
        /// Encoding of the cluster. Default: that of `postgresql.install`.
        #[serde(default)]
        encoding: Option<String>,
    }

    /// Makes a cluster run, and start with the node.
    ///
    /// Example: `postgresql.service(request)`
    pub(crate) struct ServiceArguments {
        /// The cluster. Default: `main`.
        #[serde(default)]
        instance: Option<String>,
    }
}

fn default_locale() -> String {
    "C.UTF-8".to_owned()
}

fn default_encoding() -> String {
    "UTF8".to_owned()
}

fn yes() -> bool {
    true
}

pub(crate) fn install(request: &mut Request, install: Install) -> Result<()> {
    check_word("locale", &install.locale)?;
    check_word("encoding", &install.encoding)?;
    let mut wanted = current(request)?;
    wanted.version = install.version.clone().or(wanted.version);
    wanted.repository = install.repository.unwrap_or(wanted.repository);
    let port = wanted.port;
    // what later functions of this node go by
    settings(request, wanted.clone())?;
    let cluster = Cluster::of(request, None)?;
    let system = SYSTEMS.row(&request.target()?.os)?;
    if wanted.repository == Repository::Pgdg {
        request.add(Directory::at("/etc/apt/keyrings"))?;
        let key = RemoteFile::content(KEYRING, PGDG_KEY);
        request.add(key.owner("root").group("root").mode(0o644))?;
        request.add(PackageSource::new("pgdg").apt(AptSource {
            url: "https://apt.postgresql.org/pub/repos/apt".to_owned(),
            release: Some(system.pgdg.to_owned()),
            signed_by: Some(KEYRING.to_owned()),
            ..AptSource::default()
        }))?;
    }
    let options = initdb_options(&install);
    if system.layout == Layout::Clusters {
        // the package makes the cluster `main` when it is installed
        let directory = "/etc/postgresql-common/createcluster.d";
        request.add(Directory::at("/etc/postgresql-common"))?;
        request.add(Directory::at(directory))?;
        let content = format!("# written by pallet\ninitdb_options = '{options}'\n");
        let file = RemoteFile::content(format!("{directory}/pallet.conf"), content);
        request.add(file.owner("root").group("root").mode(0o644))?;
    }
    for package in system.packages {
        request.add(Package::install(package.replace("{}", &cluster.version)))?;
    }
    cluster.put(request)?;
    match system.layout {
        Layout::Clusters => create(request, &cluster, "")?,
        Layout::Single { data, .. } => request.add(
            ExecCheckedScript::new(
                "create the cluster main",
                format!("initdb -D {data} {options} --auth-local=peer --auth-host=scram-sha-256"),
            )
            .creates(format!("{data}/PG_VERSION"))
            .user(USER),
        )?,
    }
    start(request, &cluster)?;
    let Some(port) = port else { return Ok(()) };
    cluster.part(request, "port.conf", format!("port = {port}\n"))?;
    cluster.apply(request)
}

pub(crate) fn instance(request: &mut Request, instance: Instance) -> Result<()> {
    let cluster = Cluster::of(request, Some(&instance.name))?;
    ensure!(
        cluster.layout == Layout::Clusters,
        "this system has one cluster, `main`; more are supported on Debian and Ubuntu"
    );
    ensure!(instance.port > 0, "there is no port 0; give 1 to 65535");
    let mut options = format!(" --port {}", instance.port);
    for (option, value) in [("locale", &instance.locale), ("encoding", &instance.encoding)] {
        if let Some(value) = value {
            check_word(option, value)?;
            options += &format!(" --{option} {}", quote(value));
        }
    }
    cluster.put(request)?;
    create(request, &cluster, &options)?;
    start(request, &cluster)
}

pub(crate) fn service(request: &mut Request, service: ServiceArguments) -> Result<()> {
    start(request, &Cluster::of(request, service.instance.as_deref())?)
}

fn create(request: &mut Request, cluster: &Cluster, options: &str) -> Result<()> {
    let Cluster { version, name, conf, .. } = cluster;
    request.add(
        ExecCheckedScript::new(
            format!("create the cluster {}", cluster.id),
            format!("pg_createcluster{options} {version} {}", quote(name)),
        )
        .creates(format!("{conf}/postgresql.conf")),
    )
}

fn start(request: &mut Request, cluster: &Cluster) -> Result<()> {
    if cluster.layout != Layout::Clusters {
        return request.add(Service::start(&cluster.service).enabled(true));
    }
    // it starts all clusters with the node
    request.add(Service::start("postgresql").enabled(true))?;
    request.add(Service::start(&cluster.service))
}

fn initdb_options(install: &Install) -> String {
    let checksums = if install.data_checksums { " --data-checksums" } else { "" };
    format!("--locale={} --encoding={}{checksums}", install.locale, install.encoding)
}

fn check_word(what: &str, value: &str) -> Result<()> {
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.@".contains(character);
    sql::check_name(what, value)?;
    ensure!(
        value.chars().all(good) && !value.starts_with('-'),
        "{value:?} is no {what}: use letters, digits, -, _, . and @"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Postgresql;
    use super::*;

    fn installed(system: &str, arguments: Value) -> Result<Recorder<Postgresql>, PluginError> {
        let mut recorder = Recorder::<Postgresql>::on(system);
        recorder.call("install", arguments)?;
        Ok(recorder)
    }

    #[test]
    fn each_system_has_its_packages_and_services() {
        for (system, package, service) in [
            ("debian 12", "package postgresql-15", "service postgresql@15-main"),
            ("debian 13", "package postgresql-17", "service postgresql@17-main"),
            ("ubuntu 24.04", "package postgresql-16", "service postgresql@16-main"),
            ("rocky 9.4", "package postgresql-server", "service postgresql"),
            ("arch", "package postgresql", "service postgresql"),
        ] {
            let declared = installed(system, json!({})).unwrap().declared();
            for wanted in [package, service] {
                assert!(declared.iter().any(|one| one == wanted), "{system}: {declared:?}");
            }
        }
    }

    #[test]
    fn the_repository_of_the_project_has_a_pinned_key() {
        let recorder =
            installed("debian 12", json!({"version": "17", "repository": "pgdg"})).unwrap();
        assert!(recorder.declared().contains(&"package postgresql-17".to_owned()));
        let actions = recorder.actions();
        let source = actions.iter().find(|action| action.name == "package_source").unwrap();
        assert_eq!(source.arguments["apt"]["release"], "bookworm-pgdg");
        assert_eq!(source.arguments["apt"]["signed_by"], KEYRING);
        let key = actions.iter().find(|action| action.subject == KEYRING).unwrap();
        let key = key.arguments["content"].as_str().unwrap();
        assert!(key.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"));
        // what later functions go by
        let settings = recorder.settings_now("postgresql").unwrap();
        assert_eq!(settings, json!({"version": "17", "repository": "pgdg"}));
    }

    #[test]
    fn a_port_that_is_declared_is_set() {
        let mut recorder = Recorder::<Postgresql>::on("debian 12");
        recorder.call("settings", json!({"port": 5440})).unwrap();
        recorder.call("install", json!({})).unwrap();
        let actions = recorder.actions();
        let path = "/etc/pallet/postgresql/15-main/port.conf";
        let file = actions.iter().find(|action| action.subject == path).unwrap();
        assert_eq!(file.arguments["content"], "port = 5440\n");
    }

    #[test]
    fn what_a_system_does_not_have_is_refused() {
        for (system, arguments, said) in [
            ("debian 12", json!({"version": "17"}), "use the repository pgdg"),
            ("debian 12", json!({"repository": "pgdg"}), "give version"),
            ("debian 12", json!({"version": "9.6", "repository": "pgdg"}), "no major version"),
            ("rocky 9", json!({"version": "17", "repository": "pgdg"}), "Debian and Ubuntu only"),
            ("alpine 3.20", json!({}), "not supported"),
            ("debian 12", json!({"locale": "C; reboot"}), "is no locale"),
            ("debian 12", json!({"encoding": "-x"}), "is no encoding"),
        ] {
            let Err(error) = installed(system, arguments.clone()) else {
                panic!("{system} {arguments}")
            };
            assert!(error.to_string().contains(said), "{system} {arguments}: {error}");
        }
    }

    #[test]
    fn more_clusters_are_for_debian() {
        let mut recorder = Recorder::<Postgresql>::on("debian 12");
        recorder.call("instance", json!({"name": "second", "port": 5433})).unwrap();
        let actions = recorder.actions();
        let create =
            actions.iter().find(|action| action.subject == "create the cluster 15-second").unwrap();
        assert_eq!(create.arguments["script"], "pg_createcluster --port 5433 15 second");
        for (system, name, said) in [
            ("rocky 9", "second", "has one cluster"),
            ("debian 12", "../x", "cannot name a cluster"),
            ("debian 12", "a-b", "has a `-`"),
        ] {
            let error = Recorder::<Postgresql>::on(system)
                .call("instance", json!({"name": name, "port": 5433}))
                .unwrap_err();
            assert!(error.to_string().contains(said), "{system} {name}: {error}");
        }
    }
}
