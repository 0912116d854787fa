//! What could stand where somebody writes.

use std::collections::BTreeMap;

use lsp_types::CompletionItemKind;

use super::hover::{line_of, own, show};
use super::names::{Meaning, Reference, file_name, namespace};
use super::position::path_at;
use super::text::{Around, Bracket};
use super::workspace::Workspace;
use crate::output::reference::{Entry, markdown, options};
use crate::project::{ATTRIBUTES, MAIN, OS_ATTRIBUTES, Outline, TARGET_ATTRIBUTES, What};

/// Something that could stand at a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// What is shown.
    pub(super) label: String,
    /// What is written.
    pub(super) insert: String,
    pub(super) kind: CompletionItemKind,
    /// One line about it.
    pub(super) detail: String,
    /// Its documentation, in Markdown.
    pub(super) doc: Option<String>,
}

/// The words of the language.
const KEYWORDS: &[&str] = &[
    "and", "break", "continue", "def", "elif", "else", "for", "if", "in", "lambda", "load", "not", "or", "pass", "return", "True", "False",
    "None",
];

/// What could stand at a byte of a file, and the byte where what is written of it begins.
pub(super) fn complete(reference: &Reference, workspace: &Workspace, file: &str, text: &str, at: usize) -> (usize, Vec<Candidate>) {
    let around = Around::of(text, at);
    if around.comment {
        return (at, Vec::new());
    }
    if let Some(start) = around.string {
        let load = around.open.last().filter(|bracket| bracket.callee == ["load"]);
        return (start, load.map(|load| loadable(workspace, file, text, load, start)).unwrap_or_default());
    }
    let begun = path_at(&text[..at], at);
    let start = begun.as_ref().map_or(at, |path| path.start);
    let line = seen_from(text, at, workspace.outline(file));
    match begun.as_ref().map(|path| path.names.as_slice()) {
        Some([object @ .., _]) if !object.is_empty() => (start, attributes(reference, workspace, file, line, object)),
        // behind a number or a call's result
        None if text[..at].ends_with(|last: char| last == '.' || last.is_ascii_alphanumeric()) => (at, Vec::new()),
        _ => {
            let mut found = around.call().map(|call| keywords(reference, workspace, file, line, text, call, start)).unwrap_or_default();
            found.extend(names(reference, workspace, file, line));
            (start, found)
        }
    }
}

/// The line whose names can be seen: in a function that grew since it could be parsed last, the line that it begins with.
fn seen_from(text: &str, at: usize, outline: Option<&Outline>) -> u32 {
    let line = line_of(text, at);
    let is_inside = |line| outline.is_some_and(|outline| outline.is_in_function(line));
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    if is_inside(line) || !text[start..].starts_with([' ', '\t']) {
        return line;
    }
    let above = text[..start].lines().rev().position(|line| !line.is_empty() && !line.starts_with([' ', '\t', ')', ']', '}', '#']));
    above.and_then(|above| u32::try_from(above).ok()).map_or(line, |above| line.saturating_sub(above + 1))
}

/// The attributes of an object.
fn attributes(reference: &Reference, workspace: &Workspace, file: &str, line: u32, object: &[String]) -> Vec<Candidate> {
    let plain = |names: &[&str]| {
        let one = |name: &&str| Candidate::new(name, CompletionItemKind::FIELD, String::new(), None);
        names.iter().map(one).collect()
    };
    let words: Vec<&str> = object.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["request"] => return plain(ATTRIBUTES),
        ["request", "target"] => return plain(TARGET_ATTRIBUTES),
        ["request", "target", "os"] => return plain(OS_ATTRIBUTES),
        _ => {}
    }
    let Some(Meaning::Crate(manifest)) = reference.meaning(workspace, file, line, object) else { return Vec::new() };
    let functions = manifest.functions.iter().map(|function| (function.name.as_str(), Entry::of_function(&manifest.name, function)));
    functions.map(|(name, entry)| Candidate::entry(name, &entry)).collect()
}

/// The keywords that a call takes and does not have yet.
fn keywords(
    reference: &Reference,
    workspace: &Workspace,
    file: &str,
    line: u32,
    text: &str,
    call: &Bracket,
    start: usize,
) -> Vec<Candidate> {
    let given = &text[call.start..start];
    // an argument begins here, and no value
    if !matches!(given.trim_end().chars().last(), None | Some(',')) {
        return Vec::new();
    }
    let parameters: Vec<(String, String)> = match reference.meaning(workspace, file, line, &call.callee) {
        Some(Meaning::Entry(entry)) => {
            let of_actions = if entry.is_action() { options() } else { Vec::new() };
            let all = entry.parameters().into_iter().chain(of_actions);
            all.map(|(name, _, takes, doc)| (name, format!("{takes}. {doc}"))).collect()
        }
        Some(Meaning::Own { definition, .. }) => match definition.what {
            What::Function { parameters, .. } => parameters.into_iter().skip(1).map(|name| (name, String::new())).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let is_given = |name: &str| {
        given.match_indices(name).any(|(at, _)| {
            let before = given[..at].chars().next_back().is_none_or(|last| !last.is_alphanumeric() && last != '_');
            before && given[at + name.len()..].trim_start().starts_with('=')
        })
    };
    let left = parameters.into_iter().filter(|(name, _)| !is_given(name));
    let candidate = |(name, doc): (String, String)| Candidate {
        insert: format!("{name} = "),
        ..Candidate::new(&name, CompletionItemKind::PROPERTY, String::new(), Some(doc).filter(|doc| !doc.is_empty()))
    };
    left.map(candidate).collect()
}

/// The names that can be seen in a line, each once.
fn names(reference: &Reference, workspace: &Workspace, file: &str, line: u32) -> Vec<Candidate> {
    let mut found: BTreeMap<&str, Candidate> = BTreeMap::new();
    for definition in workspace.outline(file).into_iter().flat_map(|outline| outline.visible(line)) {
        let meaning = reference.meaning(workspace, file, line, std::slice::from_ref(&definition.name));
        let candidate = match &meaning {
            Some(Meaning::Entry(entry)) => Candidate::entry(&definition.name, entry),
            Some(Meaning::Crate(_)) => {
                Candidate::new(&definition.name, CompletionItemKind::MODULE, String::new(), meaning.as_ref().and_then(show))
            }
            _ => {
                let (kind, detail) = match &definition.what {
                    What::Function { call, .. } => (CompletionItemKind::FUNCTION, call.clone()),
                    _ => (CompletionItemKind::VARIABLE, String::new()),
                };
                Candidate::new(&definition.name, kind, detail, own(file, definition))
            }
        };
        found.entry(&definition.name).or_insert(candidate);
    }
    for (name, entry) in &reference.entries {
        found.entry(name).or_insert_with(|| Candidate::entry(name, entry));
    }
    for (name, doc) in &reference.builtins {
        found
            .entry(name)
            .or_insert_with(|| Candidate::new(name, CompletionItemKind::FUNCTION, "of Starlark".to_owned(), Some(doc.clone())));
    }
    for name in KEYWORDS {
        found.entry(name).or_insert_with(|| Candidate::new(name, CompletionItemKind::KEYWORD, String::new(), None));
    }
    found.into_values().collect()
}

/// What the string of a load statement may say: a crate or a file, and behind that its names.
fn loadable(workspace: &Workspace, file: &str, text: &str, load: &Bracket, start: usize) -> Vec<Candidate> {
    let before = &text[load.start..start];
    let plain = |name: &str, kind| Candidate::new(name, kind, String::new(), None);
    let Some(module) = first_string(before) else {
        let about = |name: &str| workspace.manifest(name).map(|manifest| manifest.about).unwrap_or_default();
        let crates =
            workspace.crates().into_iter().map(|name| Candidate::new(&format!("@{name}"), CompletionItemKind::MODULE, about(&name), None));
        let files = workspace.files().filter(|name| *name != MAIN && *name != file).map(|name| plain(name, CompletionItemKind::FILE));
        return crates.chain(files).collect();
    };
    match module.strip_prefix('@') {
        Some(config_crate) => {
            let Some(manifest) = workspace.manifest(config_crate) else { return Vec::new() };
            let whole = namespace(&manifest);
            let functions = manifest.functions.iter().map(|function| {
                let entry = Entry::of_function(&manifest.name, function);
                Candidate::entry(&function.name, &entry)
            });
            let mut found: Vec<Candidate> = functions.collect();
            if !found.iter().any(|one| one.label == whole) {
                found.insert(0, Candidate::new(&whole, CompletionItemKind::MODULE, manifest.about.clone(), None));
            }
            found
        }
        None => {
            let outline = workspace.outline(&file_name(module));
            let names = outline.into_iter().flat_map(|outline| outline.exported());
            names.map(|name| plain(name, CompletionItemKind::VARIABLE)).collect()
        }
    }
}

/// The first string that is whole in a text.
fn first_string(text: &str) -> Option<&str> {
    let start = text.find(['"', '\''])?;
    let quote = text[start..].chars().next()?;
    let rest = &text[start + 1..];
    rest.find(quote).map(|end| &rest[..end])
}

impl Candidate {
    fn new(name: &str, kind: CompletionItemKind, detail: String, doc: Option<String>) -> Self {
        Candidate { label: name.to_owned(), insert: name.to_owned(), kind, detail, doc }
    }

    fn entry(name: &str, entry: &Entry) -> Self {
        Self::new(name, CompletionItemKind::FUNCTION, entry.summary(), Some(markdown(entry)))
    }
}
