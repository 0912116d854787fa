//! The cloud-init data of a new instance: its name, login user and keys, and host key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pallet_core::prelude::*;
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey};

/// A host key generated for one node.
#[derive(Debug)]
pub(crate) struct HostKey {
    /// In the form `ssh-ed25519 AAAA...`.
    pub(crate) public: String,
    /// In OpenSSH's format.
    private: String,
}

impl HostKey {
    /// Generates a host key.
    pub(crate) fn new() -> Result<Self, PluginError> {
        let make = || -> ssh_key::Result<HostKey> {
            let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519)?;
            Ok(HostKey {
                public: key.public_key().to_openssh()?,
                private: key.to_openssh(LineEnding::LF)?.to_string(),
            })
        };
        make().map_err(|error| PluginError::failed(format!("cannot make a host key: {error}")))
    }
}

/// The user data of a node, as RunInstances expects it. The keys are for the image's own user; if
/// that is unknown, the admin user is created.
pub(crate) fn user_data(
    name: &str,
    admin: &AdminUser,
    image_user: Option<&str>,
    host_key: &HostKey,
) -> String {
    let mut config = json!({
        "hostname": name,
        "preserve_hostname": false,
        "manage_etc_hosts": "localhost",
        "ssh_pwauth": false,
        "ssh_deletekeys": true,
        "ssh_keys": { "ed25519_private": host_key.private, "ed25519_public": host_key.public },
        "ssh_authorized_keys": admin.public_keys,
    });
    match image_user {
        Some("root") => config["disable_root"] = json!(false),
        None if admin.name == "root" => config["disable_root"] = json!(false),
        None => {
            let user = json!({
                "name": admin.name, "sudo": "ALL=(ALL) NOPASSWD:ALL", "lock_passwd": true,
                "shell": "/bin/sh", "ssh_authorized_keys": admin.public_keys,
            });
            config["users"] = json!(["default", user]);
        }
        Some(_) => {}
    }
    // JSON is YAML
    STANDARD.encode(format!("#cloud-config\n{config}\n"))
}

/// The first of the admin user's keys that EC2 supports, and the name of its key pair in a project.
pub(crate) fn key_pair(project: &str, keys: &[String]) -> Option<(String, String)> {
    let known =
        |key: &PublicKey| matches!(key.algorithm(), Algorithm::Ed25519 | Algorithm::Rsa { .. });
    let key = keys.iter().filter_map(|line| PublicKey::from_openssh(line).ok()).find(known)?;
    let fingerprint: String = key
        .fingerprint(HashAlg::Sha256)
        .as_bytes()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Some((
        format!("pallet-{}-{fingerprint}", crate::tags::plain(project)),
        STANDARD.encode(key.to_openssh().ok()?),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admin() -> AdminUser {
        AdminUser {
            name: "ops".into(),
            public_keys: vec!["ssh-ed25519 AAAA one".into(), "ssh-rsa BBBB two".into()],
            no_sudo: false,
        }
    }

    fn config(user: Option<&str>) -> Value {
        let text =
            STANDARD.decode(user_data("web-1", &admin(), user, &HostKey::new().unwrap())).unwrap();
        serde_json::from_str(
            std::str::from_utf8(&text).unwrap().strip_prefix("#cloud-config\n").unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn a_node_knows_its_name_its_keys_and_who_may_log_in() {
        let debian = config(Some("admin"));
        assert_eq!(debian["hostname"], "web-1");
        assert_eq!(debian["ssh_authorized_keys"].as_array().unwrap().len(), 2);
        assert!(debian.get("users").is_none() && debian.get("disable_root").is_none());
        let private =
            PrivateKey::from_openssh(debian["ssh_keys"]["ed25519_private"].as_str().unwrap())
                .unwrap();
        assert_eq!(
            private.public_key().to_openssh().unwrap(),
            debian["ssh_keys"]["ed25519_public"].as_str().unwrap()
        );
        assert_eq!(config(Some("root"))["disable_root"], false);
        assert_eq!(config(None)["users"][1]["name"], "ops");
        assert_ne!(HostKey::new().unwrap().public, HostKey::new().unwrap().public);
    }

    #[test]
    fn a_key_pair_is_named_by_its_key() {
        let key = HostKey::new().unwrap().public;
        let (name, material) = key_pair("shop", &["no key".into(), key.clone()]).unwrap();
        assert!(
            name.starts_with("pallet-shop-") && name.len() == "pallet-shop-".len() + 16,
            "{name}"
        );
        assert_eq!(STANDARD.decode(material).unwrap(), key.as_bytes());
        assert_eq!(key_pair("shop", &[]), None);
    }
}
