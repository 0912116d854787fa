//! A plugin without a version.

use std::fmt;

use crate::model::PluginKind;
use crate::plugins::kind_word;

/// A plugin without a version: its kind and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Package {
    /// Its kind.
    pub kind: PluginKind,
    /// Its name.
    pub name: String,
}

impl Package {
    /// The crate with this name.
    pub fn config_crate(name: impl Into<String>) -> Self {
        Package { kind: PluginKind::Crate, name: name.into() }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", kind_word(self.kind), self.name)
    }
}
