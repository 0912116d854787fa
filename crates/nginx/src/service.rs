//! The service, and the flag that reloads it.

use pallet_core::prelude::*;

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
    reload(request, CHANGED)
}

/// Makes the service run, and reloads it if the flag is set.
pub(crate) fn reload(request: &mut Request, flag: &str) -> Result<()> {
    let check = ExecCheckedScript::new("check nginx's configuration", "nginx -t").only_looks();
    request.add_with(check, Options::new().if_flag(flag))?;
    request.add(Service::start("nginx").enabled(true))?;
    request.add_with(Service::reload("nginx"), Options::new().if_flag(flag))
}
