//! Settings of the server.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::server;

parameters! {
    /// Sets options of the server: those of the section `[mariadbd]`.
    ///
    /// MariaDB checks the whole configuration before it is put in place. Then variables that can
    /// change while the server runs are set, or the server is restarted once if an option needs
    /// that. If it does not start, the old configuration is put back, and the operation fails on
    /// this node.
    ///
    /// Example: `mysql.setting(request, {"bind_address": "0.0.0.0", "max_connections": 200})`
    pub(crate) struct Setting {
        /// Options and their values: texts, numbers, true or false.
        values: BTreeMap<String, Value>,
        /// Names this set of options. Sets of other names stay; later names win.
        #[serde(default = "default_name")]
        name: String,
    }
}

fn default_name() -> String {
    "settings".to_owned()
}

/// Options that the crate must know to find the server.
const REFUSED: [&str; 4] = ["datadir", "socket", "user", "port"];

pub(crate) fn setting(request: &mut Request, setting: Setting) -> Result<()> {
    check_file_name("a set of options", &setting.name)?;
    ensure!(
        !["replica", "port"].contains(&setting.name.as_str()),
        "the set {:?} belongs to other functions of this crate; choose another name",
        setting.name
    );
    let content = render(&setting.values)?;
    server::put(request)?;
    server::part(request, &setting.name, content)?;
    server::apply(request)
}

/// The lines of a file.
pub(crate) fn render(values: &BTreeMap<String, Value>) -> Result<String> {
    let mut out = String::new();
    for (given, value) in values {
        let name = given.replace('-', "_");
        ensure!(
            name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
                }),
            "{given:?} cannot be an option of MariaDB: use a-z, 0-9, _ and -"
        );
        ensure!(
            name != "port",
            "the port is set by mysql.settings in the phase `settings`, so that replicas find it"
        );
        ensure!(
            !REFUSED.contains(&name.as_str()),
            "the option {given} belongs to the system's layout of files; it cannot be set"
        );
        let value = match value {
            Value::String(text) => quoted(given, text)?,
            Value::Number(number) => number.to_string(),
            Value::Bool(true) => "ON".to_owned(),
            Value::Bool(false) => "OFF".to_owned(),
            other => bail!("the value of {given} must be a text, a number or a truth, not {other}"),
        };
        writeln!(out, "{name} = {value}")?;
    }
    Ok(out)
}

/// A text as an option file has it.
fn quoted(name: &str, text: &str) -> Result<String> {
    ensure!(
        !text.chars().any(|character| character.is_control() || "\"'".contains(character)),
        "the value of {name} has a quote, a line end or another control character"
    );
    Ok(format!("\"{}\"", text.replace('\\', "\\\\")))
}

#[cfg(test)]
mod tests {
    use super::super::Mysql;
    use super::*;

    #[test]
    fn values_of_all_kinds_are_written() {
        let values = [
            ("skip-name-resolve".to_owned(), json!(true)),
            ("max_connections".to_owned(), json!(50)),
            ("init_connect".to_owned(), json!("set x=1 # a\\b")),
        ];
        assert_eq!(
            render(&values.into()).unwrap(),
            "init_connect = \"set x=1 # a\\\\b\"\nmax_connections = 50\nskip_name_resolve = ON\n"
        );
    }

    #[test]
    fn what_cannot_stand_in_the_file_is_refused() {
        for (values, said) in [
            (json!({"a b": 1}), "cannot be an option"),
            (json!({"a\nb": 1}), "cannot be an option"),
            (json!({"[client]": 1}), "cannot be an option"),
            (json!({"a": "1\nuser = root"}), "a line end"),
            (json!({"a": "\" b"}), "has a quote"),
            (json!({"a": [1]}), "must be a text"),
            (json!({"datadir": "/tmp"}), "cannot be set"),
            (json!({"port": 3307}), "mysql.settings"),
        ] {
            let error = Recorder::<Mysql>::on("debian 12")
                .call("setting", json!({"values": values}))
                .unwrap_err();
            assert!(error.to_string().contains(said), "{values}: {error}");
        }
    }

    #[test]
    fn one_call_applies_once() {
        let mut recorder = Recorder::<Mysql>::on("debian 13");
        recorder
            .call("setting", json!({"values": {"max_connections": 9, "log_bin": "b"}}))
            .unwrap();
        let declared = recorder.declared();
        let applied: Vec<_> = declared.iter().filter(|what| what.contains(" apply ")).collect();
        assert_eq!(applied.len(), 1, "{declared:?}");
    }
}
