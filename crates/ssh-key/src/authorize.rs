//! Lets users of other nodes log in.

use pallet_core::prelude::*;

use super::home::check_user;
use super::settings::others;

parameters! {
    /// Lets a user of all nodes of a group, or with a role, log in to this node with that user's
    /// own key, as `ssh_key.settings` declares it there.
    ///
    /// A node whose key is not made yet is named in a warning: run the operation once more. The key
    /// of a node that is destroyed stays, unless `exclusive` is set.
    ///
    /// Example: `ssh_key.authorize(request, "backup", group = "backup-server", options = "restrict,command=\"/usr/bin/backup\"")`
    pub(crate) struct Authorize {
        /// Login name on this node. The user must exist.
        user: String,
        /// Group of the nodes from which the user comes.
        #[serde(default)]
        group: Option<String>,
        /// Role of these nodes, instead of their group.
        #[serde(default)]
        role: Option<String>,
        /// Login name there. Default: `user`.
        #[serde(default)]
        from_user: Option<String>,
        /// Options for the keys: `restrict,command="/usr/bin/backup"`.
        #[serde(default)]
        options: Option<String>,
        /// Let each key in only from the address of its node.
        #[serde(default)]
        from_address: bool,
        /// Remove all other keys of the user.
        #[serde(default)]
        exclusive: bool,
    }
}

pub(crate) fn authorize(request: &mut Request, arguments: Authorize) -> Result<()> {
    let Authorize { user, group, role, from_user, options, from_address, exclusive } = arguments;
    let from = from_user.unwrap_or_else(|| user.clone());
    check_user(&user)?;
    check_user(&from)?;
    let mut lines = Vec::new();
    for (target, settings) in others(request, group.as_deref(), role.as_deref())? {
        let Some(key) = settings.user_keys.get(&from) else {
            request.warn(format!(
                "the key of {from} on {} is not known yet, so {from} cannot log in to {} from \
                 there; run the operation once more when it is made",
                target.name,
                request.target()?.name
            ))?;
            continue;
        };
        let mut with: Vec<String> = options.iter().cloned().collect();
        if from_address {
            let address = target.address.with_context(|| {
                format!("{} has no address yet; omit from_address", target.name)
            })?;
            with.insert(0, format!("from=\"{address}\""));
        }
        let with = if with.is_empty() { String::new() } else { format!("{} ", with.join(",")) };
        lines.push(format!("{with}{}", key.trim()));
    }
    if lines.is_empty() {
        return Ok(());
    }
    let mut keys = AuthorizedKey::deserialize(json!({"user": user, "key": lines}))?;
    keys.exclusive = exclusive;
    request.add(keys)
}

#[cfg(test)]
mod tests {
    use super::super::SshKey;
    use super::*;

    #[test]
    fn either_a_group_or_a_role_is_given() {
        for arguments in [
            json!({"user": "a"}),
            json!({"user": "a", "group": "b", "role": "c"}),
            json!({"user": "a b", "group": "b"}),
        ] {
            assert!(Recorder::<SshKey>::on("debian 12").call("authorize", &arguments).is_err());
        }
        // the node itself is not another one
        let mut recorder = Recorder::<SshKey>::on("debian 12");
        recorder.call("authorize", json!({"user": "a", "group": "group"})).unwrap();
        assert!(recorder.declared().is_empty());
    }
}
