//! Go to definition.

use super::hover::{column_of, line_of};
use super::names::{Meaning, NameIndex};
use super::position::path_at;
use super::workspace::Workspace;
use crate::diagnostic::SourceSpan;
use crate::project::file_name;

/// The file and the place that define the name at a byte of a file. Without a place, it is the file
/// as a whole.
pub(super) fn definition(
    reference: &NameIndex,
    workspace: &Workspace,
    file: &str,
    text: &str,
    at: usize,
) -> Option<(String, Option<SourceSpan>)> {
    let line = line_of(text, at);
    let outline = workspace.outline(file)?;
    if let Some(load) = outline.load_at(line, column_of(text, at)) {
        let there = file_name(&load.module);
        let place = match (load.module.starts_with('@'), &load.name) {
            (true, _) => return None,
            (false, None) => None,
            (false, Some(name)) => Some(workspace.outline(&there)?.top(name)?.place.clone()),
        };
        return Some((there, place));
    }
    let path = path_at(text, at)?;
    if let Meaning::Own { file, definition } =
        reference.meaning(workspace, file, line, &path.names)?
    {
        return Some((file, Some(definition.place)));
    }
    // a crate has no source text; the load statement is the nearest place
    let loaded = outline.find(path.names.first()?, line)?;
    Some((file.to_owned(), Some(loaded.place.clone())))
}
