//! The engine.

use pallet_core::action::package_source::{AptSource, DnfSource};
use pallet_core::prelude::*;

use super::program;
use super::system::{OWN, OWN_COMPOSE, SYSTEMS};

/// The flags that are set when the daemon's settings changed.
pub(crate) const RESTART: &str = "docker-restart";
pub(crate) const RELOAD: &str = "docker-reload";

parameters! {
    /// Installs Docker Engine and compose.
    ///
    /// Example: `docker.install(request)`
    ///
    /// Example: `docker.install(request, source = "docker", version = "5:27.*")`
    pub(crate) struct Install {
        /// Where the packages come from.
        #[serde(default)]
        source: Source,
        /// The version of the engine. `*` matches any text. Default: any.
        #[serde(default)]
        version: Option<String>,
        /// Also install compose.
        #[serde(default = "yes")]
        compose: bool,
        /// Users who may use Docker, and so are as powerful as root. They must exist.
        #[serde(default)]
        users: Vec<String>,
    }

    /// Makes the service run and start with the node. Restarts or reloads it if its settings
    /// changed. `docker.daemon` calls it.
    ///
    /// Example: `docker.service(request)`
    pub(crate) struct ServiceArguments {}
}

/// Where packages come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Source {
    /// The distribution.
    #[default]
    Distribution,
    /// Docker's own repository, `download.docker.com`.
    Docker,
}

fn yes() -> bool {
    true
}

pub(crate) fn install(request: &mut Request, install: Install) -> Result<()> {
    let os = request.target()?.os;
    let system = SYSTEMS.row(&os)?;
    let (packages, compose) = match install.source {
        Source::Distribution => (system.packages, system.compose),
        Source::Docker => (OWN, OWN_COMPOSE),
    };
    ensure!(
        !packages.is_empty(),
        "{os} has no package of Docker; use source = \"docker\", or Podman"
    );
    if install.source == Source::Docker {
        let part = system.repository.with_context(|| {
            format!("Docker has no repository for {os}; use source = \"distribution\"")
        })?;
        request.add(own_repository(part))?;
    }
    let mut engine = Package::install(packages[0]);
    engine.version = install.version;
    request.add(engine)?;
    for package in packages.iter().skip(1).chain(install.compose.then_some(&compose)) {
        request.add(Package::install(*package))?;
    }
    for user in &install.users {
        check_file_name("a user", user)?;
        request.add(User::new(user).groups(["docker"]).append())?;
    }
    program::put(request)
}

fn own_repository(part: &str) -> PackageSource {
    let url = format!("https://download.docker.com/linux/{part}");
    PackageSource::new("docker")
        .apt(AptSource {
            url: url.clone(),
            components: Some(vec!["stable".to_owned()]),
            key_url: Some(format!("{url}/gpg")),
            ..AptSource::default()
        })
        .dnf(DnfSource {
            url: Some(format!("{url}/$releasever/$basearch/stable")),
            gpgkey: Some(format!("{url}/gpg")),
            ..DnfSource::default()
        })
}

pub(crate) fn service(request: &mut Request, _: ServiceArguments) -> Result<()> {
    request.add(Service::start("docker").enabled(true))?;
    request.add_with(Service::reload("docker"), Options::new().if_flag(RELOAD))?;
    request.add_with(Service::restart("docker"), Options::new().if_flag(RESTART))
}

#[cfg(test)]
mod tests {
    use super::super::Docker;
    use super::*;

    fn packages(system: &str, arguments: Value) -> Result<Vec<String>, PluginError> {
        let mut recorder = Recorder::<Docker>::on(system);
        recorder.call("install", arguments)?;
        let package = |one: &String| one.starts_with("package");
        Ok(recorder.declared().into_iter().filter(package).collect())
    }

    #[test]
    fn each_system_has_its_own_packages() {
        assert_eq!(
            packages("debian 13", json!({})).unwrap(),
            ["package docker.io", "package docker-cli", "package docker-compose"]
        );
        assert_eq!(
            packages("ubuntu 24.04", json!({"compose": false})).unwrap(),
            ["package docker.io"]
        );
        let own = packages("rocky 9", json!({"source": "docker"})).unwrap();
        assert_eq!(own[..2], ["package_source docker", "package docker-ce"]);
        for (system, arguments, said) in [
            ("rocky 9", json!({}), "use source"),
            ("arch", json!({"source": "docker"}), "no repository"),
        ] {
            let error = packages(system, arguments).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
