//! The reference of functions that declare things, of those that open a scope, and of `secret`.

use super::entry::DocEntry;
use crate::project::star::function::HostFunction;
use crate::project::star::functions::{scopes, secret, specs};

/// All of them.
pub(crate) fn declarations() -> Vec<DocEntry> {
    functions().iter().map(|function| DocEntry::of_signature(&function.signature)).collect()
}

fn functions() -> Vec<HostFunction> {
    specs().into_iter().chain(scopes()).chain([secret(std::iter::empty())]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::entry::text;
    use super::*;

    #[test]
    fn every_function_and_every_parameter_is_documented() {
        for entry in &declarations() {
            assert!(!entry.summary().is_empty(), "{entry:?}");
            for (name, _, takes, doc) in entry.parameters() {
                assert!(!doc.is_empty() && !takes.is_empty(), "{}: {name}", entry.name);
            }
        }
    }

    #[test]
    fn a_group_reads_as_it_is_written() {
        let group = declarations().into_iter().find(|entry| entry.name == "group_spec").unwrap();
        let text = text(&group);
        assert!(text.starts_with("group_spec(name, ...)\n"), "{text}");
        assert!(
            text.contains("  phases: a dict of functions by the names of their phases\n"),
            "{text}"
        );
        assert!(!text.contains("Every action also takes"), "{text}");
    }
}
