//! The keys by which sshd proves which machine it is.

use pallet_core::prelude::*;

use super::key::{KeyType, put, size};
use super::names::NAMES;

parameters! {
    /// Ensures a host key: the given one, so that a node that is made anew is known as before, or
    /// one that is made on the node if it is missing. sshd is reloaded if it changed.
    ///
    /// Which types sshd offers is a setting of the crate `sshd`.
    ///
    /// Example: `ssh_key.host_key(request, private_key = secret("web_host_key"))`
    pub(crate) struct HostKey {
        /// Type of the key.
        #[serde(default, rename = "type")]
        kind: KeyType,
        /// Private key: a secret with the whole file. Default: it is made on the node.
        #[serde(default)]
        private_key: Option<String>,
        /// Public key, one line. Default: it is made of the private key, on the node.
        #[serde(default)]
        public_key: Option<String>,
        /// Size of a new key of the type `rsa`. Default: 3072.
        #[serde(default)]
        bits: Option<u32>,
    }
}

pub(crate) fn host_key(request: &mut Request, arguments: HostKey) -> Result<()> {
    const CHANGED: &str = "ssh-host-key";
    let HostKey { kind, private_key, public_key, bits } = arguments;
    let path = format!("/etc/ssh/ssh_host_{}_key", kind.word());
    match private_key {
        Some(private_key) => {
            ensure!(bits.is_none(), "the size of a given key is its own; omit bits");
            put(request, &path, "root", private_key, public_key, CHANGED)?;
        }
        None => {
            ensure!(public_key.is_none(), "a public key needs its private key; omit it");
            let size = size(kind, bits)?;
            let script = format!("ssh-keygen -q -t {}{size} -N '' -C '' -f {path}", kind.word());
            request.add_with(
                ExecCheckedScript::new(format!("make the host key {path}"), script).creates(&path),
                Options::new().flag_on_change(CHANGED),
            )?;
        }
    }
    let service = NAMES.row(&request.target()?.os)?.service;
    request.add_with(Service::reload(service), Options::new().if_flag(CHANGED))
}

#[cfg(test)]
mod tests {
    use super::super::SshKey;
    use super::*;

    #[test]
    fn sshd_is_reloaded_for_a_new_key() {
        for arguments in [json!({"private_key": "secret text"}), json!({"type": "rsa"})] {
            let mut recorder = Recorder::<SshKey>::on("rocky 9");
            recorder.call("host_key", arguments).unwrap();
            let actions = recorder.actions();
            let last = actions.last().unwrap();
            assert_eq!(last.subject, "sshd");
            assert_eq!(last.options.if_flag, actions[0].options.flag_on_change);
        }
        let arguments = json!({"public_key": "ssh-ed25519 AAAA"});
        assert!(Recorder::<SshKey>::on("rocky 9").call("host_key", arguments).is_err());
    }
}
