//! The package and the service.

use pallet_core::prelude::*;

use super::server::{self, FACILITY, Settings};
use super::sql;

parameters! {
    /// Installs MariaDB, and starts it, now and at boot.
    ///
    /// Example: `mysql.install(request)`
    pub(crate) struct Install {}

    /// Removes what a new server may have for trying it: anonymous users, the database `test`, and
    /// `root` from other machines.
    ///
    /// Example: `mysql.secure(request)`
    pub(crate) struct Secure {}

    /// Makes the server run, and start with the node.
    ///
    /// Example: `mysql.service(request)`
    pub(crate) struct ServiceArguments {}
}

pub(crate) fn install(request: &mut Request, _: Install) -> Result<()> {
    let system = server::system(request)?;
    for package in system.packages {
        request.add(Package::install(*package))?;
    }
    if !system.initialize.is_empty() {
        request.add(
            ExecCheckedScript::new("create the data directory", system.initialize)
                .creates(format!("{}/mysql", system.data)),
        )?;
    }
    server::put(request)?;
    service(request, ServiceArguments {})?;
    let settings: Option<Settings> = request.settings(FACILITY)?;
    let Some(Settings { port }) = settings else { return Ok(()) };
    server::part(request, "port", format!("port = {port}\n"))?;
    server::apply(request)
}

pub(crate) fn secure(request: &mut Request, _: Secure) -> Result<()> {
    server::put(request)?;
    let local = ["localhost", "127.0.0.1", "::1"].map(sql::text).join(", ");
    let users = format!("User = '' or (User = 'root' and Host not in ({local}))");
    let run = format!(
        "delete from mysql.global_priv where {users};\ndrop database if exists test;\n\
         delete from mysql.db where Db in ('test', 'test\\\\_%');\nflush privileges;"
    );
    let holds = format!(
        "select not exists (select 1 from mysql.global_priv where {users}) and not exists (select \
         1 from information_schema.schemata where schema_name = 'test');"
    );
    server::sql(request, "remove what a new server has for trying it".to_owned(), &run, &holds)
}

pub(crate) fn service(request: &mut Request, _: ServiceArguments) -> Result<()> {
    request.add(Service::start(server::system(request)?.service).enabled(true))
}

#[cfg(test)]
mod tests {
    use super::super::Mysql;
    use super::*;

    #[test]
    fn each_system_has_its_packages() {
        for (system, package, directory) in [
            ("debian 12", "package mariadb-server", "confdir=/etc/mysql/mariadb.conf.d\n"),
            ("ubuntu 24.04", "package mariadb-server", "confdir=/etc/mysql/mariadb.conf.d\n"),
            ("rocky 9.4", "package mariadb-server", "confdir=/etc/my.cnf.d\n"),
            ("opensuse-leap 15.6", "package mariadb", "confdir=/etc/my.cnf.d\n"),
            ("arch", "package mariadb", "confdir=/etc/my.cnf.d\n"),
        ] {
            let mut recorder = Recorder::<Mysql>::on(system);
            recorder.call("install", json!({})).unwrap();
            assert_eq!(recorder.declared()[0], package, "{system}");
            let actions = recorder.actions();
            let server = actions.iter().find(|file| file.subject == "/etc/pallet/mysql/server");
            let content = server.unwrap().arguments["content"].as_str().unwrap();
            assert!(content.contains(directory), "{system}: {content}");
        }
        let error = Recorder::<Mysql>::on("alpine 3.20").call("install", json!({})).unwrap_err();
        assert!(error.to_string().contains("not supported"), "{error}");
    }

    #[test]
    fn a_port_that_is_declared_is_set() {
        let mut recorder = Recorder::<Mysql>::on("debian 12");
        recorder.call("settings", json!({"port": 3307})).unwrap();
        recorder.call("install", json!({})).unwrap();
        let actions = recorder.actions();
        let file = actions.iter().find(|file| file.subject == "/etc/pallet/mysql/port.cnf");
        assert_eq!(file.unwrap().arguments["content"], "port = 3307\n");
    }
}
