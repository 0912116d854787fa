//! Names in errors and messages.

use crate::engine::EngineError;
use crate::model::{Node, did_you_mean};

/// The nodes with these names or IDs.
pub(in crate::engine) fn find_named<'a>(
    nodes: &'a [Node],
    names: &[String],
) -> Result<Vec<&'a Node>, EngineError> {
    let known = || nodes.iter().map(|node| node.name.as_str());
    let find = |name: &String| {
        let found = nodes.iter().find(|node| node.name == *name || node.id == *name);
        found.ok_or_else(|| no_such_name("node", name, known()))
    };
    names.iter().map(find).collect()
}

/// The error for an unknown name, with a suggestion or the known names.
pub(in crate::engine) fn no_such_name<'a>(
    what: &'static str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> EngineError {
    let known: Vec<_> = known.collect();
    let list = || match known.is_empty() {
        true => "there are none".to_owned(),
        false => format!("there are: {}", known.join(", ")),
    };
    let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(list);
    EngineError::NoSuchName { what, name: name.to_owned(), help }
}

/// How many names are listed; the rest are only counted.
const NAMES: usize = 10;

/// Joins names for a sentence.
pub(in crate::engine) fn shortened(names: &[&str]) -> String {
    match names.len().checked_sub(NAMES) {
        None | Some(0) => names.join(", "),
        Some(more) => format!(
            "{} and {more} more",
            names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ")
        ),
    }
}
