//! Conditions on the facts of nodes.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

/// A condition on the facts of nodes.
#[derive(Clone)]
pub struct Matching {
    pub(in crate::engine) text: String,
    /// The attributes that it is about: `os.family`.
    about: Vec<String>,
    holds: Arc<Condition>,
}

/// Is given the [attributes](Target::attributes) of a node.
type Condition = dyn Fn(Map<String, Value>) -> Result<bool, String> + Send + Sync;

impl Matching {
    /// The condition `text`, which holds if the function says so of the attributes of a node.
    /// `about`: those that it is about, such as `os.family`, to tell their values if no node meets
    /// it.
    pub fn new(
        text: &str,
        about: Vec<String>,
        holds: impl Fn(Map<String, Value>) -> Result<bool, String> + Send + Sync + 'static,
    ) -> Self {
        Matching { text: text.to_owned(), about, holds: Arc::new(holds) }
    }

    /// Whether it holds for a node with these attributes.
    pub fn holds(&self, attributes: Map<String, Value>) -> Result<bool, String> {
        (self.holds)(attributes)
    }

    /// The values of what it is about.
    pub(in crate::engine) fn values(
        &self,
        attributes: &Map<String, Value>,
    ) -> impl Iterator<Item = (String, String)> {
        self.about.iter().filter_map(|path| {
            let mut names = path.split('.');
            let mut value = attributes.get(names.next()?)?;
            for name in names {
                value = value.get(name)?;
            }
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some((path.clone(), shown))
        })
    }
}

impl fmt::Debug for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matching({:?})", self.text)
    }
}
