//! Who owns `/etc/resolv.conf`, and how each is told what to write to it.

use pallet_core::prelude::*;

use super::wanted::Wanted;

/// The file is systemd-resolved's.
pub(crate) const IS_RESOLVED: &str =
    "readlink /etc/resolv.conf | grep -Eq '(^|/)run/systemd/resolve/'";
/// The file is resolvconf's.
pub(crate) const IS_RESOLVCONF: &str = "readlink /etc/resolv.conf | grep -Eq '(^|/)resolvconf/'";
/// The file is netconfig's, as on openSUSE.
pub(crate) const IS_NETCONFIG: &str = "readlink /etc/resolv.conf | grep -Eq '(^|/)run/netconfig/'";
/// The file is nobody's.
pub(crate) const IS_OTHER: &str =
    "! readlink /etc/resolv.conf | grep -Eq '(^|/)(run/systemd/resolve|resolvconf|run/netconfig)/'";
/// NetworkManager would write the file.
pub(crate) const HAS_NETWORK_MANAGER: &str = "test -d /etc/NetworkManager/conf.d && \
     ! readlink /etc/resolv.conf | \
     grep -Eq '(^|/)(run/systemd/resolve|resolvconf|run/netconfig)/'";

/// The flag that is set when the configuration of an owner changed.
const CHANGED: &str = "resolver-configuration";

/// Who owns `/etc/resolv.conf`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Owner {
    /// Whoever does on the node: where the file is a link to a file of theirs, systemd-resolved,
    /// resolvconf or netconfig, otherwise Pallet.
    #[default]
    Auto,
    /// Pallet, which replaces a link.
    File,
    /// systemd-resolved. The link of the file to it is made.
    SystemdResolved,
    /// resolvconf of Debian.
    Resolvconf,
}

type Put = fn(&mut Request, &Wanted) -> Result<()>;

/// Tells the owner.
pub(crate) fn put(request: &mut Request, owner: Owner, wanted: &Wanted) -> Result<()> {
    match owner {
        Owner::File => file(request, wanted),
        Owner::SystemdResolved => {
            let os = request.target()?.os;
            ensure!(
                os.service_manager == ServiceManager::Systemd,
                "the owner systemd_resolved needs systemd, which {os} does not have"
            );
            resolved(request, wanted)?;
            let link = "/run/systemd/resolve/stub-resolv.conf";
            request.add(SymbolicLink::new("/etc/resolv.conf", link).force())
        }
        Owner::Resolvconf => {
            let os = request.target()?.os;
            ensure!(
                os.family == OsFamily::Debian,
                "the owner resolvconf is that of Debian and Ubuntu, which {os} does not have"
            );
            resolvconf(request, wanted)
        }
        Owner::Auto => {
            let cases: [(&str, Put); 5] = [
                (IS_RESOLVED, resolved),
                (IS_RESOLVCONF, resolvconf),
                (IS_NETCONFIG, netconfig),
                (HAS_NETWORK_MANAGER, network_manager),
                (IS_OTHER, file),
            ];
            for (command, put) in cases {
                request.plan_when(command, |request| put(request, wanted))?;
            }
            Ok(())
        }
    }
}

fn root_file(path: &str, content: impl Into<String>) -> RemoteFile {
    RemoteFile::content(path, content).owner("root").group("root").mode(0o644)
}

fn file(request: &mut Request, wanted: &Wanted) -> Result<()> {
    request.add(root_file("/etc/resolv.conf", wanted.resolv_conf()?))
}

fn resolved(request: &mut Request, wanted: &Wanted) -> Result<()> {
    const DIRECTORY: &str = "/etc/systemd/resolved.conf.d";
    let part = root_file(&format!("{DIRECTORY}/90-pallet.conf"), wanted.resolved_conf());
    request.add(Directory::at(DIRECTORY))?;
    request.add_with(part, Options::new().flag_on_change(CHANGED))?;
    request.add(Service::start("systemd-resolved").enabled(true))?;
    request.add_with(Service::restart("systemd-resolved"), Options::new().if_flag(CHANGED))
}

fn resolvconf(request: &mut Request, wanted: &Wanted) -> Result<()> {
    // before what interfaces bring
    let head = root_file("/etc/resolvconf/resolv.conf.d/head", wanted.resolv_conf()?);
    request.add_with(head, Options::new().flag_on_change(CHANGED))?;
    let update = ExecCheckedScript::new("make resolvconf write resolv.conf", "resolvconf -u");
    request.add_with(update, Options::new().if_flag(CHANGED))
}

fn netconfig(request: &mut Request, wanted: &Wanted) -> Result<()> {
    for (name, words) in [
        // what DHCP brings is not used
        ("POLICY", "STATIC".to_owned()),
        ("STATIC_SERVERS", wanted.servers.join(" ")),
        ("STATIC_SEARCHLIST", wanted.search.join(" ")),
        ("RESOLVER_OPTIONS", wanted.options.join(" ")),
    ] {
        let line = format!("NETCONFIG_DNS_{name}=\"{words}\"");
        let line = LineInFile::new("/etc/sysconfig/network/config", line)
            .matching(format!("^NETCONFIG_DNS_{name}="));
        request.add_with(line, Options::new().flag_on_change(CHANGED))?;
    }
    let update = ExecCheckedScript::new("make netconfig write resolv.conf", "netconfig update -f");
    request.add_with(update, Options::new().if_flag(CHANGED))
}

fn network_manager(request: &mut Request, _: &Wanted) -> Result<()> {
    let part = root_file(
        "/etc/NetworkManager/conf.d/90-pallet-dns.conf",
        "# written by pallet, which writes /etc/resolv.conf\n[main]\ndns=none\n",
    );
    request.add_with(part, Options::new().flag_on_change("resolver-network-manager"))?;
    request.add_with(
        Service::reload("NetworkManager"),
        Options::new().if_flag("resolver-network-manager"),
    )
}
