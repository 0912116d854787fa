//! What differs between systems: packages, and where a system keeps the authorities that it trusts.

use pallet_core::prelude::*;

/// The names on one system.
pub(crate) struct Names {
    /// The package of certbot.
    pub(crate) certbot: &'static str,
    /// The well-known repository that has certbot, if not the distribution.
    pub(crate) repository: Option<&'static str>,
    /// The directory of the authorities that users add.
    pub(crate) store: &'static str,
    /// The extension that their files must have.
    pub(crate) extension: &'static str,
    /// The command that makes the system trust what is in the directory.
    pub(crate) update: &'static str,
}

const DEBIAN: Names = Names {
    certbot: "certbot",
    repository: None,
    store: "/usr/local/share/ca-certificates",
    extension: "crt",
    update: "update-ca-certificates",
};

const FEDORA: Names = Names {
    certbot: "certbot",
    repository: None,
    store: "/etc/pki/ca-trust/source/anchors",
    extension: "pem",
    update: "update-ca-trust extract",
};

const NAMES: SystemTable<Names> = SystemTable(&[
    ("debian", DEBIAN),
    ("alpine", DEBIAN),
    ("fedora", FEDORA),
    // EPEL is added by hand there
    ("rhel", FEDORA),
    ("red_hat", Names { repository: Some("epel"), ..FEDORA }),
    (
        "suse",
        Names {
            certbot: "python3-certbot",
            repository: None,
            store: "/etc/pki/trust/anchors",
            extension: "pem",
            update: "update-ca-certificates",
        },
    ),
    (
        "arch",
        Names {
            certbot: "certbot",
            repository: None,
            store: "/etc/ca-certificates/trust-source/anchors",
            extension: "crt",
            update: "update-ca-trust extract",
        },
    ),
]);

/// The names on the system of the node.
pub(crate) fn names(request: &Request) -> Result<&'static Names> {
    NAMES.row(&request.target()?.os)
}

impl Names {
    /// The file of an authority that the system trusts.
    pub(crate) fn stored(&self, name: &str) -> String {
        format!("{}/pallet-{name}.{}", self.store, self.extension)
    }
}
