//! Who may run what as whom.

use pallet_core::prelude::*;

use super::file::{Presence, path, put, remove};
use super::syntax::{check_word, command, words};

parameters! {
    /// Ensures that a user, or the members of a group, may run commands with sudo, or that they may
    /// not by this rule.
    ///
    /// visudo must accept the file before it takes its place. Arguments of commands are literal;
    /// `*` and `?` match any text, also spaces, so they let more pass than one may think.
    ///
    /// Example: `sudoers.grant(request, user = "deploy", commands = ["/usr/bin/systemctl restart app"], nopasswd = True)`
    ///
    /// Example: `sudoers.grant(request, group = "dba", commands = ["ALL"], runas = ["postgres"])`
    pub(crate) struct Grant {
        /// Login name.
        #[serde(default)]
        user: Option<String>,
        /// Group, instead of a user.
        #[serde(default)]
        group: Option<String>,
        /// Commands: absolute paths with arguments, `sudoedit PATH`, `ALL`, or aliases. A command
        /// without arguments may be run with any, with `""` only without. `!` takes one out.
        #[serde(default = "all")]
        commands: Vec<String>,
        /// Ask for no password.
        #[serde(default)]
        nopasswd: bool,
        /// Users as whom the commands may be run: names, or `ALL`. Default: root.
        #[serde(default)]
        runas: Vec<String>,
        /// Groups with which the commands may be run.
        #[serde(default)]
        runas_groups: Vec<String>,
        /// Let commands start no other programs, as far as sudo can.
        #[serde(default)]
        noexec: bool,
        /// Let the user set environment variables.
        #[serde(default)]
        setenv: bool,
        /// Hosts on which it holds.
        #[serde(default = "all")]
        hosts: Vec<String>,
        /// Names its file. Default: the user or the group. Give one for more rules of the same
        /// user.
        #[serde(default)]
        name: Option<String>,
        /// `present` or `absent`.
        #[serde(default)]
        action: Presence,
    }
}

fn all() -> Vec<String> {
    vec!["ALL".to_owned()]
}

pub(crate) fn grant(request: &mut Request, grant: Grant) -> Result<()> {
    let (who, default_name) = match (&grant.user, &grant.group) {
        (Some(user), None) => (user.clone(), user.clone()),
        (None, Some(group)) => (format!("%{group}"), format!("group-{group}")),
        _ => bail!("give either the user or the group of the grant"),
    };
    check_word("user or group", &who)?;
    let path = path("pallet", grant.name.as_ref().unwrap_or(&default_name))?;
    if grant.action == Presence::Absent {
        return remove(request, path);
    }
    let line = rule(&who, &grant)?;
    put(request, path, &line)
}

fn rule(who: &str, grant: &Grant) -> Result<String> {
    ensure!(!grant.commands.is_empty(), "{who} is granted no command; give commands");
    ensure!(!grant.hosts.is_empty(), "the grant of {who} holds on no host; omit hosts");
    let commands: Result<Vec<_>> = grant.commands.iter().map(|one| command(one)).collect();
    let users = if grant.runas.is_empty() && grant.runas_groups.is_empty() {
        "root".to_owned()
    } else {
        words("user", &grant.runas)?
    };
    let groups = match words("group", &grant.runas_groups)? {
        groups if groups.is_empty() => String::new(),
        groups => format!(" : {groups}"),
    };
    let tags: String =
        [("NOPASSWD: ", grant.nopasswd), ("NOEXEC: ", grant.noexec), ("SETENV: ", grant.setenv)]
            .iter()
            .filter(|(_, given)| *given)
            .map(|(tag, _)| *tag)
            .collect();
    Ok(format!(
        "{who} {} = ({users}{groups}) {tags}{}\n",
        words("host", &grant.hosts)?,
        commands?.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::super::Sudoers;
    use super::*;

    fn file(arguments: Value) -> (String, String) {
        let mut recorder = Recorder::<Sudoers>::on("debian 12");
        recorder.call("grant", arguments).unwrap();
        let file = recorder.actions().remove(1);
        let content = file.arguments["content"].as_str().unwrap();
        (file.subject, content.strip_prefix("# written by pallet\n").unwrap().to_owned())
    }

    #[test]
    fn a_rule_says_who_may_run_what_as_whom() {
        assert_eq!(
            file(json!({
                "user": "deploy", "commands": ["/usr/bin/systemctl restart app", "/bin/a"],
                "nopasswd": true,
            })),
            (
                "/etc/sudoers.d/pallet-deploy".into(),
                "deploy ALL = (root) NOPASSWD: /usr/bin/systemctl restart app, /bin/a\n".into()
            )
        );
        assert_eq!(
            file(json!({
                "group": "dba", "runas": ["postgres"], "runas_groups": ["db"], "setenv": true,
            })),
            (
                "/etc/sudoers.d/pallet-group-dba".into(),
                "%dba ALL = (postgres : db) SETENV: ALL\n".into()
            )
        );
        // sudo would ignore a name with a dot
        assert_eq!(file(json!({"user": "ann.b"})).0, "/etc/sudoers.d/pallet-ann_b");
    }

    #[test]
    fn a_rule_cannot_hold_another_one() {
        for arguments in [
            json!({}),
            json!({"user": "a", "group": "b"}),
            json!({"user": "a ALL=(ALL) ALL\nb"}),
            json!({"user": "a", "commands": ["/bin/a\nb ALL=(ALL) ALL"]}),
            json!({"user": "a", "commands": []}),
            json!({"user": "a", "commands": ["sh"]}),
            json!({"user": "a", "runas": ["b) ALL, (c"]}),
            json!({"user": "a", "hosts": ["b = ALL"]}),
            json!({"user": "a", "name": "../b"}),
        ] {
            let result = Recorder::<Sudoers>::on("debian 12").call("grant", &arguments);
            assert!(result.is_err(), "{arguments}");
        }
    }
}
