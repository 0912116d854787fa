//! Who may log in.

use pallet_core::prelude::*;

use super::file::{Presence, put, remove};
use super::keyword::check_pattern;

const NAME: &str = "20-pallet-allow";

parameters! {
    /// Ensures who may log in over ssh. All others are refused.
    ///
    /// Who may log in must be named by `users` if there are any, and have a group of `groups` if
    /// there are any. `deny_users` and `deny_groups` are refused in any case. The admin user is
    /// added to `users`. It is checked like `sshd.setting`: it is refused if the admin user could
    /// not log in any more.
    ///
    /// Example: `sshd.allow(request, users = ["ann", "deploy@10.0.0.0/8"])`
    ///
    /// Example: `sshd.allow(request, groups = ["sudo", "ssh-users"], deny_users = ["guest"])`
    pub(crate) struct Allow {
        /// Users: names, in which `*` and `?` match any text, with `@ADDRESS` where needed.
        #[serde(default)]
        users: Vec<String>,
        /// Groups.
        #[serde(default)]
        groups: Vec<String>,
        /// Users who may not log in.
        #[serde(default)]
        deny_users: Vec<String>,
        /// Groups whose members may not log in.
        #[serde(default)]
        deny_groups: Vec<String>,
        /// Add the admin user to `users`.
        #[serde(default = "yes")]
        admin: bool,
        /// Let it take its place although the admin user could not log in any more.
        #[serde(default)]
        force: bool,
        /// `present`, or `absent`: all may log in again, as far as other settings let them.
        #[serde(default)]
        action: Presence,
    }
}

fn yes() -> bool {
    true
}

pub(crate) fn allow(request: &mut Request, mut allow: Allow) -> Result<()> {
    if allow.action == Presence::Absent {
        return remove(request, NAME);
    }
    let admin = request.admin_user()?.name;
    if allow.admin && !allow.users.is_empty() && !admin.is_empty() && !allow.users.contains(&admin)
    {
        allow.users.push(admin);
    }
    let mut text = String::new();
    for (keyword, what, patterns) in [
        ("DenyUsers", "user", &allow.deny_users),
        ("AllowUsers", "user", &allow.users),
        ("DenyGroups", "group", &allow.deny_groups),
        ("AllowGroups", "group", &allow.groups),
    ] {
        if patterns.is_empty() {
            continue;
        }
        patterns.iter().try_for_each(|pattern| check_pattern(what, pattern))?;
        text.push_str(&format!("{keyword} {}\n", patterns.join(" ")));
    }
    ensure!(!text.is_empty(), "nobody is named; give users, groups, deny_users or deny_groups");
    put(request, NAME, &text, allow.force)
}

#[cfg(test)]
mod tests {
    use super::super::Sshd;
    use super::*;

    fn content(arguments: Value) -> Value {
        let admin = AdminUser { name: "ops".into(), ..AdminUser::default() };
        let mut recorder = Recorder::<Sshd>::on("debian 12").admin_user(admin);
        recorder.call("allow", arguments).unwrap();
        recorder.actions()[3].arguments["content"].clone()
    }

    #[test]
    fn the_admin_user_is_allowed_too() {
        assert_eq!(
            content(json!({"users": ["ann"], "deny_groups": ["guests"]})),
            "# written by pallet\nAllowUsers ann ops\nDenyGroups guests\n"
        );
        assert_eq!(
            content(json!({"users": ["ann"], "admin": false})),
            "# written by pallet\nAllowUsers ann\n"
        );
        assert_eq!(content(json!({"groups": ["a"]})), "# written by pallet\nAllowGroups a\n");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for arguments in [json!({}), json!({"users": ["a b"]}), json!({"groups": ["a\nPort 1"]})] {
            assert!(Recorder::<Sshd>::on("debian 12").call("allow", &arguments).is_err());
        }
    }
}
