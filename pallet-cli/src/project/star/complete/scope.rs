//! The names that a text can use.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::project::star::scope::KnownName;
use crate::project::star::signature::Signature;

/// The names that a text can use.
#[derive(Debug, Clone, Default)]
pub(crate) struct CompletionScope {
    /// The names with their meanings.
    pub(crate) names: BTreeMap<String, Name>,
    /// The names of groups.
    pub(crate) groups: Vec<String>,
    /// The names of nodes.
    pub(crate) nodes: Vec<String>,
    /// The names of phases.
    pub(crate) phases: Vec<String>,
    /// The names of services.
    pub(crate) services: Vec<String>,
    /// The names of crates.
    pub(crate) crates: Vec<String>,
}

/// The meaning of a name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Name {
    /// The signature, if it is one of Pallet's functions.
    pub(crate) signature: Option<Arc<Signature>>,
    /// A short description.
    pub(crate) about: String,
    /// Its attributes.
    pub(crate) attributes: BTreeMap<String, Name>,
}

impl Name {
    /// A name with only a description.
    pub(crate) fn about(about: &str) -> Self {
        Name { about: about.to_owned(), ..Name::default() }
    }

    /// A name known to the static check.
    pub(crate) fn known(known: &KnownName) -> Self {
        match known {
            KnownName::Function(signature) => Name {
                about: first_sentence(&signature.doc),
                signature: Some(signature.clone()),
                attributes: BTreeMap::new(),
            },
            KnownName::Namespace(functions) => {
                let of = |(name, signature): (&String, &Arc<Signature>)| {
                    (name.clone(), Name::known(&KnownName::Function(signature.clone())))
                };
                Name {
                    about: "a crate".to_owned(),
                    signature: None,
                    attributes: functions.iter().map(of).collect(),
                }
            }
        }
    }
}

/// The first sentence of a documentation text.
pub(crate) fn first_sentence(doc: &str) -> String {
    let line = doc.lines().next().unwrap_or_default();
    line.split_inclusive(". ").next().unwrap_or_default().trim().to_owned()
}
