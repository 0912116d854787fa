//! A problem with a value, with a suggestion.

use serde_json::Value;

use super::words::shown;
use crate::diagnostic::{closest, did_you_mean_or_list, same_meaning};

/// A mismatch between a value and its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The path of keys to the value.
    pub(crate) path: Vec<String>,
    /// The sentence without its subject: what the value must be, or what it lacks.
    pub(crate) predicate: String,
    /// The unknown key, below `path`.
    pub(crate) unknown_key: Option<String>,
    /// What the user probably meant.
    pub(crate) suggestion: Option<String>,
}

impl Problem {
    pub(super) fn new(predicate: impl Into<String>) -> Self {
        Problem {
            path: Vec::new(),
            predicate: predicate.into(),
            unknown_key: None,
            suggestion: None,
        }
    }

    pub(super) fn below(mut self, key: &str) -> Self {
        self.path.insert(0, key.to_owned());
        self
    }

    /// The whole sentence, with `name` as the name of the outermost value.
    pub(crate) fn sentence(&self, name: &str) -> String {
        let words: Vec<&str> = std::iter::once(name)
            .chain(self.path.iter().map(String::as_str))
            .filter(|word| !word.is_empty())
            .collect();
        if words.is_empty() {
            self.predicate.clone()
        } else {
            format!("`{}` {}", words.join("."), self.predicate)
        }
    }
}

/// The schema key with the place where users define the listed names. Unknown names are missing
/// there.
pub(crate) const DEFINED_IN: &str = "x-defined-in";

pub(super) fn not_defined(place: &str, choices: &[&Value], value: &Value) -> Problem {
    let words: Vec<&str> = choices.iter().filter_map(|choice| choice.as_str()).collect();
    let word = value.as_str().unwrap_or_default();
    let suggestion = did_you_mean_or_list(word, &words, "there are");
    let suggestion = suggestion
        .or_else(|| Some(format!("add one there, such as `{word} = {{ env = \"NAME\" }}`")));
    Problem {
        suggestion,
        ..Problem::new(format!("is {}, which {place} does not have", shown(value)))
    }
}

pub(super) fn not_a_choice(choices: &[&Value], value: &Value) -> Problem {
    let listed: Vec<String> = choices.iter().map(ToString::to_string).collect();
    let words: Vec<&str> = choices.iter().filter_map(|choice| choice.as_str()).collect();
    let suggestion = value.as_str().and_then(|word| {
        closest(word, words.iter().copied()).or_else(|| same_meaning(word, &words))
    });
    Problem {
        suggestion: suggestion.map(|word| format!("did you mean \"{word}\"?")),
        ..Problem::new(match listed.as_slice() {
            [one] => format!("must be {one}, not {}", shown(value)),
            [first @ .., last] => {
                format!("must be {} or {last}, not {}", first.join(", "), shown(value))
            }
            [] => "can have no value".to_owned(),
        })
    }
}
