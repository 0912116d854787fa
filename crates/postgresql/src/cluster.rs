//! A cluster: one server with its databases, and where its files are.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::system::{Layout, SYSTEMS};

/// The facility of this crate's settings, which other nodes read.
pub(crate) const FACILITY: &str = "postgresql";

/// The user that runs the server.
pub(crate) const USER: &str = "postgres";

const LIBRARY: &str = "/usr/local/lib/pallet";
const PROGRAM: &str = "/usr/local/lib/pallet/postgresql";

parameters! {
    /// Declares the version and the port of this node's PostgreSQL. Call it in the phase
    /// `settings` where they are not the defaults. Replicas find the port of their primary here.
    ///
    /// Example: `postgresql.settings(request, version = "17", repository = "pgdg")`
    pub(crate) struct Settings {
        /// Major version, such as `"17"`. Default: the version of the distribution.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(crate) version: Option<String>,
        /// Where the packages come from.
        #[serde(default)]
        pub(crate) repository: Repository,
        /// TCP port of the cluster `main`. Default: 5432.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(crate) port: Option<u16>,
    }
}

/// Where the packages come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Repository {
    /// The distribution.
    #[default]
    Distribution,
    /// apt.postgresql.org, the repository of the PostgreSQL project: Debian and Ubuntu.
    Pgdg,
}

pub(crate) fn settings(request: &mut Request, settings: Settings) -> Result<()> {
    check(request, &settings)?;
    request.set_settings(FACILITY, settings)
}

/// The settings of this node.
pub(crate) fn current(request: &Request) -> Result<Settings> {
    let settings: Option<Settings> = request.settings(FACILITY)?;
    let none = Settings { version: None, repository: Repository::default(), port: None };
    Ok(settings.unwrap_or(none))
}

fn check(request: &Request, settings: &Settings) -> Result<()> {
    let os = request.target()?.os;
    let system = SYSTEMS.row(&os)?;
    ensure!(settings.port != Some(0), "there is no port 0; give 1 to 65535");
    if settings.repository == Repository::Pgdg {
        ensure!(
            !system.pgdg.is_empty(),
            "the repository pgdg is supported on Debian and Ubuntu only, not on {os}"
        );
        ensure!(settings.version.is_some(), "the repository pgdg has many versions; give version");
    }
    let Some(version) = &settings.version else { return Ok(()) };
    ensure!(
        version.parse::<u8>().is_ok_and(|number| (13..=99).contains(&number)),
        "the version {version:?} is no major version of PostgreSQL from 13 on, such as \"17\""
    );
    ensure!(
        settings.repository == Repository::Pgdg || version == system.version,
        "{os} has PostgreSQL {}, not {version}; use the repository pgdg, or omit version",
        if system.version.is_empty() { "in a version of its own" } else { system.version }
    );
    Ok(())
}

/// A cluster, with the places of its files.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    /// `15-main`, or `main` where there is one version only.
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) name: String,
    pub(crate) bin: String,
    pub(crate) conf: String,
    pub(crate) data: String,
    pub(crate) home: String,
    pub(crate) service: String,
    pub(crate) layout: Layout,
}

impl Cluster {
    /// The cluster of this name. `None`: `main`.
    pub(crate) fn of(request: &Request, instance: Option<&str>) -> Result<Self> {
        let name = instance.unwrap_or("main");
        check_file_name("a cluster of PostgreSQL", name)?;
        ensure!(!name.contains('-'), "{name:?} cannot name a cluster: it has a `-`");
        let settings = current(request)?;
        check(request, &settings)?;
        let os = request.target()?.os;
        let system = SYSTEMS.row(&os)?;
        let version = settings.version.unwrap_or_else(|| system.version.to_owned());
        let name = name.to_owned();
        Ok(match system.layout {
            Layout::Clusters => Cluster {
                id: format!("{version}-{name}"),
                bin: format!("/usr/lib/postgresql/{version}/bin"),
                conf: format!("/etc/postgresql/{version}/{name}"),
                data: format!("/var/lib/postgresql/{version}/{name}"),
                home: "/var/lib/postgresql".to_owned(),
                service: format!("postgresql@{version}-{name}"),
                layout: system.layout,
                version,
                name,
            },
            Layout::Single { home, data } => {
                ensure!(name == "main", "{os} has one cluster, `main`; there is no {name:?}");
                Cluster {
                    id: name.clone(),
                    bin: "/usr/bin".to_owned(),
                    conf: data.to_owned(),
                    data: data.to_owned(),
                    home: home.to_owned(),
                    service: "postgresql".to_owned(),
                    layout: system.layout,
                    version,
                    name,
                }
            }
        })
    }

    /// The directory of the declared files.
    pub(crate) fn parts(&self) -> String {
        format!("/etc/pallet/postgresql/{}", self.id)
    }

    /// The file with the password of a replica.
    pub(crate) fn passfile(&self) -> String {
        format!("{}/.pallet-{}.pgpass", self.home, self.id)
    }

    /// Puts the program and the description of the cluster on the node.
    pub(crate) fn put(&self, request: &mut Request) -> Result<()> {
        let file = |path: String, content: &str| {
            RemoteFile::content(path, content).owner("root").group("root").mode(0o644)
        };
        request.add(Directory::at(LIBRARY))?;
        request.add(file(PROGRAM.to_owned(), include_str!("postgresql.sh")))?;
        request.add(file(format!("{PROGRAM}-scram.sql"), include_str!("scram.sql")))?;
        request.add(Directory::at("/etc/pallet/postgresql"))?;
        request.add(Directory::at(self.parts()).owner("root").group(USER).mode(0o750))?;
        let mut text = "# written by pallet\n".to_owned();
        for (name, value) in [
            ("bin", &self.bin),
            ("conf", &self.conf),
            ("data", &self.data),
            ("home", &self.home),
            ("service", &self.service),
        ] {
            text += &format!("{name}={}\n", quote(value));
        }
        request.add(file(format!("{}/cluster", self.parts()), &text))
    }

    /// Declares a part of the configuration.
    pub(crate) fn part(&self, request: &mut Request, name: &str, content: String) -> Result<()> {
        let file = RemoteFile::content(format!("{}/{name}", self.parts()), content);
        request.add(file.owner("root").group(USER).mode(0o640))
    }

    /// Puts the declared configuration in place: one reload or one restart, whatever changed.
    pub(crate) fn apply(&self, request: &mut Request) -> Result<()> {
        let name = format!("apply the configuration of the cluster {}", self.id);
        let apply = ExecCheckedScript::new(name, self.command("apply", &[]));
        request.add(apply.unless(self.command("is-applied", &[])))
    }

    /// A call of the program on the node.
    pub(crate) fn command(&self, verb: &str, arguments: &[&str]) -> String {
        let words: Vec<_> =
            [verb, &self.id].iter().chain(arguments).map(|word| quote(word)).collect();
        format!("sh {PROGRAM} {}", words.join(" "))
    }

    /// Runs SQL as the superuser, unless a query of one value is true.
    pub(crate) fn sql(
        &self,
        request: &mut Request,
        (name, database): (String, &str),
        run: &str,
        holds: &str,
    ) -> Result<()> {
        request.add(
            ExecCheckedScript::new(name, self.command("run", &[database, run]))
                .unless(self.command("holds", &[database, holds]))
                .user(USER),
        )
    }
}
