//! A project's own facts.

use serde_json::Value;

use crate::observe::Reading;

/// How the output of a fact's command is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FactKind {
    /// As text.
    #[default]
    Text,
    /// As an integer.
    Integer,
    /// As a number.
    Number,
    /// Not at all: it is true if the command succeeds.
    Boolean,
    /// As a list of its lines.
    Lines,
    /// As a JSON object.
    Object,
}

/// A fact that a project asks its nodes for: what a read-only command prints.
#[derive(Debug, Clone, PartialEq)]
pub struct FactSpec {
    /// The command.
    pub command: String,
    /// How its output is read.
    pub kind: FactKind,
    /// The value where the output cannot be read so, and on a node that does not exist yet.
    pub default: Option<Value>,
}

impl FactSpec {
    /// The value of a node that cannot be asked yet.
    pub fn unknown(&self) -> Value {
        self.default.clone().unwrap_or_else(|| match self.kind {
            FactKind::Text => Value::from(""),
            FactKind::Integer => Value::from(0),
            FactKind::Number => Value::from(0.0),
            FactKind::Boolean => Value::from(false),
            FactKind::Lines => Value::Array(Vec::new()),
            FactKind::Object => Value::Object(serde_json::Map::new()),
        })
    }

    /// The value from what the command did.
    pub(in crate::engine) fn read(&self, name: &str, reading: &Reading) -> Result<Value, String> {
        let output = reading.output.trim();
        let value = match self.kind {
            FactKind::Boolean => Ok(Value::from(reading.exit == 0)),
            FactKind::Integer => {
                output.parse::<i64>().map(Value::from).map_err(|_| "an integer".to_owned())
            }
            FactKind::Number => {
                let number = output.parse::<f64>().ok().filter(|number| number.is_finite());
                number.map(Value::from).ok_or_else(|| "a number".to_owned())
            }
            FactKind::Object => match serde_json::from_str(output) {
                Ok(object @ Value::Object(_)) => Ok(object),
                _ => Err("a JSON object".to_owned()),
            },
            // an empty answer of a failed command is none
            FactKind::Text | FactKind::Lines if output.is_empty() && reading.exit != 0 => {
                Err("an answer".to_owned())
            }
            FactKind::Text => Ok(Value::from(output)),
            FactKind::Lines => Ok(output.lines().map(Value::from).collect()),
        };
        value.or_else(|wanted| {
            self.default.clone().ok_or_else(|| {
                let shown: String = output.chars().take(SHOWN).collect();
                let exit = reading.exit;
                format!(
                    "fact {name}: its command printed {shown:?} (exit code {exit}), which is not \
                     {wanted}; give the fact a default, or correct the command: {}",
                    self.command
                )
            })
        })
    }
}

/// How many characters of an output are shown.
const SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn output_is_read_as_the_wanted_type() {
        let read = |kind, exit, output: &str, default| {
            let spec = FactSpec { command: "lspci".into(), kind, default };
            spec.read("gpu", &Reading { exit, output: output.into(), of: None })
        };
        for (kind, exit, output, expected) in [
            // grep -c fails if it counts none
            (FactKind::Integer, 1, "0\n", json!(0)),
            (FactKind::Number, 0, "1.5", json!(1.5)),
            (FactKind::Text, 0, " a b \n", json!("a b")),
            (FactKind::Text, 1, "x", json!("x")),
            (FactKind::Boolean, 0, "", json!(true)),
            (FactKind::Boolean, 1, "true", json!(false)),
            (FactKind::Lines, 0, "a\nb\n", json!(["a", "b"])),
            (FactKind::Object, 0, "{\"a\": 1}", json!({"a": 1})),
        ] {
            assert_eq!(read(kind, exit, output, None), Ok(expected), "{output:?}");
        }
        let error = read(FactKind::Integer, 127, "", None).unwrap_err();
        let expected =
            "fact gpu: its command printed \"\" (exit code 127), which is not an integer";
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(read(FactKind::Integer, 127, "", Some(json!(-1))), Ok(json!(-1)));
        assert!(read(FactKind::Text, 127, "", None).is_err());
        assert!(read(FactKind::Object, 0, "[1]", None).is_err());
    }
}
