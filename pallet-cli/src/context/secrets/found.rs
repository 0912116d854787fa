//! What is found at a place, and the part of it that is the secret.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use pallet_core::model::did_you_mean;
use rustix::fs::{Mode, OFlags};
use serde_json::{Map, Value};

/// Maximum size of a secret, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// What is found at a place.
pub(super) struct Found {
    content: Content,
    /// For how long it may be used, if its source says so.
    pub(super) lasts: Option<Duration>,
}

enum Content {
    Text(String),
    Table(Map<String, Value>),
}

impl Found {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Found { content: Content::Text(text.into()), lasts: None }
    }

    pub(super) fn table(table: Map<String, Value>) -> Self {
        Found { content: Content::Table(table), lasts: None }
    }

    /// It may be used for this time, if that is known.
    #[cfg(any(test, feature = "aws", feature = "vault"))]
    pub(super) fn lasting(self, lasts: Option<Duration>) -> Self {
        Found { lasts, ..self }
    }

    /// The value of a key; without one, everything, or the value of the only key. Errors name keys,
    /// never values.
    pub(super) fn value(&self, key: Option<&str>) -> anyhow::Result<String> {
        match (&self.content, key) {
            (Content::Text(text), None) => Ok(text.clone()),
            (Content::Text(text), Some(key)) => match serde_json::from_str(text) {
                Ok(Value::Object(table)) => in_table(&table, key),
                // the error of the parser could hold a part of it
                _ => bail!("it is not a table in JSON, so it has no key `{key}`; remove `key`"),
            },
            (Content::Table(table), Some(key)) => in_table(table, key),
            (Content::Table(table), None) => {
                let mut keys = table.keys();
                match (keys.next(), keys.next()) {
                    (Some(only), None) => in_table(table, only),
                    _ => bail!("it has {} keys; add `key = \"NAME\"`", table.len()),
                }
            }
        }
    }
}

fn in_table(table: &Map<String, Value>, key: &str) -> anyhow::Result<String> {
    let value = at(table, key).with_context(|| {
        let known = did_you_mean(key, table.keys().map(String::as_str));
        let known = known.map(|help| format!("; {help}")).unwrap_or_default();
        format!("it has no key `{key}`{known}")
    })?;
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Null => bail!("the value of `{key}` is null"),
        Value::Array(_) | Value::Object(_) => {
            bail!("the value of `{key}` is not a text; name a key in it: `{key}.NAME`")
        }
    }
}

/// The value of a key. A dot leads into a table, unless it belongs to a key.
fn at<'a>(table: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    table.get(key).or_else(|| {
        key.match_indices('.').find_map(|(dot, _)| {
            let (first, rest) = (&key[..dot], &key[dot + 1..]);
            below(table.get(first)?, rest)
        })
    })
}

fn below<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Object(table) => at(table, key),
        Value::Array(items) => {
            let (first, rest) = key.split_once('.').map_or((key, None), |(a, b)| (a, Some(b)));
            let item = items.get(first.parse::<usize>().ok()?)?;
            rest.map_or(Some(item), |rest| below(item, rest))
        }
        _ => None,
    }
}

/// Opens a file to read. A pipe or a device, which can block forever, is an error.
pub(super) fn open_file(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(std::io::Error::other("it is not a file")),
    }
}

/// Reads everything, if it is text and at most as large as a secret may be.
pub(super) fn text_of(reader: impl Read, what: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    reader
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("{what} cannot be read or is damaged"))?;
    ensure!(
        bytes.len() as u64 <= LARGEST,
        "{what} is larger than {} KiB, the limit for secrets",
        LARGEST / 1024
    );
    // the error of the conversion would hold the secret
    String::from_utf8(bytes).ok().with_context(|| format!("{what} is not text"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table(value: Value) -> Found {
        match value {
            Value::Object(table) => Found::table(table),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn keys_lead_into_tables_and_lists() {
        let found = table(json!({
            "db": {"password": "p", "ports": [5432, {"x.y": true}]}, "a.b": "dotted", "none": null,
        }));
        let value = |key| found.value(Some(key)).map_err(|error| error.to_string());
        assert_eq!(value("db.password"), Ok("p".into()));
        assert_eq!(value("db.ports.0"), Ok("5432".into()));
        assert_eq!(value("db.ports.1.x.y"), Ok("true".into()));
        assert_eq!(value("a.b"), Ok("dotted".into()));
        assert_eq!(
            value("db.ports"),
            Err("the value of `db.ports` is not a text; name a key in it: `db.ports.NAME`".into())
        );
        assert_eq!(value("none"), Err("the value of `none` is null".into()));
        assert_eq!(value("nome"), Err("it has no key `nome`; did you mean `none`?".into()));
        let error = found.value(None).unwrap_err().to_string();
        assert_eq!(error, "it has 3 keys; add `key = \"NAME\"`");
        assert_eq!(table(json!({"only": 1.10})).value(None).unwrap(), "1.1");
    }

    #[test]
    fn what_can_block_is_no_file() {
        let home = tempfile::tempdir().unwrap();
        let pipe = home.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR).unwrap();
        assert_eq!(open_file(&pipe).unwrap_err().to_string(), "it is not a file");
        assert!(open_file(Path::new("/dev/zero")).is_err());
        assert!(open_file(home.path()).is_err());
        let file = home.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert_eq!(text_of(open_file(&file).unwrap(), "it").unwrap(), "x");
    }

    #[test]
    fn a_text_can_be_a_table_in_json() {
        let found = Found::text(r#"{"password": "p"}"#);
        assert_eq!(found.value(Some("password")).unwrap(), "p");
        assert_eq!(found.value(None).unwrap(), r#"{"password": "p"}"#);
        let error = Found::text("hunter2").value(Some("a")).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
