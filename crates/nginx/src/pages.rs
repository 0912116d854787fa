//! Pages that other crates register: settings that every site of the node reads.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

/// The facility whose settings map paths to directories.
const FACILITY: &str = "nginx-pages";

parameters! {
    /// Registers a directory of files that every site of this node serves under a path. Call it in
    /// the `settings` phase.
    ///
    /// Example: `nginx.page(request, "/status", "/srv/status")`
    pub(crate) struct Page {
        /// The path, from `/`.
        path: String,
        /// The directory on the node.
        directory: String,
    }
}

pub(crate) fn page(request: &mut Request, page: Page) -> Result<()> {
    for (what, value) in [("path", &page.path), ("directory", &page.directory)] {
        ensure!(value.starts_with('/'), "the {what} {value:?} must begin with /");
        super::syntax::plain(what, value)?;
    }
    request
        .set_settings(FACILITY, BTreeMap::from([(page.path.trim_end_matches('/'), page.directory)]))
}

/// The pages that are registered for this node: paths and their directories.
pub(crate) fn registered(request: &Request) -> Result<BTreeMap<String, String>> {
    Ok(request.settings(FACILITY)?.unwrap_or_default())
}
