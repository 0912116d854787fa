//! Writes YAML: texts are always quoted, so nothing in them means anything.

use pallet_core::prelude::*;
use pallet_core::serde_json::Map;

/// A document.
pub(crate) fn document(values: &Map<String, Value>) -> String {
    let mut out = "# written by pallet\n".to_owned();
    map(&mut out, values, 0);
    out
}

fn map(out: &mut String, values: &Map<String, Value>, indent: usize) {
    for (key, value) in values {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let word = key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.chars().all(plain);
        // some plain words are no text for YAML 1.1
        let other = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
        let word = word && !other.contains(&key.to_ascii_lowercase().as_str());
        let key = if word { key.clone() } else { quoted(key) };
        out.push_str(&format!("{:indent$}{key}:", ""));
        below(out, value, indent);
    }
}

/// What follows a key or a dash.
fn below(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(values) if !values.is_empty() => {
            out.push('\n');
            map(out, values, indent + 2);
        }
        Value::Array(values) if !values.is_empty() => {
            out.push('\n');
            for value in values {
                item(out, value, indent + 2);
            }
        }
        other => {
            out.push(' ');
            out.push_str(&scalar(other));
            out.push('\n');
        }
    }
}

fn item(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(values) if !values.is_empty() => {
            let mut text = String::new();
            map(&mut text, values, indent + 2);
            // its first key stands beside the dash
            out.push_str(&format!("{:indent$}- {}", "", text.trim_start_matches(' ')));
        }
        other => {
            out.push_str(&format!("{:indent$}-", ""));
            below(out, other, indent);
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        // empty ones too
        other => other.to_string(),
    }
}

/// A text in double quotes, with the escapes that JSON and YAML share.
fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// Refuses secrets: a quote in their value would end the text.
pub(crate) fn refuse_secrets(what: &str, value: &Value) -> Result<()> {
    let found = replace_secrets(&value.to_string(), |_| Result::<_>::Ok(String::new()))?;
    ensure!(
        found.is_none(),
        "{what} has a secret: put it into `secrets`, and name its file, such as \
         password_file = \"/etc/prometheus/secrets/NAME\""
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_lists_are_nested() {
        let Value::Object(values) = json!({
            "global": {"scrape_interval": "15s", "labels": {}},
            "on": true,
            "scrape_configs": [{"job_name": "a\nb: \"c\"", "x": [1, 2]}, "text", []],
        }) else {
            panic!("it is an object");
        };
        assert_eq!(
            document(&values),
            "# written by pallet\nglobal:\n  scrape_interval: \"15s\"\n  labels: {}\n\
             \"on\": true\nscrape_configs:\n  - job_name: \"a\\nb: \\\"c\\\"\"\n    x:\n      \
             - 1\n      - 2\n  - \"text\"\n  - []\n"
        );
    }

    #[test]
    fn a_secret_is_refused() {
        let value = json!({"a": [secret_placeholder("x")]});
        assert!(refuse_secrets("config", &value).is_err());
        assert!(refuse_secrets("config", &json!({"a": 1})).is_ok());
    }
}
