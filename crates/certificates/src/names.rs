//! What differs between systems: packages, and where a system keeps the authorities that it trusts.

use pallet_core::prelude::*;

/// The names on one system.
pub(crate) struct Names {
    /// The package of certbot.
    pub(crate) certbot: &'static str,
    /// The directory of the authorities that users add.
    pub(crate) store: &'static str,
    /// The extension that their files must have.
    pub(crate) extension: &'static str,
    /// The command that makes the system trust what is in the directory.
    pub(crate) update: &'static str,
}

const DEBIAN: Names = Names {
    certbot: "certbot",
    store: "/usr/local/share/ca-certificates",
    extension: "crt",
    update: "update-ca-certificates",
};

const NAMES: SystemTable<Names> = SystemTable(&[
    ("debian", DEBIAN),
    ("alpine", DEBIAN),
    (
        "red_hat",
        Names {
            certbot: "certbot",
            store: "/etc/pki/ca-trust/source/anchors",
            extension: "pem",
            update: "update-ca-trust extract",
        },
    ),
    (
        "suse",
        Names {
            certbot: "python3-certbot",
            store: "/etc/pki/trust/anchors",
            extension: "pem",
            update: "update-ca-certificates",
        },
    ),
    (
        "arch",
        Names {
            certbot: "certbot",
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
