//! How sudo behaves: options, for all or for some.

use pallet_core::prelude::*;

use super::file::{Presence, path, put, remove};
use super::syntax::{check_word, command};

parameters! {
    /// Ensures options of sudo, for all, or for one user, group, target user or command.
    ///
    /// visudo must accept the file before it takes its place. It only warns of an option that it
    /// does not know.
    ///
    /// Example: `sudoers.defaults(request, options = {"timestamp_timeout": 5, "lecture": False, "env_keep": ["SSH_AUTH_SOCK"]})`
    pub(crate) struct Defaults {
        /// Options: true and false switch one on or off, text and numbers are its value, and a list
        /// is added to it.
        #[serde(default)]
        #[schemars(with = "std::collections::BTreeMap<String, Setting>")]
        options: Value,
        /// Login name for which they hold.
        #[serde(default)]
        user: Option<String>,
        /// Group for which they hold.
        #[serde(default)]
        group: Option<String>,
        /// User as whom commands are run for which they hold.
        #[serde(default)]
        runas: Option<String>,
        /// Command for which they hold.
        #[serde(default)]
        command: Option<String>,
        /// Names its file. Default: for whom they hold, or `defaults`.
        #[serde(default)]
        name: Option<String>,
        /// `present` or `absent`.
        #[serde(default)]
        action: Presence,
    }
}

/// The value of an option.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", untagged)]
#[schemars(crate = "::pallet_core::schemars")]
enum Setting {
    Switch(bool),
    Number(i64),
    Text(String),
    Several(Vec<String>),
}

pub(crate) fn defaults(request: &mut Request, defaults: Defaults) -> Result<()> {
    let (scope, default_name) = scope(&defaults)?;
    let path = path("pallet-defaults", defaults.name.as_ref().unwrap_or(&default_name))?;
    if defaults.action == Presence::Absent {
        return remove(request, path);
    }
    let options = defaults.options.as_object().context("options must be a dict")?;
    ensure!(!options.is_empty(), "no option is given");
    let mut lines = String::new();
    for (name, value) in options {
        lines.push_str(&format!("Defaults{scope} {}\n", option(name, value)?));
    }
    put(request, path, &lines)
}

/// For whom the options hold, as sudo writes it, and the name of the file.
fn scope(defaults: &Defaults) -> Result<(String, String)> {
    let given = [&defaults.user, &defaults.group, &defaults.runas, &defaults.command];
    ensure!(
        given.iter().filter(|one| one.is_some()).count() <= 1,
        "give at most one of user, group, runas and command"
    );
    let name = |what: &str, word: &String| check_word(what, word).map(|()| word.clone());
    Ok(if let Some(user) = &defaults.user {
        (format!(":{}", name("user", user)?), user.clone())
    } else if let Some(group) = &defaults.group {
        (format!(":%{}", name("group", group)?), format!("group-{group}"))
    } else if let Some(runas) = &defaults.runas {
        (format!(">{}", name("user", runas)?), format!("runas-{runas}"))
    } else if let Some(text) = &defaults.command {
        ensure!(
            !text.contains(' '),
            "options hold for a command with any arguments; omit those of {text:?}"
        );
        let base = text.rsplit('/').next().unwrap_or_default();
        (format!("!{}", command(text)?), format!("command-{base}"))
    } else {
        (String::new(), "all".to_owned())
    })
}

fn option(name: &str, value: &Value) -> Result<String> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    ensure!(!name.is_empty() && name.bytes().all(good), "{name:?} cannot be an option of sudo");
    Ok(match value {
        Value::Bool(true) => name.to_owned(),
        Value::Bool(false) => format!("!{name}"),
        Value::Number(number) => format!("{name} = {number}"),
        Value::String(text) => format!("{name} = {}", quote(name, text)?),
        Value::Array(values) => {
            let words: Result<Vec<_>> = values
                .iter()
                .map(|value| {
                    value.as_str().with_context(|| format!("{name} must be a list of texts"))
                })
                .collect();
            format!("{name} += {}", quote(name, &words?.join(" "))?)
        }
        _ => bail!("{name} must be true or false, a number, text, or a list of texts"),
    })
}

fn quote(name: &str, text: &str) -> Result<String> {
    ensure!(
        !text.chars().any(char::is_control),
        "{name} must be one line without control characters, this is {text:?}"
    );
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::super::Sudoers;
    use super::*;

    fn content(arguments: Value) -> String {
        let mut recorder = Recorder::<Sudoers>::on("debian 12");
        recorder.call("defaults", arguments).unwrap();
        recorder.actions()[1].arguments["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn options_have_values_of_all_kinds() {
        let options = json!({
            "timestamp_timeout": 5, "lecture": false, "use_pty": true,
            "badpass_message": "no \"way\"", "env_keep": ["A", "B"],
        });
        assert_eq!(
            content(json!({"options": options, "user": "ann"})),
            "# written by pallet\nDefaults:ann timestamp_timeout = 5\nDefaults:ann !lecture\n\
             Defaults:ann use_pty\nDefaults:ann badpass_message = \"no \\\"way\\\"\"\n\
             Defaults:ann env_keep += \"A B\"\n"
        );
        assert!(
            content(json!({"options": {"log_output": true}, "command": "/bin/sh"}))
                .contains("Defaults!/bin/sh log_output\n")
        );
    }

    #[test]
    fn what_would_add_a_rule_is_refused() {
        for arguments in [
            json!({"options": {}}),
            json!({"options": {"a\nb ALL": true}}),
            json!({"options": {"badpass_message": "a\nb ALL=(ALL) ALL"}}),
            json!({"options": {"lecture": true}, "user": "a", "group": "b"}),
            json!({"options": {"lecture": true}, "user": "a b"}),
            json!({"options": {"lecture": null}}),
        ] {
            let result = Recorder::<Sudoers>::on("debian 12").call("defaults", &arguments);
            assert!(result.is_err(), "{arguments}");
        }
    }
}
