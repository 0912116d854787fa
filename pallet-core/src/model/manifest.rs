//! The manifest of a plugin.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Capabilities;

/// The version of this build's binary interface: the version of the package pallet-core.
pub const ABI_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The kind of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginKind {
    /// Creates and finds nodes.
    Provider,
    /// Configures nodes.
    Crate,
    /// A kind that this version of Pallet does not know: the plugin needs a newer one.
    #[serde(other)]
    Unknown,
}

/// The content of a plugin's ELF section `.pallet`. It can be read without loading the plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginSummary {
    /// The version of the binary interface that it was built against.
    pub abi: semver::Version,
    /// Its kind.
    pub kind: PluginKind,
    /// Its name: `nginx`.
    pub name: String,
    /// Its version.
    pub version: semver::Version,
    /// The crates that it requires.
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// What a crate's functions may do to nodes; `None`: unspecified, so they may do everything.
    #[serde(default)]
    pub capabilities: Option<Capabilities>,
    /// The systems that a crate supports, as people call them: `debian 12`; empty: unspecified.
    #[serde(default)]
    pub systems: Vec<String>,
}

/// A crate that another crate calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// Its name.
    pub name: String,
    /// The acceptable versions.
    pub version: semver::VersionReq,
}

/// The full manifest of a plugin. Only a loaded plugin returns it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// A one-line description.
    #[serde(default)]
    pub about: String,
    /// A crate's functions.
    #[serde(default)]
    pub functions: Vec<FunctionManifest>,
    /// The JSON schema of a provider's options.
    #[serde(default)]
    pub options: Value,
    /// What a crate's functions may do to nodes; `None`: unspecified, so they may do everything.
    #[serde(default)]
    pub capabilities: Option<Capabilities>,
    /// The systems that a crate supports, as people call them: `debian 12`; empty: unspecified.
    #[serde(default)]
    pub systems: Vec<String>,
}

/// Words that Starlark reserves.
const RESERVED: [&str; 33] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "load", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

impl Manifest {
    /// Refuses names of functions and parameters that nobody could write in pallet.star. A crate
    /// that was published with one is used as far as that goes, so this is for its authors.
    pub fn check_names(&self) -> Result<(), String> {
        let own = self.name.replace('-', "_");
        let of = |function: &FunctionManifest| {
            format!("crate {}: the function `{}`", self.name, function.name)
        };
        for function in &self.functions {
            let (name, what) = (function.name.as_str(), of(function));
            if RESERVED.contains(&name) {
                return Err(format!(
                    "{what} has a name that Starlark reserves, so nobody could call it; rename it"
                ));
            }
            // alone, it is the crate's main function
            if name == own && self.functions.len() > 1 {
                return Err(format!(
                    "{what} has the name of the crate, so that `{own}.` and the name of another \
                     function could not be called; rename it, or make it the only one"
                ));
            }
            let parameters = function.parameters["properties"].as_object();
            for parameter in parameters.into_iter().flat_map(|all| all.keys()) {
                if RESERVED.contains(&parameter.as_str()) || parameter == "request" {
                    return Err(format!(
                        "{what} has a parameter `{parameter}`, which nobody could give by its \
                         name; rename it"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// One function of a crate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionManifest {
    /// Its name.
    pub name: String,
    /// What it does, in Markdown. The first line is a summary.
    #[serde(default)]
    pub doc: String,
    /// The JSON schema of its parameters: an object with the properties in the order of
    /// declaration.
    pub parameters: Value,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(name: &str, functions: &[(&str, &[&str])]) -> Result<(), String> {
        let function = |(name, parameters): &(&str, &[&str])| {
            let properties: serde_json::Map<String, Value> =
                parameters.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
            FunctionManifest {
                name: (*name).to_owned(),
                doc: String::new(),
                parameters: json!({"type": "object", "properties": properties}),
            }
        };
        let functions = functions.iter().map(function).collect();
        Manifest { name: name.to_owned(), functions, ..Manifest::default() }.check_names()
    }

    #[test]
    fn names_that_nobody_could_write_are_refused() {
        assert_eq!(checked("web-shop", &[("install", &["port"]), ("loaded", &[])]), Ok(()));
        assert_eq!(checked("admin-user", &[("admin_user", &[])]), Ok(()));
        assert_eq!(
            checked("web", &[("install", &[]), ("load", &[])]).unwrap_err(),
            "crate web: the function `load` has a name that Starlark reserves, so nobody could \
             call it; rename it"
        );
        assert_eq!(
            checked("web-shop", &[("install", &[]), ("web_shop", &[])]).unwrap_err(),
            "crate web-shop: the function `web_shop` has the name of the crate, so that \
             `web_shop.` and the name of another function could not be called; rename it, or make \
             it the only one"
        );
        for parameter in ["from", "request"] {
            let error = checked("web", &[("site", &["name", parameter])]).unwrap_err();
            let wanted = format!(
                "crate web: the function `site` has a parameter `{parameter}`, which nobody could \
                 give by its name; rename it"
            );
            assert_eq!(error, wanted);
        }
    }
}
