//! Support for ssh: the authorized keys of a container, and its sshd's host keys.

use std::time::Duration;

use pallet_core::prelude::*;

use crate::answer::Answer;
use crate::archive::{self, File};
use crate::engine::Engine;

/// Timeout for an image to create its host keys when it starts.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// The host keys of a container, without their comments.
pub(crate) async fn host_keys(engine: &Engine, container: &str) -> Answer<Vec<String>> {
    let mut files = archive::read(engine, container, "/etc/ssh").await?;
    files.sort();
    let keys =
        files.iter().filter(|(name, _)| name.starts_with("ssh_host_") && name.ends_with(".pub"));
    Ok(keys.filter_map(|(_, content)| without_comment(&String::from_utf8_lossy(content))).collect())
}

/// Waits until the container has host keys. If the image keeps them elsewhere, known_hosts is used.
pub(crate) async fn wait_for_host_keys(engine: &Engine, container: &str) -> Answer<()> {
    let end = tokio::time::Instant::now() + PATIENCE;
    while host_keys(engine, container).await?.is_empty() && tokio::time::Instant::now() < end {
        engine.check_cancelled()?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Authorizes keys for a user of a container, in addition to existing ones.
pub(crate) async fn authorize(
    engine: &Engine,
    container: &str,
    user: &str,
    keys: &[String],
) -> Answer<()> {
    if keys.is_empty() {
        let error =
            PluginError::invalid_input("the admin user has no public key, so nobody could log in");
        return Err(error.with_help("make one with ssh-keygen, or use the transport `exec`"));
    }
    let passwd = archive::read_file(engine, container, "/etc/passwd").await?.unwrap_or_default();
    let Some(account) = account(&String::from_utf8_lossy(&passwd), user) else {
        let error = PluginError::invalid_input(format!("the image has no user `{user}`"));
        return Err(
            error.with_help("name one that it has as `login_user` of the node-spec's image")
        );
    };
    let there =
        archive::read_file(engine, container, &format!("{}/.ssh/authorized_keys", account.home))
            .await?
            .unwrap_or_default();
    let content = with_keys(&String::from_utf8_lossy(&there), keys);
    let file = File {
        path: ".ssh/authorized_keys",
        content: content.as_bytes(),
        mode: 0o600,
        owner: account.owner,
    };
    archive::write(engine, container, &account.home, &[file]).await
}

#[derive(Debug, PartialEq)]
struct Account {
    owner: (u64, u64),
    home: String,
}

fn account(passwd: &str, user: &str) -> Option<Account> {
    let fields: Vec<_> =
        passwd.lines().find(|line| line.split(':').next() == Some(user))?.split(':').collect();
    let home = fields.get(5).filter(|home| home.starts_with('/'))?;
    Some(Account {
        owner: (fields[2].parse().ok()?, fields[3].parse().ok()?),
        home: (*home).to_owned(),
    })
}

fn with_keys(there: &str, keys: &[String]) -> String {
    let new = keys
        .iter()
        .map(|key| key.trim())
        .filter(|key| !there.lines().any(|line| line.trim() == *key));
    there.lines().chain(new).map(|line| format!("{line}\n")).collect()
}

fn without_comment(key: &str) -> Option<String> {
    let mut words = key.split_whitespace();
    Some(format!("{} {}", words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_in_passwd() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nops:x:1000:1001::/home/ops:/bin/sh\n\
            odd:x:1:1\n";
        assert_eq!(
            account(passwd, "ops"),
            Some(Account { owner: (1000, 1001), home: "/home/ops".into() })
        );
        assert_eq!((account(passwd, "op"), account(passwd, "odd")), (None, None));
    }

    #[test]
    fn keys_are_added_once() {
        let keys = ["ssh-ed25519 A me".to_owned(), "ssh-ed25519 B\n".to_owned()];
        let once = with_keys("# theirs\nssh-ed25519 A me\n", &keys);
        assert_eq!(once, "# theirs\nssh-ed25519 A me\nssh-ed25519 B\n");
        assert_eq!(with_keys(&once, &keys), once);
        assert_eq!(
            without_comment("ssh-ed25519 AAAA root@box\n").as_deref(),
            Some("ssh-ed25519 AAAA")
        );
    }
}
