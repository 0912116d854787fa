//! Builds the script of one change, a line at a time, with every value quoted.

use serde::{Deserialize, Serialize};

use super::quote;

/// The script of one change. It runs in a shell of its own with `set -e` and the functions of the
/// library. It calls `changed` whenever it changed something; a script with nothing to do calls
/// nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    text: String,
    /// See [`Script::of_one_file`].
    one_file: bool,
}

impl Script {
    /// An empty script.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds shell text as it is. For values use [`Script::call`].
    pub fn raw(mut self, text: &str) -> Self {
        self.one_file = false;
        self.text.push_str(text);
        if !text.ends_with('\n') {
            self.text.push('\n');
        }
        self
    }

    /// Appends another script.
    pub fn and(mut self, other: Script) -> Self {
        self.one_file = false;
        self.text.push_str(&other.text);
        self
    }

    /// Adds a command and quotes every word.
    pub fn call<S: AsRef<str>>(self, words: impl IntoIterator<Item = S>) -> Self {
        let line = words.into_iter().map(|word| quote(word.as_ref())).collect::<Vec<_>>().join(" ");
        self.raw(&line)
    }

    /// Marks the script so far as one that only puts one file in place. If neighbouring scripts do
    /// too, their new files can be put in place together.
    pub fn of_one_file(mut self) -> Self {
        self.one_file = true;
        self
    }

    /// Whether the script only puts one file in place.
    pub fn is_of_one_file(&self) -> bool {
        self.one_file
    }

    /// The shell text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}
