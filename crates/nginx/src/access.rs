//! Who may see a site or a location: users with passwords, and addresses.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::file::{DIRECTORY, Presence, check_name};
use super::names::names;

const PROGRAM: &str = "/usr/local/lib/pallet/nginx-users";

parameters! {
    /// Declares users with passwords, whom sites and locations with `basic_auth = NAME` let in.
    ///
    /// The passwords may be secrets. The node keeps only hashes of them (SHA-512), which only root
    /// and nginx can read. A user that is omitted is removed; a changed password is changed.
    ///
    /// Example: `nginx.basic_auth(request, "team", users = {"ann": secret("ann-password")})`
    pub(crate) struct BasicAuth {
        /// Names the list of users: letters, digits, `-`, `_` and `.`.
        name: String,
        /// The users, with their passwords.
        #[serde(default)]
        users: BTreeMap<String, String>,
        /// Whether the list is on the node.
        #[serde(default)]
        action: Presence,
    }
}

/// The rules of a site or a location.
pub(crate) struct Access<'a> {
    pub(crate) basic_auth: Option<&'a str>,
    pub(crate) allow: &'a [String],
    pub(crate) deny: &'a [String],
}

pub(crate) fn basic_auth(request: &mut Request, wanted: BasicAuth) -> Result<()> {
    let BasicAuth { name, users, action } = wanted;
    check_name(&name)?;
    let path = file(&name);
    if action == Presence::Absent {
        return request.add(File::at(path).absent());
    }
    ensure!(!users.is_empty(), "the list {name} has no user; give users, or action = \"absent\"");
    for (user, password) in &users {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@+".contains(&byte);
        ensure!(
            (1..=100).contains(&user.len()) && user.bytes().all(good),
            "{user:?} cannot be a user; use letters, digits, -, _, ., @ and +"
        );
        ensure!(
            !password.is_empty() && !password.contains(['\n', '\r']),
            "the password of {user} must be one line"
        );
    }
    request.add(Package::install("openssl"))?;
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(
        RemoteFile::content(PROGRAM, include_str!("nginx-users.sh"))
            .owner("root")
            .group("root")
            .mode(0o644),
    )?;
    request.add(Directory::at(DIRECTORY))?;
    let group = names(request)?.group;
    let mut words = vec![name.as_str(), group];
    words.extend(users.keys().map(String::as_str));
    let words: Vec<_> = words.into_iter().map(quote).collect();
    let words = words.join(" ");
    let mut script = ExecCheckedScript::new(
        format!("set the passwords of {name}"),
        format!("sh {PROGRAM} set {words}"),
    )
    .unless(format!("sh {PROGRAM} is-set {words}"));
    // in the order of the users' names
    for (number, password) in users.into_values().enumerate() {
        script = script.env(format!("PASSWORD_{}", number + 1), password);
    }
    request.add(script)
}

fn file(name: &str) -> String {
    format!("{DIRECTORY}/{name}.htpasswd")
}

/// The directives of rules, each line after `indent`.
pub(crate) fn access(site: &str, rules: &Access<'_>, indent: &str) -> Result<String> {
    let mut out = String::new();
    if let Some(list) = rules.basic_auth {
        check_name(list)?;
        writeln!(out, "{indent}auth_basic \"{site}\";")?;
        writeln!(out, "{indent}auth_basic_user_file {};", file(list))?;
    }
    for (word, addresses) in [("allow", rules.allow), ("deny", rules.deny)] {
        for address in addresses {
            ensure!(
                is_network(address),
                "{address:?} is no address to {word}; write 192.0.2.1, 192.0.2.0/24 or all"
            );
            writeln!(out, "{indent}{word} {address};")?;
        }
    }
    if !rules.allow.is_empty() && rules.deny.is_empty() {
        writeln!(out, "{indent}deny all;")?;
    }
    Ok(out)
}

fn is_network(text: &str) -> bool {
    let (address, length) = text.split_once('/').unwrap_or((text, "0"));
    text == "all"
        || (address.parse::<std::net::IpAddr>().is_ok()
            && length.parse::<u8>().is_ok_and(|length| length <= 128))
}

#[cfg(test)]
mod tests {
    use super::super::Nginx;
    use super::*;

    #[test]
    fn a_password_is_in_no_command() {
        let mut recorder = Recorder::<Nginx>::on("debian 12");
        let users = json!({"ben": "⟦secret:b⟧", "ann": "⟦secret:a⟧"});
        recorder.call("basic_auth", json!({"name": "team", "users": users})).unwrap();
        let action = recorder.actions().pop().unwrap();
        assert_eq!(
            action.arguments["script"],
            "sh /usr/local/lib/pallet/nginx-users set team www-data ann ben"
        );
        assert_eq!(
            action.arguments["unless"],
            "sh /usr/local/lib/pallet/nginx-users is-set team www-data ann ben"
        );
        assert_eq!(
            action.arguments["environment"],
            json!({"PASSWORD_1": "⟦secret:a⟧", "PASSWORD_2": "⟦secret:b⟧"})
        );
    }

    #[test]
    fn what_is_no_user_is_refused() {
        for (users, said) in [
            (json!({}), "has no user"),
            (json!({"a:b": "x"}), "cannot be a user"),
            (json!({"a b": "x"}), "cannot be a user"),
            (json!({"a": ""}), "must be one line"),
            (json!({"a": "x\ny"}), "must be one line"),
        ] {
            let error = Recorder::<Nginx>::on("debian 12")
                .call("basic_auth", json!({"name": "team", "users": users}))
                .unwrap_err();
            assert!(error.to_string().contains(said), "{users}: {error}");
        }
    }

    #[test]
    fn who_is_not_allowed_is_denied() {
        let allow = ["192.0.2.0/24".to_owned()];
        let rules = Access { basic_auth: None, allow: &allow, deny: &[] };
        assert_eq!(access("a", &rules, "").unwrap(), "allow 192.0.2.0/24;\ndeny all;\n");
        let allow = ["all; }".to_owned()];
        assert!(access("a", &Access { basic_auth: None, allow: &allow, deny: &[] }, "").is_err());
    }
}
