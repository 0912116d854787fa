//! Finds the call around a position of a text, and the name at it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::scope::{CompletionScope, Name};
use crate::project::star::signature::{Parameter, Signature};
use crate::project::star::tokens::{Token, TokenKind, tokens};

/// The call around a position.
#[derive(Debug, Clone)]
pub(crate) struct CallAt {
    /// The name of the function, including dots.
    pub(crate) function: String,
    pub(crate) signature: Option<Arc<Signature>>,
    /// Number of positional arguments before the position.
    pub(crate) positional: usize,
    /// The keywords that the call already has.
    pub(crate) keywords: BTreeSet<String>,
    /// The keyword of the argument at the position.
    pub(crate) keyword: Option<String>,
    /// Whether the argument at the position has nothing but the current word.
    pub(super) begins: bool,
}

impl CallAt {
    /// The parameter of the argument at the position.
    pub(crate) fn parameter(&self) -> Option<&Parameter> {
        let parameters = &self.signature.as_ref()?.parameters;
        match &self.keyword {
            Some(keyword) => parameters.iter().find(|parameter| parameter.name == *keyword),
            None => parameters.iter().filter(|parameter| parameter.positional).nth(self.positional),
        }
    }
}

/// The innermost call around a position.
pub(crate) fn call_at(text: &str, at: usize, scope: &CompletionScope) -> Option<CallAt> {
    let before = text.get(..at).unwrap_or(text);
    call(before, &significant(&tokens(before)), scope)
}

/// The bytes of the dotted name at a position (`nginx.site`), the name, and its meaning.
pub(crate) fn name_at<'a>(
    text: &str,
    at: usize,
    scope: &'a CompletionScope,
) -> Option<(Range<usize>, String, Option<&'a Name>)> {
    let all = tokens(text);
    let index = all.iter().position(|token| {
        token.kind == TokenKind::Word && token.range.start <= at && at <= token.range.end
    })?;
    let (path, begin) = path_before(text, &all[..=index]);
    let name = path.join(".");
    Some((begin..all[index].range.end, name, lookup(scope, &path)))
}

/// The innermost call that is still open after these tokens.
pub(super) fn call(text: &str, tokens: &[Token], scope: &CompletionScope) -> Option<CallAt> {
    let mut depth = 0;
    let mut nested = false;
    for (index, token) in tokens.iter().enumerate().rev() {
        match token.kind {
            TokenKind::Close => depth += 1,
            TokenKind::Open if depth > 0 => depth -= 1,
            TokenKind::Open
                if token.text(text) == "("
                    && index > 0
                    && tokens[index - 1].kind == TokenKind::Word =>
            {
                let (path, _) = path_before(text, &tokens[..index]);
                let signature = lookup(scope, &path).and_then(|name| name.signature.clone());
                return Some(arguments_before(
                    text,
                    &tokens[index + 1..],
                    path.join("."),
                    signature,
                    nested,
                ));
            }
            // an argument can be a list or dict; the parameter still tells what its items are
            TokenKind::Open => nested = true,
            _ => {}
        }
    }
    None
}

fn arguments_before(
    text: &str,
    tokens: &[Token],
    function: String,
    signature: Option<Arc<Signature>>,
    nested: bool,
) -> CallAt {
    let mut found = CallAt {
        function,
        signature,
        positional: 0,
        keywords: BTreeSet::new(),
        keyword: None,
        begins: !nested,
    };
    let (mut depth, mut lambda) = (0, false);
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth -= 1,
            TokenKind::Word if depth == 0 && token.text(text) == "lambda" => lambda = true,
            TokenKind::Colon if depth == 0 => lambda = false,
            TokenKind::Equals if depth == 0 && !lambda && index > 0 => {
                let keyword = tokens[index - 1].text(text).to_owned();
                found.keywords.insert(keyword.clone());
                found.keyword = Some(keyword);
                found.begins = !nested;
                continue;
            }
            TokenKind::Comma if depth == 0 && !lambda => {
                found.positional += usize::from(found.keyword.is_none());
                found.keyword = None;
                found.begins = !nested;
                continue;
            }
            _ => {}
        }
        found.begins = false;
    }
    found
}

/// The dotted name at the end of these tokens, and its start.
pub(super) fn path_before(text: &str, tokens: &[Token]) -> (Vec<String>, usize) {
    let (mut path, mut begin) = (Vec::new(), tokens.last().map_or(0, |last| last.range.end));
    let mut rest = tokens;
    while let Some((word, before)) =
        rest.split_last().filter(|(word, _)| word.kind == TokenKind::Word)
    {
        path.insert(0, word.text(text).to_owned());
        begin = word.range.start;
        match before.split_last() {
            Some((dot, before)) if dot.kind == TokenKind::Dot => rest = before,
            _ => return (path, begin),
        }
    }
    // an expression before the dot: nothing is known about it
    (Vec::new(), begin)
}

pub(super) fn lookup<'a>(scope: &'a CompletionScope, path: &[String]) -> Option<&'a Name> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(scope.names.get(first)?, |name, attribute| name.attributes.get(attribute))
}

/// The tokens without newlines, comments and line continuations.
pub(super) fn significant(tokens: &[Token]) -> Vec<Token> {
    let significant = |token: &&Token| {
        !matches!(token.kind, TokenKind::Newline | TokenKind::Comment | TokenKind::Joint)
    };
    tokens.iter().filter(significant).cloned().collect()
}
