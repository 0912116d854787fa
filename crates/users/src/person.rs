//! One person: an account with keys.

use std::collections::BTreeSet;

use pallet_core::prelude::*;

use super::account::{check_name, expires, lock};

parameters! {
    /// Ensures that a person can log in: an account with public keys, groups, a shell and an
    /// expiry.
    ///
    /// What is omitted stays unchanged. Groups that do not exist are created.
    ///
    /// Example: `users.user(request, "ann", keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"], groups = ["sudo"], shell = "/bin/bash", expires = "2027-01-31")`
    pub(crate) struct Person {
        /// Login name.
        pub(crate) name: String,
        /// Public keys that may log in.
        #[serde(default)]
        keys: Option<Vec<String>>,
        /// Remove all keys that are not in `keys`.
        #[serde(default = "yes")]
        exclusive_keys: bool,
        /// Other groups.
        #[serde(default)]
        groups: Option<BTreeSet<String>>,
        /// Keep the person in groups that are not in `groups`.
        #[serde(default)]
        append: bool,
        /// Primary group. Default for new users: one of the same name.
        #[serde(default)]
        primary_group: Option<String>,
        /// Login shell.
        #[serde(default)]
        shell: Option<String>,
        /// Full name, or another comment.
        #[serde(default)]
        comment: Option<String>,
        /// Numeric ID.
        #[serde(default)]
        uid: Option<u32>,
        /// Home directory.
        #[serde(default)]
        home: Option<String>,
        /// Password as hashed by crypt(3), as a secret. A changed one is changed on the node.
        #[serde(default)]
        password: Option<String>,
        /// Last day is the one before: `2027-01-31`, or `never`.
        #[serde(default)]
        expires: Option<String>,
        /// Locked: neither a password nor a key lets the person in, and no job of cron runs.
        /// Processes that run go on. `False` takes it back.
        #[serde(default)]
        locked: Option<bool>,
        /// Create a new user as a system user.
        #[serde(default)]
        system: bool,
    }
}

fn yes() -> bool {
    true
}

pub(crate) fn user(request: &mut Request, person: Person) -> Result<()> {
    let name = &person.name;
    check_name("user", name)?;
    if person.locked.is_some() || person.expires.is_some() {
        let os = request.target()?.os;
        ensure!(
            os.family != OsFamily::Alpine,
            "{name}: locked and expires need usermod, which {os} does not have"
        );
    }
    let groups = person.groups.iter().flatten().chain(&person.primary_group);
    for group in groups {
        check_name("group", group)?;
        request.add(Group::new(group))?;
    }
    let mut user = User::new(name).create_home(true);
    user.group = person.primary_group.clone();
    user.groups = person.groups.clone();
    user.append = person.append;
    user.shell = person.shell.clone();
    user.comment = person.comment.clone();
    user.uid = person.uid;
    user.home = person.home.clone();
    user.password = person.password.clone();
    user.system = person.system;
    request.add(user)?;
    if let Some(keys) = &person.keys {
        authorize(request, name, keys, person.exclusive_keys)?;
    }
    match (person.locked, person.expires.as_deref()) {
        (Some(true), Some(_)) => {
            bail!("{name} is locked, which is an expiry in the past; omit expires")
        }
        (Some(true), None) => lock(request, name),
        (Some(false), date) => {
            request.add(User::deserialize(json!({"name": name, "action": "unlock"}))?)?;
            expires(request, name, date.unwrap_or("never"))
        }
        (None, Some(date)) => expires(request, name, date),
        (None, None) => Ok(()),
    }
}

fn authorize(request: &mut Request, name: &str, keys: &[String], exclusive: bool) -> Result<()> {
    if keys.is_empty() && !exclusive {
        return Ok(());
    }
    let keys = json!({"user": name, "key": keys, "exclusive": exclusive});
    request.add(AuthorizedKey::deserialize(keys)?)
}

#[cfg(test)]
mod tests {
    use super::super::Users;
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn groups_come_before_the_account_and_keys_after_it() {
        let mut recorder = Recorder::<Users>::on("debian 12");
        recorder
            .call(
                "user",
                json!({"name": "ann", "keys": [KEY], "groups": ["sudo"], "expires": "2027-01-31"}),
            )
            .unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "group sudo",
                "user ann",
                &format!("authorized_key ann: {}", &KEY[12..]),
                "exec_checked_script ann expires: 2027-01-31"
            ]
        );
        assert_eq!(recorder.actions()[2].arguments["exclusive"], true);
        let expiry = &recorder.actions()[3];
        assert_eq!(expiry.arguments["script"], "usermod -e 2027-01-31 -- ann");
    }

    #[test]
    fn locked_and_back() {
        let mut recorder = Recorder::<Users>::on("debian 12");
        recorder.call("user", json!({"name": "ann", "locked": true})).unwrap();
        assert_eq!(recorder.declared()[1], "exec_checked_script lock ann");
        let mut recorder = Recorder::<Users>::on("debian 12");
        recorder.call("user", json!({"name": "ann", "locked": false})).unwrap();
        let actions = recorder.actions();
        assert_eq!(actions[1].arguments["action"], "unlock");
        assert_eq!(actions[2].arguments["script"], "usermod -e '' -- ann");
    }

    #[test]
    fn what_makes_no_account_is_refused() {
        for arguments in [
            json!({"name": "a b"}),
            json!({"name": "a", "groups": ["b:c"]}),
            json!({"name": "a", "expires": "soon"}),
            json!({"name": "a", "locked": true, "expires": "2027-01-31"}),
        ] {
            let result = Recorder::<Users>::on("debian 12").call("user", &arguments);
            assert!(result.is_err(), "{arguments}");
        }
        let error = Recorder::<Users>::on("alpine 3.20")
            .call("user", json!({"name": "a", "locked": true}))
            .unwrap_err();
        assert!(error.to_string().contains("need usermod"), "{error}");
    }
}
