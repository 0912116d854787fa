//! The documentation of Starlark's builtins, for editors.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use starlark::docs::markdown::render_doc_item_no_link;

use super::language::Language;

/// The builtins of Starlark, with their documentation in Markdown. Computed once.
pub(crate) fn builtins() -> &'static BTreeMap<String, String> {
    static BUILTINS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    BUILTINS.get_or_init(|| {
        let language = Language::new(std::iter::empty());
        let known = language.known();
        let members = language.globals.documentation().members;
        let own = members.into_iter().filter(|(name, _)| !known.contains_key(name.as_str()));
        own.map(|(name, item)| (name.clone(), render_doc_item_no_link(&name, &item))).collect()
    })
}
