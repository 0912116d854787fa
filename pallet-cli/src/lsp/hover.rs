//! Hover: the documentation of the name under the cursor.

use std::fmt::Write;
use std::ops::Range;

use pallet_core::model::Manifest;

use super::names::{Meaning, NameIndex};
use super::position::{NamePath, path_at};
use super::workspace::Workspace;
use crate::project::complete::{CompletionScope, call_at};
use crate::project::tokens::{TokenKind, tokens};
use crate::project::{Definition, DefinitionKind};
use crate::reference::{DocEntry, markdown, options};

/// The documentation of the name at a byte of a file, in Markdown, and the bytes of that name.
pub(super) fn hover(
    reference: &NameIndex,
    workspace: &Workspace,
    file: &str,
    text: &str,
    at: usize,
) -> Option<(String, Range<usize>)> {
    let line = line_of(text, at);
    let token =
        tokens(text).into_iter().find(|token| token.range.start <= at && at < token.range.end);
    if let Some(token) =
        token.filter(|token| matches!(token.kind, TokenKind::Comment | TokenKind::String { .. }))
    {
        let load = workspace.outline(file)?.load_at(line, column_of(text, at))?;
        let name = load.name.as_ref().map(|name| vec![name.clone()]);
        let found = match (load.module.strip_prefix('@'), name) {
            (Some(config_crate), None) => about(&workspace.manifest(config_crate)?),
            (_, Some(names)) => show(&reference.meaning(workspace, file, line, &names)?)?,
            (None, None) => return None,
        };
        return Some((found, token.range));
    }
    let path = path_at(text, at)?;
    let found = match keyword(reference, workspace, file, text, &path) {
        Some(found) => found,
        None => show(&reference.meaning(workspace, file, line, &path.names)?)?,
    };
    Some((found, path.start..path.end))
}

/// The documentation of a meaning.
pub(super) fn show(meaning: &Meaning) -> Option<String> {
    match meaning {
        Meaning::DocEntry(entry) => Some(markdown(entry)),
        Meaning::Crate(manifest) => Some(about(manifest)),
        Meaning::Own { file, definition } => own(file, definition),
        Meaning::Builtin(text) => Some(text.clone()),
    }
}

/// The documentation of a definition in the project.
pub(super) fn own(file: &str, definition: &Definition) -> Option<String> {
    match &definition.what {
        DefinitionKind::Function { call, doc, .. } => {
            Some(format!("```python\ndef {call}\n```\n\n{}\n", doc.as_deref().unwrap_or_default()))
        }
        DefinitionKind::Variable => Some(format!(
            "```python\n{}\n```\n\n{file}, line {}\n",
            definition.place.excerpt.trim(),
            definition.place.line
        )),
        DefinitionKind::Parameter if definition.name == "request" => Some(
            "The request: the node that is configured, its environment and settings, and its plan \
             so far.\n"
                .to_owned(),
        ),
        DefinitionKind::Parameter | DefinitionKind::Loaded { .. } => None,
    }
}

/// The description of a crate, and its functions.
fn about(manifest: &Manifest) -> String {
    let mut out = format!("**crate {} {}**: {}\n", manifest.name, manifest.version, manifest.about);
    for (number, function) in manifest.functions.iter().enumerate() {
        let entry = DocEntry::of_function(&manifest.name, function);
        let gap = if number == 0 { "\n" } else { "" };
        let _ = writeln!(out, "{gap}- `{}`: {}", entry.call(), entry.summary());
    }
    out
}

/// The documentation of a parameter, if the name is the keyword of one.
fn keyword(
    reference: &NameIndex,
    workspace: &Workspace,
    file: &str,
    text: &str,
    path: &NamePath,
) -> Option<String> {
    let rest = text[path.end..].trim_start().strip_prefix('=')?;
    let [name] = path.names.as_slice() else { return None };
    if rest.starts_with('=') {
        return None;
    }
    let call = call_at(text, path.start, &CompletionScope::default())?;
    let callee: Vec<String> = call.function.split('.').map(str::to_owned).collect();
    let Meaning::DocEntry(entry) =
        reference.meaning(workspace, file, line_of(text, path.start), &callee)?
    else {
        return None;
    };
    let all = entry.parameters().into_iter().chain(options());
    let (name, required, takes, doc) = all.into_iter().find(|(known, ..)| known == name)?;
    Some(format!(
        "`{name}` of `{}`: {takes}{}\n\n{doc}\n",
        entry.name,
        if required { ", required" } else { "" }
    ))
}

/// The line of a byte, from 1.
pub(super) fn line_of(text: &str, at: usize) -> u32 {
    let line =
        text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1;
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// The column of a byte, from 1, in characters.
pub(super) fn column_of(text: &str, at: usize) -> u32 {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    u32::try_from(line.chars().count() + 1).unwrap_or(u32::MAX)
}
