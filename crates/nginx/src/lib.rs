//! The nginx web server: package, sites, service.
#![forbid(unsafe_code)]

use pallet_core::prelude::*;

struct Nginx;

impl ConfigCrate for Nginx {
    const NAME: &'static str = "nginx";
    const ABOUT: &'static str = "The nginx web server: package, sites, service";
    fn functions() -> Vec<Function> {
        functions![install]
    }
}

pallet_core::export_crate!(Nginx);

parameters! {
    /// Installs nginx.
    struct Install {
        /// Whether
        #[serde(default)]
        x: bool
    }
}

fn install(request: &mut Request, _: Install) -> Result<()> {
    request.add(Directory::at("/srv"))
}
