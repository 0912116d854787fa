//! The keys by which sshd proves which machine it is.

use pallet_core::prelude::*;

use super::file::put;

parameters! {
    /// Ensures which types of host keys sshd offers. Missing ones are made on the node.
    ///
    /// Keys of other types stay on the disk, and are not offered any more.
    ///
    /// Example: `sshd.host_key(request, ["ed25519", "rsa"], rsa_bits = 4096)`
    pub(crate) struct HostKey {
        /// Types, the preferred one first: `ed25519`, `rsa`, `ecdsa`.
        types: Vec<KeyType>,
        /// Size of a new key of the type `rsa`.
        #[serde(default = "default_bits")]
        rsa_bits: u32,
    }
}

/// A type of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum KeyType {
    /// Ed25519.
    Ed25519,
    /// RSA.
    Rsa,
    /// ECDSA.
    Ecdsa,
}

impl KeyType {
    fn word(self) -> &'static str {
        match self {
            KeyType::Ed25519 => "ed25519",
            KeyType::Rsa => "rsa",
            KeyType::Ecdsa => "ecdsa",
        }
    }
}

fn default_bits() -> u32 {
    3072
}

pub(crate) fn host_key(request: &mut Request, arguments: HostKey) -> Result<()> {
    let HostKey { types, rsa_bits } = arguments;
    ensure!(!types.is_empty(), "sshd needs at least one type of host keys");
    ensure!(
        (2048..=16384).contains(&rsa_bits),
        "rsa_bits must be from 2048 to 16384, this is {rsa_bits}"
    );
    let mut text = String::new();
    for kind in types {
        let word = kind.word();
        let path = format!("/etc/ssh/ssh_host_{word}_key");
        let bits = if kind == KeyType::Rsa { format!(" -b {rsa_bits}") } else { String::new() };
        request.add(
            ExecCheckedScript::new(
                format!("make the {word} host key"),
                format!("ssh-keygen -q -t {word}{bits} -N '' -C '' -f {path}"),
            )
            .creates(&path),
        )?;
        text.push_str(&format!("HostKey {path}\n"));
    }
    put(request, "05-pallet-host-keys", &text, false)
}

#[cfg(test)]
mod tests {
    use super::super::Sshd;
    use super::*;

    #[test]
    fn missing_keys_are_made_and_offered() {
        let mut recorder = Recorder::<Sshd>::on("debian 12");
        recorder.call("host_key", json!({"types": ["ed25519", "rsa"]})).unwrap();
        let actions = recorder.actions();
        assert_eq!(actions[0].arguments["creates"], "/etc/ssh/ssh_host_ed25519_key");
        assert_eq!(
            actions[1].arguments["script"],
            "ssh-keygen -q -t rsa -b 3072 -N '' -C '' -f /etc/ssh/ssh_host_rsa_key"
        );
        assert_eq!(
            actions[5].arguments["content"],
            "# written by pallet\nHostKey /etc/ssh/ssh_host_ed25519_key\n\
             HostKey /etc/ssh/ssh_host_rsa_key\n"
        );
        for arguments in [json!({"types": []}), json!({"types": ["rsa"], "rsa_bits": 512})] {
            assert!(Recorder::<Sshd>::on("debian 12").call("host_key", &arguments).is_err());
        }
    }
}
