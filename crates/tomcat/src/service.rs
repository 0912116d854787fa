//! The service of an instance.

use pallet_core::prelude::*;

use super::system::Place;

parameters! {
    /// Starts an instance, now and at boot, and restarts it once if anything that needs it changed.
    /// Call it last.
    ///
    /// Example: `tomcat.service(request)`
    pub(crate) struct ServiceArguments {
        /// Instance. Default: that of the package.
        #[serde(default)]
        instance: Option<String>,
    }
}

pub(crate) fn service(request: &mut Request, service: ServiceArguments) -> Result<()> {
    let place = Place::of(request, service.instance.as_deref())?;
    request.add(Service::start(&place.name).enabled(true))?;
    request.add_with(Service::restart(&place.name), Options::new().if_flag(place.flag()))
}
