//! Completion: what can be inserted at the cursor, with its documentation.

use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, MarkupContent,
    MarkupKind, Range, TextEdit,
};

use super::hover::{line_of, show};
use super::names::{Meaning, NameIndex, namespace};
use super::position::position;
use super::workspace::Workspace;
use crate::project::complete::{Candidate, CandidateKind, CompletionScope, call_at, complete};
use crate::project::tokens::{TokenKind, tokens};
use crate::project::{MAIN, file_name};
use crate::reference::{DocEntry, options};

/// The completion items for a byte of a file.
pub(super) fn completion(
    reference: &NameIndex,
    workspace: &Workspace,
    file: &str,
    text: &str,
    at: usize,
) -> Vec<CompletionItem> {
    let line = seen_from(workspace, file, text, at);
    let scope = workspace.analysis.scope(file, line, workspace.crates());
    let mut found = complete(text, at, &scope);
    let call = call_at(text, at, &scope);
    if let Some(call) = call.as_ref().filter(|call| call.function == "load" && in_string(text, at))
    {
        let written = &text[found.from.min(at)..at];
        let loadable = match call.positional {
            0 => files(workspace, file),
            _ => names_of(workspace, text, at),
        };
        found.candidates.extend(loadable.into_iter().filter(|one| one.text.starts_with(written)));
    }
    let replaced = Range::new(position(text, found.from), position(text, at));
    let called = call.and_then(|call| {
        let names: Vec<String> = call.function.split('.').map(str::to_owned).collect();
        reference.meaning(workspace, file, line, &names)
    });
    let object = object_before(text, found.from, &scope);
    let document = |candidate: &Candidate| match (candidate.kind, &called) {
        (CandidateKind::Parameter, Some(Meaning::DocEntry(entry))) => {
            parameter(entry, candidate.text.trim_end_matches(" = "))
        }
        (CandidateKind::Attribute, _) => {
            let names: Vec<String> =
                object.iter().cloned().chain([candidate.text.clone()]).collect();
            show(&reference.meaning(workspace, file, line, &names)?)
        }
        (CandidateKind::Function | CandidateKind::Variable, _) => show(&reference.meaning(
            workspace,
            file,
            line,
            std::slice::from_ref(&candidate.text),
        )?),
        (CandidateKind::Value, _) => {
            workspace.manifest(candidate.text.strip_prefix('@')?).map(|manifest| manifest.about)
        }
        _ => None,
    };
    found
        .candidates
        .iter()
        .enumerate()
        .map(|(number, candidate)| item(candidate, number, document(candidate), replaced))
        .collect()
}

/// The line whose scope applies. If a function has grown since the file last parsed, that is its
/// first line.
fn seen_from(workspace: &Workspace, file: &str, text: &str, at: usize) -> u32 {
    let line = line_of(text, at);
    let is_inside = workspace.outline(file).is_some_and(|outline| outline.is_in_function(line));
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    if is_inside || !text[start..].starts_with([' ', '\t']) {
        return line;
    }
    let above = text[..start]
        .lines()
        .rev()
        .position(|line| !line.is_empty() && !line.starts_with([' ', '\t', ')', ']', '}', '#']));
    above
        .and_then(|above| u32::try_from(above).ok())
        .map_or(line, |above| line.saturating_sub(above + 1))
}

fn in_string(text: &str, at: usize) -> bool {
    tokens(&text[..at])
        .last()
        .is_some_and(|last| matches!(last.kind, TokenKind::String { closed: false, .. }))
}

/// The other files of the project.
fn files(workspace: &Workspace, file: &str) -> Vec<Candidate> {
    let names = workspace.analysis.outlines.keys().filter(|name| *name != MAIN && *name != file);
    names.map(|name| value(name, "a file of the project")).collect()
}

/// The names that can be loaded from the module of the load statement around a byte.
fn names_of(workspace: &Workspace, text: &str, at: usize) -> Vec<Candidate> {
    let before = &text[..at];
    let all = tokens(before);
    let statement = all
        .windows(3)
        .rev()
        .find(|three| three[0].text(before) == "load" && three[1].kind == TokenKind::Open);
    let Some(module) = statement.map(|three| three[2].text(before).trim_matches(['"', '\'']))
    else {
        return Vec::new();
    };
    let Some(config_crate) = module.strip_prefix('@') else {
        let outline = workspace.outline(&file_name(module));
        return outline
            .into_iter()
            .flat_map(|outline| outline.exported())
            .map(|name| value(name, ""))
            .collect();
    };
    let Some(manifest) = workspace.manifest(config_crate) else { return Vec::new() };
    let whole = namespace(&manifest);
    let functions = manifest.functions.iter().map(|function| {
        let entry = DocEntry::of_function(&manifest.name, function);
        value(&function.name, &entry.summary())
    });
    let functions: Vec<Candidate> = functions.collect();
    let whole =
        (!functions.iter().any(|one| one.text == whole)).then(|| value(&whole, &manifest.about));
    whole.into_iter().chain(functions).collect()
}

fn value(text: &str, about: &str) -> Candidate {
    Candidate { text: text.to_owned(), kind: CandidateKind::Value, about: about.to_owned() }
}

/// The names before the dot that precedes a byte.
fn object_before(text: &str, from: usize, scope: &CompletionScope) -> Vec<String> {
    let Some(before) = text[..from].strip_suffix('.') else { return Vec::new() };
    let name = crate::project::complete::name_at(before, before.len(), scope);
    name.map(|(_, name, _)| name.split('.').map(str::to_owned).collect()).unwrap_or_default()
}

fn parameter(entry: &DocEntry, name: &str) -> Option<String> {
    let all = entry.parameters().into_iter().chain(if entry.is_action() {
        options()
    } else {
        Vec::new()
    });
    let (_, required, takes, doc) = all.into_iter().find(|(known, ..)| known == name)?;
    Some(format!("{takes}{}. {doc}", if required { ", required" } else { "" }))
}

fn item(
    candidate: &Candidate,
    number: usize,
    doc: Option<String>,
    replaced: Range,
) -> CompletionItem {
    let kind = match candidate.kind {
        CandidateKind::Parameter => CompletionItemKind::PROPERTY,
        CandidateKind::Value => CompletionItemKind::VALUE,
        CandidateKind::Attribute => CompletionItemKind::FIELD,
        CandidateKind::Function => CompletionItemKind::FUNCTION,
        CandidateKind::Variable => CompletionItemKind::VARIABLE,
        CandidateKind::Keyword => CompletionItemKind::KEYWORD,
    };
    CompletionItem {
        label: candidate.text.trim_end_matches(" = ").to_owned(),
        kind: Some(kind),
        detail: (!candidate.about.is_empty()).then(|| candidate.about.clone()),
        documentation: doc.map(|value| {
            Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })
        }),
        // keeps this order instead of the alphabetical one
        sort_text: Some(format!("{number:05}")),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(replaced, candidate.text.clone()))),
        ..CompletionItem::default()
    }
}
