//! The service, and what loads changed settings.

use pallet_core::prelude::*;

use super::program::{command, install};

parameters! {
    /// Makes the server run and start with the node, and loads what changed of its settings, once
    /// for all of them.
    ///
    /// What the server can change while it runs is changed so. It is restarted only for the rest.
    ///
    /// Example: `redis.service(request)`
    pub(crate) struct ServiceArguments {}
}

pub(crate) fn service(request: &mut Request, _: ServiceArguments) -> Result<()> {
    load(request)
}

/// Makes the server run with its settings.
pub(crate) fn load(request: &mut Request) -> Result<()> {
    let names = install(request)?.names;
    request.add(Service::start(names.service).enabled(true))?;
    request.add(
        ExecCheckedScript::new("load the settings", command(&["load"]))
            .unless(command(&["is-loaded"])),
    )
}
