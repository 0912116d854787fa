//! Lets ssh know the host keys of other nodes.

use pallet_core::prelude::*;

use super::settings::others;

parameters! {
    /// Lets ssh know the host keys of all nodes of a group, or with a role, as `ssh_key.settings`
    /// declares them there: by the name of the node, its address, and its `names`.
    ///
    /// A node whose keys are not known yet is named in a warning: run the operation once more.
    ///
    /// Example: `ssh_key.known_hosts(request, group = "web")`
    pub(crate) struct KnownHosts {
        /// Group of the other nodes.
        #[serde(default)]
        group: Option<String>,
        /// Role of the other nodes, instead of their group.
        #[serde(default)]
        role: Option<String>,
        /// Login name of a user whose `~/.ssh/known_hosts` it is. Default: for all users.
        #[serde(default)]
        user: Option<String>,
    }
}

pub(crate) fn known_hosts(request: &mut Request, arguments: KnownHosts) -> Result<()> {
    let KnownHosts { group, role, user } = arguments;
    for (target, settings) in others(request, group.as_deref(), role.as_deref())? {
        if settings.host_keys.is_empty() {
            request.warn(format!(
                "the host keys of {} are not known yet; run the operation once more when they are \
                 made",
                target.name
            ))?;
            continue;
        }
        let mut names = vec![target.name];
        names.extend(target.address);
        names.extend(settings.names);
        names.dedup();
        for name in names {
            let mut host =
                KnownHost::deserialize(json!({"name": name, "key": settings.host_keys}))?;
            host.port = (settings.port != 22).then_some(settings.port);
            host.user.clone_from(&user);
            request.add(host)?;
        }
    }
    Ok(())
}
