//! The key pairs of users.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::home::{check_public_key, put_directory, ssh_directory};

parameters! {
    /// Ensures that a user has a key pair. It is made on the node if it is missing, and its private
    /// key never leaves the node. It has no passphrase.
    ///
    /// Example: `ssh_key.key(request, "backup", comment = "backup of " + request.target.name)`
    pub(crate) struct Key {
        /// Login name. The user must exist.
        user: String,
        /// Type of the key.
        #[serde(default, rename = "type")]
        kind: KeyType,
        /// Size of a new key of the type `rsa`. Default: 3072.
        #[serde(default)]
        bits: Option<u32>,
        /// Name of the file in `~/.ssh`. Default: `id_TYPE`.
        #[serde(default)]
        name: Option<String>,
        /// Comment of a new key. Default: the user at the node.
        #[serde(default)]
        comment: Option<String>,
        /// Home directory. Default: `/home/USER`, or `/root`.
        #[serde(default)]
        home: Option<String>,
    }

    /// Ensures that a user has this key pair. A changed secret changes it on the node.
    ///
    /// Example: `ssh_key.install_key(request, "deploy", private_key = secret("deploy_key"))`
    pub(crate) struct InstallKey {
        /// Login name. The user must exist.
        user: String,
        /// Private key: a secret with the whole file, without a passphrase.
        private_key: String,
        /// Public key, one line. Default: it is made of the private key, on the node.
        #[serde(default)]
        public_key: Option<String>,
        /// Name of the file in `~/.ssh`.
        #[serde(default = "default_name")]
        name: String,
        /// Home directory. Default: `/home/USER`, or `/root`.
        #[serde(default)]
        home: Option<String>,
    }
}

/// A type of keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum KeyType {
    /// Ed25519.
    #[default]
    Ed25519,
    /// RSA.
    Rsa,
    /// ECDSA.
    Ecdsa,
}

impl KeyType {
    pub(crate) fn word(self) -> &'static str {
        match self {
            KeyType::Ed25519 => "ed25519",
            KeyType::Rsa => "rsa",
            KeyType::Ecdsa => "ecdsa",
        }
    }
}

fn default_name() -> String {
    "id_ed25519".to_owned()
}

pub(crate) fn key(request: &mut Request, arguments: Key) -> Result<()> {
    let Key { user, kind, bits, name, comment, home } = arguments;
    let directory = ssh_directory(&user, home.as_deref())?;
    let name = name.unwrap_or_else(|| format!("id_{}", kind.word()));
    check_file_name("a key", &name)?;
    let size = size(kind, bits)?;
    let comment = match comment {
        Some(comment) => comment,
        None => format!("{user}@{}", request.target()?.name),
    };
    ensure!(
        !comment.chars().any(char::is_control),
        "the comment {comment:?} must be one line without control characters"
    );
    let path = format!("{directory}/{name}");
    put_directory(request, &user, &directory)?;
    request.add(
        ExecCheckedScript::new(
            format!("make the key {path}"),
            format!(
                "ssh-keygen -q -t {}{size} -N '' -C {} -f {}",
                kind.word(),
                quote(&comment),
                quote(&path)
            ),
        )
        .creates(&path)
        .user(&user),
    )
}

/// The option for the size of a new key.
pub(crate) fn size(kind: KeyType, bits: Option<u32>) -> Result<String> {
    match (kind, bits) {
        (KeyType::Rsa, bits) => {
            let bits = bits.unwrap_or(3072);
            ensure!(
                (2048..=16384).contains(&bits),
                "bits of an rsa key must be from 2048 to 16384, this is {bits}"
            );
            Ok(format!(" -b {bits}"))
        }
        (_, None) => Ok(String::new()),
        (kind, Some(_)) => bail!("a key of the type {} has no bits; omit them", kind.word()),
    }
}

pub(crate) fn install_key(request: &mut Request, arguments: InstallKey) -> Result<()> {
    let InstallKey { user, private_key, public_key, name, home } = arguments;
    let directory = ssh_directory(&user, home.as_deref())?;
    check_file_name("a key", &name)?;
    put_directory(request, &user, &directory)?;
    let path = format!("{directory}/{name}");
    put(request, &path, &user, private_key, public_key, &format!("ssh-key {path}"))
}

/// Writes a pair whose private key is given, and sets the flag if it changed.
pub(crate) fn put(
    request: &mut Request,
    path: &str,
    owner: &str,
    private_key: String,
    public_key: Option<String>,
    flag: &str,
) -> Result<()> {
    ensure!(!private_key.trim().is_empty(), "the private key of {path} is empty");
    // a file without a newline at its end is no key for ssh
    let private_key = format!("{}\n", private_key.trim_end());
    let changed = || Options::new().flag_on_change(flag);
    request.add_with(
        RemoteFile::content(path, private_key)
            .owner(owner)
            .mode(0o600)
            .verify("ssh-keygen -y -P '' -f"),
        changed(),
    )?;
    let public_path = format!("{path}.pub");
    if let Some(key) = public_key {
        check_public_key(&key)?;
        let file = RemoteFile::content(public_path, format!("{}\n", key.trim()));
        return request.add(file.owner(owner).mode(0o644));
    }
    let (path, public_path) = (quote(path), quote(&public_path));
    request.add(
        ExecCheckedScript::new(
            format!("write {public_path}"),
            format!("ssh-keygen -y -P '' -f {path} > {public_path}"),
        )
        .unless(format!(
            "ssh-keygen -y -P '' -f {path} | cut -d ' ' -f 1,2 | grep -qxF -f - {public_path}"
        ))
        .user(owner),
    )
}

#[cfg(test)]
mod tests {
    use super::super::SshKey;
    use super::*;

    #[test]
    fn a_missing_key_is_made_by_its_user() {
        let mut recorder = Recorder::<SshKey>::on("debian 12");
        recorder.call("key", json!({"user": "backup", "comment": "it's backup"})).unwrap();
        let action = &recorder.actions()[1];
        assert_eq!(
            action.arguments["script"],
            "ssh-keygen -q -t ed25519 -N '' -C 'it'\\''s backup' -f /home/backup/.ssh/id_ed25519"
        );
        assert_eq!(action.arguments["creates"], "/home/backup/.ssh/id_ed25519");
        assert_eq!(action.arguments["user"], "backup");
    }

    #[test]
    fn a_given_key_is_checked() {
        let mut recorder = Recorder::<SshKey>::on("debian 12");
        recorder
            .call("install_key", json!({"user": "root", "private_key": "secret text"}))
            .unwrap();
        let actions = recorder.actions();
        assert_eq!(actions[1].subject, "/root/.ssh/id_ed25519");
        assert_eq!(actions[1].arguments["mode"], "0600");
        assert_eq!(actions[1].arguments["content"], "secret text\n");
        assert_eq!(actions[1].arguments["verify"], "ssh-keygen -y -P '' -f");
        assert_eq!(actions[2].name, "exec_checked_script");
    }

    #[test]
    fn what_makes_no_key_is_refused() {
        for (function, arguments) in [
            ("key", json!({"user": "a b"})),
            ("key", json!({"user": "a", "name": "../b"})),
            ("key", json!({"user": "a", "bits": 4096})),
            ("key", json!({"user": "a", "type": "rsa", "bits": 1024})),
            ("key", json!({"user": "a", "comment": "a\nb"})),
            ("install_key", json!({"user": "a", "private_key": ""})),
            ("install_key", json!({"user": "a", "private_key": "x", "public_key": "y"})),
        ] {
            let result = Recorder::<SshKey>::on("debian 12").call(function, &arguments);
            assert!(result.is_err(), "{arguments}");
        }
    }
}
