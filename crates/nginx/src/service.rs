//! The service, and the flag that reloads it.

use pallet_core::prelude::*;

use super::program::{self, command};

/// The flag that is set when nginx's configuration changed.
pub(crate) const CHANGED: &str = "nginx-configuration";

parameters! {
    /// Makes the service run and start with the node, and reloads it if its configuration changed.
    ///
    /// Functions that change the configuration do that themselves, unless they are called with
    /// `reload = False`: then this reloads nginx once for all of them.
    ///
    /// Example: `nginx.service(request)`
    pub(crate) struct ServiceArguments {}
}

pub(crate) fn service(request: &mut Request, _: ServiceArguments) -> Result<()> {
    program::put(request)?;
    reload(request, CHANGED)
}

/// Makes the service run, and reloads it if the flag is set. The program is there.
pub(crate) fn reload(request: &mut Request, flag: &str) -> Result<()> {
    let if_changed = || Options::new().if_flag(flag);
    let check = ("check nginx's configuration", command(&["before-reload"]));
    request.add_with(ExecCheckedScript::new(check.0, check.1).only_looks(), if_changed())?;
    request.add(Service::start("nginx").enabled(true))?;
    request.add_with(Service::reload("nginx"), if_changed())?;
    // nginx answers for a moment as before: what comes next may ask it
    let wait = ("wait for nginx's new configuration", command(&["after-reload"]));
    request.add_with(ExecCheckedScript::new(wait.0, wait.1).only_looks(), if_changed())
}
