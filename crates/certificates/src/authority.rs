//! A certificate authority of the project's own: one node signs what others request.

use std::collections::BTreeMap;

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::specification::{KeyKind, Specification, check_common_name, check_days, check_word};

const PROGRAM: &str = "/usr/local/lib/pallet/certificate-authority";

const TEXT: &str =
    concat!("#!/bin/sh\n", include_str!("common.sh"), "\n", include_str!("authority.sh"));

/// The facility whose settings map the authorities of a node to how others reach them.
const FACILITY: &str = "certificates-authorities";

/// How an authority is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(crate = "pallet_core::serde")]
struct Reach {
    /// Its address; `None`: that of the node.
    address: Option<String>,
    port: u16,
}

parameters! {
    /// Declares that this node is an authority, so that other nodes find it. Call it in the phase
    /// `settings`.
    ///
    /// Example: `certificates.settings(request)`
    pub(crate) struct Settings {
        /// Name of the authority.
        #[serde(default = "default_name")]
        name: String,
        /// TCP port on which it answers requests of other nodes. Default: 8540.
        #[serde(default = "default_port")]
        port: u16,
        /// Address that other nodes connect to. Default: the address of the node.
        #[serde(default)]
        address: Option<String>,
    }

    /// Makes this node an authority, which signs the certificates that `certificates.issued`
    /// declares for other nodes.
    ///
    /// Its key is made on this node and never leaves it. Other nodes send it the public keys that
    /// they want to have signed; what else is in a certificate is only what Pallet declared. It
    /// answers nobody who does not know the token of `certificates.issued`.
    ///
    /// Example: `certificates.authority(request, common_name = "Example internal CA")`
    pub(crate) struct Authority {
        /// Name of the authority, as in `certificates.settings`.
        #[serde(default = "default_name")]
        name: String,
        /// Common name of its own certificate. It cannot change later. Default: `NAME authority`.
        #[serde(default)]
        common_name: Option<String>,
        /// Kind of its key. It cannot change later.
        #[serde(default = "default_key")]
        key: KeyKind,
        /// Number of days that its own certificate is valid. It is renewed, with the same key, 400
        /// days before its end, or after half the time if it is shorter. Default: 3650.
        #[serde(default = "default_days")]
        days: u32,
    }
}

pub(crate) fn default_name() -> String {
    "internal".to_owned()
}

fn default_port() -> u16 {
    8540
}

fn default_key() -> KeyKind {
    KeyKind::Ec384
}

fn default_days() -> u32 {
    3650
}

pub(crate) fn settings(request: &mut Request, settings: Settings) -> Result<()> {
    let Settings { name, port, address } = settings;
    check_file_name("an authority", &name)?;
    ensure!(port > 0, "authority {name}: there is no port 0");
    if let Some(address) = &address {
        check_word("address", address)?;
    }
    request.set_settings(FACILITY, BTreeMap::from([(name, Reach { address, port })]))
}

/// The node of an authority.
pub(crate) struct Found {
    /// The node's ID.
    pub(crate) node: String,
    /// As socat takes it.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Finds the node of an authority.
pub(crate) fn find(request: &Request, name: &str) -> Result<Found> {
    let mut found = Vec::new();
    for target in request.targets()? {
        let known: Option<BTreeMap<String, Reach>> = request.settings_of(&target.id, FACILITY)?;
        if let Some(reach) = known.and_then(|mut known| known.remove(name)) {
            found.push((target, reach));
        }
    }
    let Some((target, Reach { address, port })) = found.pop() else {
        bail!(
            "no node is the authority {name}; call certificates.settings in the phase `settings` \
             of one"
        )
    };
    ensure!(found.is_empty(), "more than one node is the authority {name}; it must be one");
    let Some(host) = address.or(target.address) else {
        bail!("node {}, the authority {name}, has no address that others could ask", target.name)
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Ok(Found { node: target.id, host, port })
}

/// The directory of an authority on its node.
pub(crate) fn directory(name: &str) -> String {
    format!("/etc/pallet/authorities/{name}")
}

/// Tells the authority what a node may have. `ca` is the request for the authority's node.
pub(crate) fn allow(
    ca: &mut Request,
    name: &str,
    id: &str,
    specification: Specification,
    token: String,
) -> Result<()> {
    let requests = format!("{}/requests", directory(name));
    let private = |path: String| Directory::at(path).owner("root").group("root").mode(0o700);
    ca.add(private(directory(name)))?;
    ca.add(private(requests.clone()))?;
    let file = |path: String, content: String| {
        RemoteFile::content(path, content).owner("root").group("root").mode(0o600).max_versions(0)
    };
    ca.add(file(format!("{requests}/{id}"), specification.text()))?;
    ca.add(file(format!("{requests}/{id}.token"), token))
}

pub(crate) fn authority(request: &mut Request, wanted: Authority) -> Result<()> {
    let Authority { name, common_name, key, days } = wanted;
    check_file_name("an authority", &name)?;
    let common_name = common_name.unwrap_or_else(|| format!("{name} authority"));
    check_common_name(&common_name)?;
    let renew = (days / 2).min(400);
    check_days(days, renew, 36_500)?;
    let target = request.target()?;
    let known: Option<BTreeMap<String, Reach>> = request.settings(FACILITY)?;
    let reach = known.and_then(|mut known| known.remove(&name)).with_context(|| {
        format!(
            "node {} is not declared as the authority {name}; call certificates.settings in its \
             phase `settings`",
            target.name
        )
    })?;
    ensure!(
        target.os.service_manager == ServiceManager::Systemd,
        "an authority needs a node with systemd; {} has none",
        target.name
    );
    let specification = Specification::default()
        .with("common_name", common_name)
        .with("key", key.word())
        .with("days", days)
        .with("renew", renew);
    let at = directory(&name);
    let private = |path: String| Directory::at(path).owner("root").group("root").mode(0o700);
    let (service, flag) =
        (format!("pallet-authority-{name}"), format!("certificate-authority-{name}"));
    let changed = || Options::new().flag_on_change(&flag);
    request.add(Package::install("openssl"))?;
    request.add(Package::install("socat"))?;
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(RemoteFile::content(PROGRAM, TEXT).owner("root").group("root").mode(0o755))?;
    for directory in ["", "/requests", "/issued"] {
        request.add(private(format!("{at}{directory}")))?;
    }
    request.add(
        RemoteFile::content(format!("{at}/spec"), specification.text())
            .owner("root")
            .group("root")
            .mode(0o600),
    )?;
    request.add(
        ExecCheckedScript::new(format!("make the authority {name}"), command(&["make", &name]))
            .unless(command(&["is-made", &name])),
    )?;
    let renewal = format!("{service}-renewal");
    request.add_with(
        ServiceScript::content(
            format!("{service}.service"),
            unit(&name, &reach, target.address.as_deref()),
        ),
        changed(),
    )?;
    request.add(ServiceScript::content(format!("{renewal}.service"), renewal_unit(&name)))?;
    request.add(ServiceScript::content(format!("{renewal}.timer"), RENEWAL_TIMER))?;
    request.add(Service::start(&service).enabled(true))?;
    request.add_with(Service::restart(&service), Options::new().if_flag(&flag))?;
    request.add(Service::start(format!("{renewal}.timer")).enabled(true))
}

const RENEWAL_TIMER: &str = "[Unit]\nDescription=Renew a certificate authority\n\n[Timer]\n\
                             OnCalendar=daily\nRandomizedDelaySec=6h\nPersistent=true\n\n\
                             [Install]\nWantedBy=timers.target\n";

fn renewal_unit(name: &str) -> String {
    format!(
        "[Unit]\nDescription=Renew the certificate authority {name}\n\n[Service]\nType=oneshot\n\
         ExecStart=/bin/sh {PROGRAM} renew {name}\n"
    )
}

/// The service that answers requests: a process for each.
fn unit(name: &str, reach: &Reach, address: Option<&str>) -> String {
    // on a node without IPv6, its addresses cannot be listened on
    let listen = match reach.address.as_deref().or(address) {
        Some(address) if address.contains(':') => "TCP6-LISTEN:{port},ipv6-v6only=0",
        _ => "TCP-LISTEN:{port}",
    };
    let listen = listen.replace("{port}", &reach.port.to_string());
    format!(
        "[Unit]\nDescription=Certificate authority {name}\nAfter=network.target\n\n[Service]\n\
         ExecStart=/usr/bin/socat -T 120 {listen},reuseaddr,fork,max-children=32 \
         \"EXEC:{PROGRAM} serve {name}\"\nRestart=on-failure\nNoNewPrivileges=yes\n\
         CapabilityBoundingSet=\nMemoryMax=256M\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

/// A call of the program on the authority's node.
fn command(arguments: &[&str]) -> String {
    let arguments: Vec<_> = arguments.iter().map(|argument| quote(argument)).collect();
    format!("sh {PROGRAM} {}", arguments.join(" "))
}

#[cfg(test)]
mod tests {
    use super::super::Certificates;
    use super::*;

    #[test]
    fn an_authority_is_declared_before_it_is_made() {
        let mut recorder = Recorder::<Certificates>::on("debian 12");
        let error = recorder.call("authority", json!({})).unwrap_err();
        assert!(error.to_string().contains("call certificates.settings"), "{error}");
        recorder.call("settings", json!({"port": 8541})).unwrap();
        recorder.call("authority", json!({})).unwrap();
        let actions = recorder.actions();
        let spec = actions.iter().find(|one| one.subject.ends_with("internal/spec")).unwrap();
        assert_eq!(
            spec.arguments["content"],
            "common_name internal authority\nkey ec384\ndays 3650\nrenew 400\n"
        );
        let unit =
            actions.iter().find(|one| one.subject == "pallet-authority-internal.service").unwrap();
        let text = unit.arguments["content"].as_str().unwrap();
        assert!(text.contains("TCP-LISTEN:8541,") && text.contains("serve internal\""), "{text}");
    }

    #[test]
    fn what_is_no_authority_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a b"}), "cannot name an authority"),
            (json!({"common_name": "a\nb"}), "cannot be a common name"),
            (json!({"days": 0}), "days must be"),
        ] {
            let mut recorder = Recorder::<Certificates>::on("debian 12");
            let error = recorder.call("authority", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
        let mut recorder = Recorder::<Certificates>::on("debian 12");
        let error = recorder.call("settings", json!({"address": "a b"})).unwrap_err();
        assert!(error.to_string().contains("cannot be a address"), "{error}");
    }
}
