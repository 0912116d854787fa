//! An error of a Pallet function, passed through Starlark.

use std::fmt;

use pallet_core::plugin::PluginError;

/// An error with its suggestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionError {
    /// What is wrong, in one line.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

impl FunctionError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        FunctionError { message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FunctionError {}

impl From<FunctionError> for starlark::Error {
    fn from(complaint: FunctionError) -> Self {
        starlark::Error::new_other(complaint)
    }
}

impl From<PluginError> for FunctionError {
    fn from(error: PluginError) -> Self {
        let help = (!error.help.is_empty()).then(|| error.help.clone());
        FunctionError { message: PluginError { help: String::new(), ..error }.to_string(), help }
    }
}
