//! Names of plugins in words and in files.

use crate::model::PluginKind;

/// The word for a kind of plugin: `crate`, `provider`.
pub fn kind_word(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Provider => "provider",
        PluginKind::Crate => "crate",
        PluginKind::Unknown => "plugin",
    }
}

/// The file name of a plugin's library; `suffix`: `.so`, `.dylib`.
pub(crate) fn library_name(kind: PluginKind, name: &str, suffix: &str) -> String {
    format!("libpallet_{}_{}{suffix}", kind_word(kind), name.replace('-', "_"))
}
