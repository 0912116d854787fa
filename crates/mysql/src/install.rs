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
