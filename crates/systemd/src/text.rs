//! The text of systemd's files: sections with settings, and how their values are quoted.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

/// The schema of sections. Their values are kept as JSON, which keeps their order.
pub(crate) type Sections = BTreeMap<String, Settings>;

/// The schema of the settings of one section.
pub(crate) type Settings = BTreeMap<String, Setting>;

/// A value of a setting, or a list of values for a setting that is repeated.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", untagged)]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Setting {
    One(Scalar),
    Several(Vec<Scalar>),
}

/// A value.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", untagged)]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Scalar {
    Text(String),
    Number(i64),
    Switch(bool),
}

/// One text, or several.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", untagged)]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Texts {
    One(String),
    Several(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Texts::Several(Vec::new())
    }
}

impl Texts {
    pub(crate) fn list(&self) -> &[String] {
        match self {
            Texts::One(text) => std::slice::from_ref(text),
            Texts::Several(texts) => texts,
        }
    }
}

/// The text of a file: its content as given, or its sections.
pub(crate) fn of(what: &str, content: Option<&str>, sections: Option<&Value>) -> Result<String> {
    match (content, sections) {
        (Some(content), None) => {
            ensure!(!content.contains('\0'), "the content of {what} has a NUL character in it");
            no_secret(what, content)?;
            let end = if content.ends_with('\n') { "" } else { "\n" };
            Ok(format!("{content}{end}"))
        }
        (None, Some(sections)) => render(what, sections),
        _ => bail!("give either sections or content of {what}"),
    }
}

fn render(what: &str, sections: &Value) -> Result<String> {
    let mut out = "# written by pallet\n".to_owned();
    let sections = sections.as_object().context("sections must be a dict")?;
    ensure!(!sections.is_empty(), "{what} has no section");
    for (index, (section, settings)) in sections.iter().enumerate() {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        ensure!(
            !section.is_empty() && section.bytes().all(good),
            "{section:?} cannot name a section of {what}"
        );
        let blank = if index > 0 { "\n" } else { "" };
        writeln!(out, "{blank}[{section}]")?;
        let settings = settings.as_object();
        let settings = settings.with_context(|| format!("section {section} must be a dict"))?;
        for (key, value) in settings {
            put(&mut out, what, key, value)?;
        }
    }
    Ok(out)
}

/// Adds the lines of one setting.
fn put(out: &mut String, what: &str, key: &str, value: &Value) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    ensure!(
        !key.is_empty() && key.bytes().all(good),
        "{key:?} cannot be a setting of {what}: use letters, digits and -"
    );
    let values = match value {
        Value::Array(values) => values.as_slice(),
        value => std::slice::from_ref(value),
    };
    for value in values {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Number(number) => number.to_string(),
            _ => bail!("{key} of {what} must be a string, a number, true or false, or a list"),
        };
        let line = plain(&format!("{key} of {what}"), &value)?;
        writeln!(out, "{key}={line}")?;
    }
    Ok(())
}

/// Refuses a value that is not one line, or that everybody on the node could read as a secret.
pub(crate) fn plain<'a>(what: &str, value: &'a str) -> Result<&'a str> {
    ensure!(
        !value.chars().any(char::is_control) && !value.ends_with('\\'),
        "{what} must be one line without control characters that does not end with a backslash, \
         this is {value:?}"
    );
    no_secret(what, value)?;
    Ok(value)
}

/// The files of units can be read by everybody, and systemd shows them to everybody.
fn no_secret(what: &str, text: &str) -> Result<()> {
    let secret = replace_secrets(text, |name| Err(name.to_owned()));
    if let Err(name) = secret {
        bail!(
            "the secret {name} cannot stand in {what}, which everybody on the node can read; write \
             it to a file with remote_file and mode 0600, and name that file in EnvironmentFile or \
             LoadCredential"
        );
    }
    Ok(())
}

/// An argument of a command, as systemd reads it: nothing in it is interpreted.
pub(crate) fn quote_argument(text: &str) -> String {
    let mut out = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            // variables and specifiers
            '$' | '%' => out.extend([character, character]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// The value of one assignment in `Environment`.
pub(crate) fn quote_variable(name: &str, value: &str) -> Result<String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    ensure!(
        name.bytes().all(good) && name.starts_with(|first: char| !first.is_ascii_digit()),
        "{name:?} is not a name of an environment variable"
    );
    plain(&format!("the environment variable {name}"), value)?;
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    Ok(format!("\"{name}={value}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_keep_their_order_and_lists_repeat() {
        let text = of(
            "web.service",
            None,
            Some(&json!({
                "Unit": {"Description": "a web server", "After": "network.target"},
                "Service": {"ExecStart": ["", "/usr/bin/web"], "PrivateTmp": true, "Nice": 5},
            })),
        );
        assert_eq!(
            text.unwrap(),
            "# written by pallet\n[Unit]\nDescription=a web server\nAfter=network.target\n\n\
             [Service]\nExecStart=\nExecStart=/usr/bin/web\nPrivateTmp=yes\nNice=5\n"
        );
    }

    #[test]
    fn what_would_add_lines_is_refused() {
        for sections in [
            json!({"Service": {"ExecStart": "/bin/a\nUser=root"}}),
            json!({"Service": {"ExecStart": "/bin/a \\"}}),
            json!({"Service": {"Exec=Start": "a"}}),
            json!({"Ser]vice": {"ExecStart": "a"}}),
            json!({"Service": {"ExecStart": {"a": 1}}}),
            json!({"Service": "a"}),
            json!({}),
        ] {
            assert!(of("a", None, Some(&sections)).is_err(), "{sections}");
        }
        assert!(of("a", None, None).is_err() && of("a", Some(""), Some(&json!({}))).is_err());
    }

    #[test]
    fn a_secret_is_refused() {
        let secret = pallet_core::prelude::secret_placeholder("database");
        let sections = json!({"Service": {"Environment": format!("PASSWORD={secret}")}});
        for error in [of("a", None, Some(&sections)), of("a", Some(&secret), None)] {
            let error = error.unwrap_err().to_string();
            assert!(error.contains("the secret database cannot stand in"), "{error}");
        }
    }

    #[test]
    fn arguments_are_literal() {
        assert_eq!(
            quote_argument("echo \"$HOME\" 100% \\\nx"),
            "\"echo \\\"$$HOME\\\" 100%% \\\\\\nx\""
        );
        assert_eq!(quote_variable("A", "a \"b\" 5%").unwrap(), "\"A=a \\\"b\\\" 5%%\"");
        assert!(quote_variable("A=B", "").is_err() && quote_variable("A", "a\nb").is_err());
    }
}
