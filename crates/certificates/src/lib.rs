//! TLS certificates: self-signed, of an own authority, of ACME, or given; renewed on the node.
#![forbid(unsafe_code)]

mod acme;
mod authority;
mod install;
mod issued;
mod layout;
mod names;
mod program;
mod self_signed;
mod specification;
mod trust;

use acme::acme;
use authority::{authority, settings};
use install::install;
use issued::issued;
use layout::paths;
use pallet_core::prelude::*;
use self_signed::self_signed;
use trust::trust;

struct Certificates;

impl ConfigCrate for Certificates {
    const NAME: &'static str = "certificates";
    const ABOUT: &'static str =
        "TLS certificates: self-signed, of an own authority, of ACME, or given";
    const CAPABILITIES: Option<Capabilities<Patterns>> = Some(Capabilities {
        paths: &[
            "/etc/pallet/certificates/**",
            "/etc/pallet/authorities/**",
            "/etc/pallet/acme",
            "/usr/local/lib/pallet",
            "/usr/local/lib/pallet/certificates",
            "/usr/local/lib/pallet/certificate-authority",
            "/etc/systemd/system/pallet-*",
            "/etc/cron.d/pallet-certificates",
            "/etc/crontabs/root",
            // where systems keep the authorities that they trust
            "/usr/local/share/ca-certificates/pallet-*",
            "/etc/pki/ca-trust/source/anchors/pallet-*",
            "/etc/pki/trust/anchors/pallet-*",
            "/etc/ca-certificates/trust-source/anchors/pallet-*",
        ],
        packages: &[
            "openssl",
            "socat",
            "ca-certificates",
            "certbot",
            "python3-certbot",
            "epel",
            "epel-release",
        ],
        services: &["pallet-*"],
        users: &["root"],
        commands: &[
            "sh /usr/local/lib/pallet/certificates *",
            "sh /usr/local/lib/pallet/certificate-authority *",
            "openssl x509 -noout -in",
            "update-ca-certificates",
            "update-ca-trust extract",
        ],
        ..Capabilities::NOTHING
    });
    const SYSTEMS: &'static [&'static str] =
        &["debian 12", "debian 13", "ubuntu", "rocky 9", "opensuse-leap", "arch", "alpine"];

    fn functions() -> Vec<Function> {
        functions![settings, authority, self_signed, issued, install, acme, trust, paths]
    }
}

pallet_core::export_crate!(Certificates);
