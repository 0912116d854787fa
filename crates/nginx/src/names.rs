//! What differs between systems: packages, and where files of the configuration go.

use pallet_core::prelude::*;

/// The names on one system.
pub(crate) struct Names {
    /// Whether sites are enabled by links, as on Debian.
    pub(crate) links: bool,
    /// The directory of files in the context `http`.
    pub(crate) http: &'static str,
    /// The package of the module for streams.
    pub(crate) stream: &'static str,
    /// The group of the processes that answer requests.
    pub(crate) group: &'static str,
    /// Whether `http2` is a directive of its own, as since nginx 1.25.1.
    pub(crate) http2: bool,
    /// The package's own site in `http`, which answers whatever no other site is named for.
    pub(crate) default: Option<&'static str>,
    /// Whether SELinux confines nginx.
    pub(crate) confined: bool,
}

const DEBIAN: Names = Names {
    links: true,
    http: "/etc/nginx/conf.d",
    stream: "libnginx-mod-stream",
    group: "www-data",
    http2: true,
    // a link in sites-enabled
    default: None,
    confined: false,
};

const RED_HAT: Names = Names {
    links: false,
    http: "/etc/nginx/conf.d",
    stream: "nginx-mod-stream",
    group: "nginx",
    http2: true,
    // within nginx.conf, behind all others
    default: None,
    confined: true,
};

const ALPINE: Names = Names {
    http: "/etc/nginx/http.d",
    default: Some("/etc/nginx/http.d/default.conf"),
    confined: false,
    ..RED_HAT
};

const NAMES: SystemTable<Names> = SystemTable(&[
    ("debian 11", Names { http2: false, ..DEBIAN }),
    ("debian 12", Names { http2: false, ..DEBIAN }),
    ("ubuntu 20", Names { http2: false, ..DEBIAN }),
    ("ubuntu 22", Names { http2: false, ..DEBIAN }),
    ("ubuntu 24", Names { http2: false, ..DEBIAN }),
    ("debian", DEBIAN),
    ("rocky 8", Names { http2: false, ..RED_HAT }),
    ("rocky 9", Names { http2: false, ..RED_HAT }),
    ("rocky 10", RED_HAT),
    ("fedora", RED_HAT),
    // new versions of nginx still take the old way
    ("red_hat", Names { http2: false, ..RED_HAT }),
    ("alpine 3.18", Names { http2: false, ..ALPINE }),
    ("alpine 3.19", Names { http2: false, ..ALPINE }),
    ("alpine", ALPINE),
]);

/// The names on the system of the node.
pub(crate) fn names(request: &Request) -> Result<&'static Names> {
    NAMES.row(&request.target()?.os)
}
