//! Settings of the server.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::cluster::Cluster;

parameters! {
    /// Sets parameters of the server: those of `postgresql.conf`.
    ///
    /// PostgreSQL checks the whole configuration before it is put in place. Then the server is
    /// reloaded, or restarted once if it says that a changed parameter needs that. If it does not
    /// start, the old configuration is put back, and the operation fails on this node.
    ///
    /// Example: `postgresql.setting(request, {"listen_addresses": "*", "shared_buffers": "1GB"})`
    pub(crate) struct Setting {
        /// Parameters and their values: texts, numbers, true or false.
        values: BTreeMap<String, Value>,
        /// Names this set of parameters. Sets of other names stay; later names win.
        #[serde(default = "default_name")]
        name: String,
        /// The cluster. Default: `main`.
        #[serde(default)]
        instance: Option<String>,
    }
}

fn default_name() -> String {
    "settings".to_owned()
}

/// What `setting` may not change: the crate would no longer find the files.
const REFUSED: [&str; 8] = [
    "data_directory",
    "config_file",
    "hba_file",
    "ident_file",
    "external_pid_file",
    "include",
    "include_dir",
    "include_if_exists",
];

pub(crate) fn setting(request: &mut Request, setting: Setting) -> Result<()> {
    check_file_name("a set of parameters", &setting.name)?;
    ensure!(
        !["replica", "port"].contains(&setting.name.as_str()),
        "the set {:?} belongs to other functions of this crate; choose another name",
        setting.name
    );
    let content = render(&setting.values)?;
    let cluster = Cluster::of(request, setting.instance.as_deref())?;
    cluster.put(request)?;
    cluster.part(request, &format!("{}.conf", setting.name), content)?;
    cluster.apply(request)
}

/// The lines of a file.
pub(crate) fn render(values: &BTreeMap<String, Value>) -> Result<String> {
    let mut out = String::new();
    for (name, value) in values {
        let good = |character: char| character.is_ascii_alphanumeric() || "_.".contains(character);
        ensure!(
            name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name.chars().all(good),
            "{name:?} cannot be a parameter of PostgreSQL: use letters, digits, _ and ."
        );
        ensure!(
            !REFUSED.contains(&name.to_ascii_lowercase().as_str()),
            "the parameter {name} belongs to the system's layout of files; it cannot be set"
        );
        let value = match value {
            Value::String(text) => quoted(name, text)?,
            Value::Number(number) => number.to_string(),
            Value::Bool(true) => "on".to_owned(),
            Value::Bool(false) => "off".to_owned(),
            other => bail!("the value of {name} must be a text, a number or a truth, not {other}"),
        };
        writeln!(out, "{name} = {value}")?;
    }
    Ok(out)
}

/// A text as postgresql.conf has it.
pub(crate) fn quoted(name: &str, text: &str) -> Result<String> {
    ensure!(
        !text.chars().any(char::is_control),
        "the value of {name} has a line end or another control character"
    );
    Ok(format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")))
}

#[cfg(test)]
mod tests {
    use super::super::Postgresql;
    use super::*;

    #[test]
    fn values_of_all_kinds_are_written() {
        let values = [
            ("fsync".to_owned(), json!(false)),
            ("max_connections".to_owned(), json!(50)),
            ("search_path".to_owned(), json!("it's\\, \"$user\"")),
        ];
        assert_eq!(
            render(&values.into()).unwrap(),
            "fsync = off\nmax_connections = 50\nsearch_path = 'it''s\\\\, \"$user\"'\n"
        );
    }

    #[test]
    fn what_cannot_stand_in_the_file_is_refused() {
        for (values, said) in [
            (json!({"a b": 1}), "cannot be a parameter"),
            (json!({"a\nb": 1}), "cannot be a parameter"),
            (json!({"a": "1\nfsync = off"}), "a line end"),
            (json!({"a": [1]}), "must be a text"),
            (json!({"HBA_file": "/tmp/x"}), "cannot be set"),
        ] {
            let error = Recorder::<Postgresql>::on("debian 12")
                .call("setting", json!({"values": values}))
                .unwrap_err();
            assert!(error.to_string().contains(said), "{values}: {error}");
        }
    }

    #[test]
    fn one_call_applies_once() {
        let mut recorder = Recorder::<Postgresql>::on("debian 13");
        recorder.call("setting", json!({"values": {"work_mem": "8MB", "port": 5433}})).unwrap();
        let declared = recorder.declared();
        let applied: Vec<_> = declared.iter().filter(|what| what.contains(" apply ")).collect();
        assert_eq!(applied.len(), 1, "{declared:?}");
        let last = recorder.actions().pop().unwrap();
        assert_eq!(last.arguments["script"], "sh /usr/local/lib/pallet/postgresql apply 17-main");
    }
}
