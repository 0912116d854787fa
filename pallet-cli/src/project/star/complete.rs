//! Completion: what can be inserted at a position of a text, based on the text and the known names.

mod call;
mod scope;

use std::collections::BTreeSet;
use std::ops::Range;

use super::request::ATTRIBUTES;
use super::target::{OS_ATTRIBUTES, TARGET_ATTRIBUTES, names};
use super::tokens::{Token, TokenKind, tokens};
use super::types::Kind;
use crate::project::schema::Schema;

use call::{call, lookup, path_before, significant};

pub(crate) use call::{CallAt, call_at, name_at};
pub(crate) use scope::{CompletionScope, Name};

/// A completion candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The text to insert.
    pub(crate) text: String,
    pub(crate) kind: CandidateKind,
    /// A short description; may be empty.
    pub(crate) about: String,
}

/// The kind of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CandidateKind {
    /// A keyword argument: `content = `.
    Parameter,
    /// A value of a parameter, or a name in a string.
    Value,
    /// An attribute, after a dot.
    Attribute,
    Function,
    Variable,
    /// A keyword of the language.
    Keyword,
}

/// The candidates at a position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Completion {
    /// The start of the word before the position, which a candidate replaces.
    pub(crate) from: usize,
    pub(crate) candidates: Vec<Candidate>,
}

const KEYWORDS: &[&str] = &[
    "and", "break", "continue", "def", "elif", "else", "for", "if", "in", "lambda", "load", "not",
    "or", "pass", "return",
];
const CONSTANTS: &[&str] = &["False", "None", "True"];

/// The candidates at a position, in bytes.
pub(crate) fn complete(text: &str, at: usize, scope: &CompletionScope) -> Completion {
    let before = text.get(..at).unwrap_or(text);
    let all = tokens(before);
    let (last, rest) = match all.split_last() {
        Some((last, rest)) => (Some(last), rest),
        None => (None, [].as_slice()),
    };
    match last {
        Some(token) if token.kind == TokenKind::Comment => {
            Completion { from: before.len(), candidates: Vec::new() }
        }
        Some(Token { kind: TokenKind::String { closed: false, .. }, range }) => {
            in_string(before, range, rest, scope)
        }
        Some(word) if word.kind == TokenKind::Word && word.range.end == before.len() => {
            at_word(before, word.range.clone(), rest, scope)
        }
        _ => at_word(before, before.len()..before.len(), &all, scope),
    }
}

fn at_word(
    text: &str,
    word: Range<usize>,
    before: &[Token],
    scope: &CompletionScope,
) -> Completion {
    let prefix = &text[word.clone()];
    let mut candidates = Vec::new();
    if before.last().is_some_and(|last| last.kind == TokenKind::Dot) {
        let (path, _) = path_before(text, &before[..before.len() - 1]);
        if let Some(name) = lookup(scope, &path) {
            candidates.extend(
                name.attributes
                    .iter()
                    .map(|(name, what)| named(name, what, CandidateKind::Attribute)),
            );
        } else if path.first().is_some_and(|first| first == "request") {
            candidates.extend(
                request_attributes(&path[1..])
                    .into_iter()
                    .map(|name| plain(name, CandidateKind::Attribute)),
            );
        }
        return chosen(word.start, prefix, candidates);
    }
    let tokens = significant(before);
    let found = call(text, &tokens, scope);
    if let Some(found) = &found {
        candidates.extend(arguments(found));
    }
    for (name, what) in &scope.names {
        candidates.push(named(
            name,
            what,
            if what.signature.is_some() {
                CandidateKind::Function
            } else {
                CandidateKind::Variable
            },
        ));
    }
    let bound = bound_names(text, before);
    candidates.extend(
        bound
            .iter()
            .filter(|name| !scope.names.contains_key(**name))
            .map(|name| plain(name, CandidateKind::Variable)),
    );
    candidates
        .extend(CONSTANTS.iter().chain(KEYWORDS).map(|word| plain(word, CandidateKind::Keyword)));
    // before anything is typed, a call's own parameters are the most useful
    if prefix.is_empty() && found.is_some_and(|found| found.begins) {
        candidates.retain(|candidate| candidate.kind <= CandidateKind::Value);
    }
    chosen(word.start, prefix, candidates)
}

/// The unused keywords of a call, and the allowed values of the current parameter.
fn arguments(found: &CallAt) -> Vec<Candidate> {
    let Some(signature) = &found.signature else { return Vec::new() };
    let mut candidates = Vec::new();
    if found.keyword.is_none() && found.begins {
        let by_position = signature
            .parameters
            .iter()
            .filter(|parameter| parameter.positional)
            .take(found.positional);
        let taken: BTreeSet<&str> = by_position.map(|parameter| parameter.name.as_str()).collect();
        let open = signature.parameters.iter().filter(|one| {
            !taken.contains(one.name.as_str()) && !found.keywords.contains(&one.name)
        });
        candidates.extend(open.filter(|one| one.kind != Kind::Request).map(|one| Candidate {
            text: format!("{} = ", one.name),
            kind: CandidateKind::Parameter,
            about: one.kind.expected(&signature.root),
        }));
    }
    if found.keyword.is_some() && found.begins {
        candidates.extend(
            choices(found).iter().map(|choice| plain(&format!("{choice:?}"), CandidateKind::Value)),
        );
    }
    candidates
}

/// The strings that the current parameter allows.
fn choices(found: &CallAt) -> Vec<String> {
    let (Some(signature), Some(parameter)) = (&found.signature, found.parameter()) else {
        return Vec::new();
    };
    let Kind::Data(node) = &parameter.kind else { return Vec::new() };
    let choices = Schema::new(&signature.root).part(node).choices().unwrap_or_default();
    choices.into_iter().filter_map(|choice| choice.as_str().map(str::to_owned)).collect()
}

fn in_string(
    text: &str,
    string: &Range<usize>,
    before: &[Token],
    scope: &CompletionScope,
) -> Completion {
    let written = &text[string.clone()];
    let quotes = written.find(['"', '\'']).map_or(0, |letters| {
        letters + written[letters..].chars().take_while(|c| matches!(c, '"' | '\'')).count()
    });
    let (from, prefix) = (string.start + quotes, &written[quotes..]);
    let tokens = significant(before);
    let Some(found) = call(text, &tokens, scope) else {
        return Completion { from, candidates: Vec::new() };
    };
    let mut words: Vec<String> = Vec::new();
    if found.function == "load" && found.positional == 0 {
        words.extend(scope.crates.iter().map(|name| format!("@{name}")));
    }
    match found.parameter().map(|parameter| (&parameter.kind, parameter.name.as_str())) {
        Some((Kind::Targets, _)) => words.extend(scope.groups.iter().chain(&scope.nodes).cloned()),
        Some((Kind::Counts, _)) => words.extend(scope.groups.iter().cloned()),
        Some((Kind::PhaseChoices, _)) | Some((_, "default_phases")) => {
            words.extend(scope.phases.iter().cloned())
        }
        Some((Kind::Service, _)) => words.extend(scope.services.iter().cloned()),
        Some((Kind::Any(_), "x")) => {
            words.extend(scope.crates.iter().chain(scope.names.keys()).cloned())
        }
        _ => words.extend(choices(&found)),
    }
    words.dedup();
    chosen(from, prefix, words.iter().map(|word| plain(word, CandidateKind::Value)).collect())
}

fn request_attributes(path: &[String]) -> Vec<&'static str> {
    match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => ATTRIBUTES.to_vec(),
        ["target"] => names(TARGET_ATTRIBUTES),
        ["target", "os"] => names(OS_ATTRIBUTES),
        _ => Vec::new(),
    }
}

/// The names that the text binds before the position: functions, parameters and variables.
fn bound_names<'a>(text: &'a str, tokens: &[Token]) -> BTreeSet<&'a str> {
    let words = |index: usize| {
        tokens
            .get(index)
            .filter(|token| token.kind == TokenKind::Word)
            .map(|token| token.text(text))
    };
    let mut names = BTreeSet::new();
    let mut parameters = false;
    for index in 0..tokens.len() {
        match tokens[index].kind {
            TokenKind::Colon => parameters = false,
            TokenKind::Word => match tokens[index].text(text) {
                "def" => {
                    names.extend(words(index + 1));
                    parameters = true;
                }
                "for" => names.extend(words(index + 1)),
                "lambda" => parameters = true,
                word => {
                    let begins = index == 0 || tokens[index - 1].kind == TokenKind::Newline;
                    let assigned = begins
                        && tokens.get(index + 1).is_some_and(|next| next.kind == TokenKind::Equals);
                    if assigned || parameters {
                        names.insert(word);
                    }
                }
            },
            _ => {}
        }
    }
    names.retain(|name| {
        !CONSTANTS.contains(name)
            && name.starts_with(|first: char| first.is_alphabetic() || first == '_')
    });
    names
}

fn chosen(from: usize, prefix: &str, mut candidates: Vec<Candidate>) -> Completion {
    // names with _ are private to their file; offer them only if `_` was typed
    candidates.retain(|one| {
        one.text.starts_with(prefix) && (!one.text.starts_with('_') || prefix.starts_with('_'))
    });
    candidates.sort_by(|one, other| (one.kind, &one.text).cmp(&(other.kind, &other.text)));
    Completion { from, candidates }
}

fn named(name: &str, what: &Name, kind: CandidateKind) -> Candidate {
    Candidate { text: name.to_owned(), kind, about: what.about.clone() }
}

fn plain(text: &str, kind: CandidateKind) -> Candidate {
    Candidate { text: text.to_owned(), kind, about: String::new() }
}

/// Whether a word is a keyword or constant of the language.
pub(crate) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word) || CONSTANTS.contains(&word)
}

#[cfg(test)]
mod tests;
