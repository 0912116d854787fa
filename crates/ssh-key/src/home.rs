//! Where a user's files are.

use pallet_core::prelude::*;

/// The directory `.ssh` of a user, who must exist.
pub(crate) fn ssh_directory(user: &str, home: Option<&str>) -> Result<String> {
    check_user(user)?;
    let home = match home {
        Some(home) => {
            ensure!(
                home.starts_with('/') && !home.chars().any(char::is_control),
                "the home {home:?} of {user} must be an absolute path"
            );
            home.trim_end_matches('/').to_owned()
        }
        None if user == "root" => "/root".to_owned(),
        None => format!("/home/{user}"),
    };
    Ok(format!("{home}/.ssh"))
}

/// Makes the directory.
pub(crate) fn put_directory(request: &mut Request, user: &str, directory: &str) -> Result<()> {
    request.add(Directory::at(directory).owner(user).mode(0o700))
}

/// Refuses what cannot be a user's name.
pub(crate) fn check_user(user: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    ensure!(
        user.len() <= 32
            && user.bytes().all(good)
            && user.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_'),
        "{user:?} cannot be a user's name"
    );
    Ok(())
}

/// Refuses what is no public key, as a line of a `.pub` file.
pub(crate) fn check_public_key(key: &str) -> Result<()> {
    let mut words = key.split_ascii_whitespace();
    let (kind, body) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    ensure!(
        ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| kind.starts_with(start))
            && body.starts_with("AAAA")
            && body.bytes().all(good)
            && !key.contains(['\n', '\r', '\0']),
        "{key:?} is not a public key: write the line of a file such as id_ed25519.pub"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_keys_are_checked() {
        assert_eq!(ssh_directory("root", None).unwrap(), "/root/.ssh");
        assert_eq!(ssh_directory("ann", None).unwrap(), "/home/ann/.ssh");
        assert_eq!(ssh_directory("app", Some("/srv/app/")).unwrap(), "/srv/app/.ssh");
        for user in ["", "a b", "-a", "../a", "a\n"] {
            assert!(ssh_directory(user, None).is_err(), "{user:?}");
        }
        assert!(ssh_directory("a", Some("srv")).is_err());
        assert!(check_public_key("ssh-ed25519 AAAAC3Nz ann@example.com").is_ok());
        for key in ["", "ssh-ed25519", "AAAA", "ssh-rsa BBBB", "ssh-rsa AAAA\nssh-rsa AAAB"] {
            assert!(check_public_key(key).is_err(), "{key:?}");
        }
    }
}
