//! The service, and the flag that reloads it.

use pallet_core::prelude::*;

/// The flag that is set when HAProxy's configuration changed.
pub(crate) const CHANGED: &str = "haproxy-configuration";

parameters! {
    /// Makes the service run and start with the node, and reloads it if its configuration changed.
    ///
    /// Functions that change the configuration do that themselves, unless they are called with
    /// `reload = False`: then this reloads HAProxy once for all of them.
    ///
    /// Example: `haproxy.service(request)`
    pub(crate) struct ServiceArguments {}
}

pub(crate) fn service(request: &mut Request, _: ServiceArguments) -> Result<()> {
    reload(request, CHANGED)
}

/// Makes the service run, and reloads it if the flag is set.
pub(crate) fn reload(request: &mut Request, flag: &str) -> Result<()> {
    request.add(Service::start("haproxy").enabled(true))?;
    request.add_with(Service::reload("haproxy"), Options::new().if_flag(flag))
}
