//! What is known of the names that a text can use.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::project::star::scope::KnownName;
use crate::project::star::signature::Signature;

/// What is known of the names that a text can use.
#[derive(Debug, Clone, Default)]
pub(crate) struct CompletionScope {
    /// The names, each with what it stands for.
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

/// What a name stands for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Name {
    /// How it is called, if it is a function that Pallet gave.
    pub(crate) signature: Option<Arc<Signature>>,
    /// What it is, in a few words.
    pub(crate) about: String,
    /// What stands behind a dot after it.
    pub(crate) attributes: BTreeMap<String, Name>,
}

impl Name {
    /// A name of which only that is known.
    pub(crate) fn about(about: &str) -> Self {
        Name { about: about.to_owned(), ..Name::default() }
    }

    /// What the static check knows of a name.
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

/// The first sentence of a documentation.
pub(crate) fn first_sentence(doc: &str) -> String {
    let line = doc.lines().next().unwrap_or_default();
    line.split_inclusive(". ").next().unwrap_or_default().trim().to_owned()
}
