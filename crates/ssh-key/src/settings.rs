//! The public keys of a node, which other nodes read.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::home::{check_public_key, check_user};

/// The facility of the settings.
const FACILITY: &str = "ssh-key";

parameters! {
    /// Declares the public keys of this node and its users, for other nodes to trust. Call it in
    /// the phase `settings`.
    ///
    /// Keys that are made on nodes are read with `fact`: see the README. A key that is empty
    /// because it is not made yet is ignored.
    ///
    /// Example: `ssh_key.settings(request, host_keys = request.facts.host_keys, user_keys = {"backup": request.facts.backup_key})`
    pub(crate) struct Settings {
        /// Public host keys: the lines of `/etc/ssh/ssh_host_*_key.pub`.
        #[serde(default)]
        pub(crate) host_keys: Vec<String>,
        /// Public keys of users, by their names.
        #[serde(default)]
        pub(crate) user_keys: BTreeMap<String, String>,
        /// Port of sshd.
        #[serde(default = "default_port")]
        pub(crate) port: u16,
        /// Names of the node besides its own and its address, by which clients connect to it.
        #[serde(default)]
        pub(crate) names: Vec<String>,
    }
}

fn default_port() -> u16 {
    22
}

pub(crate) fn settings(request: &mut Request, mut settings: Settings) -> Result<()> {
    settings.host_keys.retain(|key| !key.trim().is_empty());
    settings.user_keys.retain(|_, key| !key.trim().is_empty());
    settings.host_keys.iter().try_for_each(|key| check_public_key(key))?;
    for (user, key) in &settings.user_keys {
        check_user(user)?;
        check_public_key(key)?;
    }
    for name in &settings.names {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        ensure!(
            !name.is_empty() && name.bytes().all(good),
            "{name:?} cannot be a name of the node"
        );
    }
    request.set_settings(FACILITY, settings)
}

/// The nodes of a group or with a role, and what they declared, without this node.
pub(crate) fn others(
    request: &Request,
    group: Option<&str>,
    role: Option<&str>,
) -> Result<Vec<(Target, Settings)>> {
    ensure!(
        group.is_some() != role.is_some(),
        "give either the group or the role of the other nodes"
    );
    let this = request.target()?.id;
    let mut others = Vec::new();
    for target in request.targets()? {
        let wanted = match (group, role) {
            (Some(group), _) => target.group == group,
            (_, Some(role)) => target.roles.iter().any(|one| one == role),
            _ => false,
        };
        if wanted && target.id != this {
            let settings: Option<Settings> = request.settings_of(&target.id, FACILITY)?;
            let settings = settings.with_context(|| {
                format!(
                    "{} declares no keys; call ssh_key.settings in its phase settings",
                    target.name
                )
            })?;
            others.push((target, settings));
        }
    }
    Ok(others)
}

#[cfg(test)]
mod tests {
    use super::super::SshKey;
    use super::*;

    #[test]
    fn keys_that_are_not_made_yet_are_ignored() {
        let mut recorder = Recorder::<SshKey>::on("debian 12");
        recorder
            .call(
                "settings",
                json!({"host_keys": ["ssh-ed25519 AAAA", ""], "user_keys": {"backup": ""}}),
            )
            .unwrap();
        let settings = recorder.settings_now("ssh-key").unwrap();
        assert_eq!(settings["host_keys"], json!(["ssh-ed25519 AAAA"]));
        assert_eq!(settings["user_keys"], json!({}));
        for arguments in [
            json!({"host_keys": ["garbage"]}),
            json!({"user_keys": {"a b": "ssh-ed25519 AAAA"}}),
            json!({"names": ["a b"]}),
        ] {
            assert!(Recorder::<SshKey>::on("debian 12").call("settings", &arguments).is_err());
        }
    }
}
