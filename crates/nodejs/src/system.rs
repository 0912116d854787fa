//! What each system calls the packages of Node.js.

use pallet_core::prelude::*;

pub(crate) struct Names {
    pub(crate) node: &'static str,
    pub(crate) npm: &'static str,
    /// What unpacks the official archives; `None`: they do not run there.
    pub(crate) xz: Option<&'static str>,
    /// Whether NodeSource has packages for it.
    pub(crate) nodesource: bool,
}

pub(crate) const NAMES: SystemTable<Names> = SystemTable(&[
    ("debian", Names { node: "nodejs", npm: "npm", xz: Some("xz-utils"), nodesource: true }),
    ("red_hat", Names { node: "nodejs", npm: "npm", xz: Some("xz"), nodesource: true }),
    (
        "suse",
        Names { node: "nodejs-default", npm: "npm-default", xz: Some("xz"), nodesource: false },
    ),
    ("arch", Names { node: "nodejs", npm: "npm", xz: Some("xz"), nodesource: false }),
    // its C library is another one than that of the official archives
    ("alpine", Names { node: "nodejs", npm: "npm", xz: None, nodesource: false }),
]);
