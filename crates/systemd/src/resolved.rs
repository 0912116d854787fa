//! resolved, which looks up names for the node.

use pallet_core::prelude::*;

use super::manager::require;
use super::names::NAMES;
use super::settings_file;
use super::text::Settings;

parameters! {
    /// Lets systemd-resolved look up names: installs it where it is a package of its own, sets its
    /// servers, starts it now and at boot, and makes `/etc/resolv.conf` a link to its own file.
    ///
    /// The file is `/etc/systemd/resolved.conf.d/pallet.conf`. resolved is restarted if it changed.
    ///
    /// Example: `systemd.resolved(request, dns = ["192.0.2.53", "9.9.9.9#dns.quad9.net"], domains = ["example.com"], dnssec = "allow-downgrade")`
    pub(crate) struct Resolved {
        /// Servers: addresses, with `:PORT` and `#NAME` for TLS where needed. They are asked
        /// besides those of the network interfaces.
        #[serde(default)]
        dns: Vec<String>,
        /// Servers to ask if no other is known.
        #[serde(default)]
        fallback_dns: Option<Vec<String>>,
        /// Domains to search for names without a dot. `~example.com` only sends the names of that
        /// domain to `dns`, and `~.` all names.
        #[serde(default)]
        domains: Vec<String>,
        /// Whether answers must be signed.
        #[serde(default)]
        dnssec: Option<Wish>,
        /// Whether servers are asked over TLS: `yes`, `no` or `opportunistic`.
        #[serde(default)]
        dns_over_tls: Option<Tls>,
        /// Keep answers.
        #[serde(default)]
        cache: Option<bool>,
        /// Answer to and ask for names on the local network with multicast DNS.
        #[serde(default)]
        multicast_dns: Option<bool>,
        /// The same with LLMNR.
        #[serde(default)]
        llmnr: Option<bool>,
        /// More settings of the section `Resolve`.
        #[serde(default)]
        #[schemars(with = "Option<Settings>")]
        settings: Option<Value>,
        /// Make `/etc/resolv.conf` a link to the file of resolved.
        #[serde(default = "super::unit::yes")]
        resolv_conf: bool,
    }
}

/// Whether answers must be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "kebab-case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Wish {
    /// They must.
    Yes,
    /// Signatures are not looked at.
    No,
    /// Where the server gives signatures.
    AllowDowngrade,
}

/// Whether servers are asked over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Tls {
    /// They are.
    Yes,
    /// They are not.
    No,
    /// If they can.
    Opportunistic,
}

/// The link to the file of resolved, and its place.
const LINK: &str = "../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf";

pub(crate) fn resolved(request: &mut Request, resolved: Resolved) -> Result<()> {
    require(request)?;
    let settings = settings(&resolved)?;
    if let Some(package) = NAMES.row(&request.target()?.os)?.resolved {
        request.add(Package::install(package))?;
    }
    settings_file::put(request, "resolved", "Resolve", settings, "systemd-resolved")?;
    request.add(Service::start("systemd-resolved").enabled(true))?;
    if resolved.resolv_conf {
        // the package may have made the link already, so only the node knows
        request.add(
            ExecCheckedScript::new("look up names by resolved", format!("ln -sfn {LINK}")).unless(
                "readlink /etc/resolv.conf | grep -q '/run/systemd/resolve/stub-resolv.conf$'",
            ),
        )?;
    }
    Ok(())
}

fn settings(resolved: &Resolved) -> Result<Value> {
    let mut settings = json!({});
    for (key, servers) in
        [("DNS", Some(&resolved.dns)), ("FallbackDNS", resolved.fallback_dns.as_ref())]
    {
        let Some(servers) = servers.filter(|servers| key != "DNS" || !servers.is_empty()) else {
            continue;
        };
        servers.iter().try_for_each(|server| check_server(server))?;
        settings[key] = json!(servers.join(" "));
    }
    if !resolved.domains.is_empty() {
        resolved.domains.iter().try_for_each(|domain| check_domain(domain))?;
        settings["Domains"] = json!(resolved.domains.join(" "));
    }
    if let Some(dnssec) = resolved.dnssec {
        settings["DNSSEC"] = json!(dnssec);
    }
    if let Some(tls) = resolved.dns_over_tls {
        settings["DNSOverTLS"] = json!(tls);
    }
    for (key, value) in [
        ("Cache", resolved.cache),
        ("MulticastDNS", resolved.multicast_dns),
        ("LLMNR", resolved.llmnr),
    ] {
        if let Some(value) = value {
            settings[key] = json!(value);
        }
    }
    if let Some(more) = &resolved.settings {
        for (key, value) in more.as_object().context("settings must be a dict")? {
            ensure!(settings[key].is_null(), "{key} is set twice; omit it in settings");
            settings[key] = value.clone();
        }
    }
    Ok(settings)
}

fn check_server(server: &str) -> Result<()> {
    let (address, name) = server.split_once('#').unwrap_or((server, "name"));
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    ensure!(
        !name.is_empty()
            && name.chars().all(good)
            && (address.parse::<std::net::IpAddr>().is_ok()
                || address.parse::<std::net::SocketAddr>().is_ok()),
        "{server:?} is not a name server: write an address, with :PORT and #NAME where needed"
    );
    Ok(())
}

fn check_domain(domain: &str) -> Result<()> {
    let name = domain.strip_prefix('~').unwrap_or(domain);
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    ensure!(
        !name.is_empty() && name.chars().all(good),
        "{domain:?} is not a domain: write example.com, ~example.com or ~."
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Systemd;
    use super::*;

    #[test]
    fn servers_and_domains_are_set() {
        let mut recorder = Recorder::<Systemd>::on("debian 12");
        recorder
            .call(
                "resolved",
                json!({
                    "dns": ["192.0.2.53", "[2001:db8::1]:53#dns.example"], "fallback_dns": [],
                    "domains": ["example.com", "~."], "dnssec": "allow-downgrade",
                }),
            )
            .unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "package systemd-resolved",
                "directory /etc/systemd/resolved.conf.d",
                "remote_file /etc/systemd/resolved.conf.d/pallet.conf",
                "service systemd-resolved",
                "service systemd-resolved",
                "exec_checked_script look up names by resolved"
            ]
        );
        assert_eq!(
            recorder.actions()[2].arguments["content"],
            "# written by pallet\n[Resolve]\nDNS=192.0.2.53 [2001:db8::1]:53#dns.example\n\
             FallbackDNS=\nDomains=example.com ~.\nDNSSEC=allow-downgrade\n"
        );
    }

    #[test]
    fn what_is_no_server_or_domain_is_refused() {
        for arguments in [
            json!({"dns": ["dns.example"]}),
            json!({"dns": ["192.0.2.1 8.8.8.8"]}),
            json!({"dns": ["192.0.2.1#"]}),
            json!({"domains": ["a b"]}),
            json!({"domains": [""]}),
        ] {
            let error =
                Recorder::<Systemd>::on("debian 12").call("resolved", &arguments).unwrap_err();
            assert!(error.to_string().contains("is not a"), "{error}");
        }
    }
}
