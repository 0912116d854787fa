//! The tokens of a possibly unfinished text, for completion and the prompt, which cannot use the
//! parser.

use std::ops::Range;

/// A token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    /// Its bytes in the text.
    pub(crate) range: Range<usize>,
}

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A name, a number or a keyword.
    Word,
    /// A string with its quotes.
    String {
        /// Whether it has its closing quotes.
        closed: bool,
        /// Whether it is triple-quoted and may span lines.
        long: bool,
    },
    /// An opening bracket.
    Open,
    /// A closing bracket.
    Close,
    Comma,
    Dot,
    Colon,
    /// `=` alone, not as a part of another operator.
    Equals,
    Newline,
    Comment,
    /// A backslash at the end of a line, which continues it.
    Joint,
    /// Anything else.
    Other,
}

impl Token {
    /// Its text.
    pub(crate) fn text<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.range.clone()).unwrap_or_default()
    }
}

/// The tokens of a text, without spaces.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let begin = at;
        at += 1;
        let kind = match byte {
            b' ' | b'\t' | b'\r' => continue,
            b'\n' => TokenKind::Newline,
            b'#' => {
                at = skip(bytes, at, |byte| byte != b'\n');
                TokenKind::Comment
            }
            b'"' | b'\'' => string(bytes, &mut at, byte),
            b'\\' => TokenKind::Joint,
            b'(' | b'[' | b'{' => TokenKind::Open,
            b')' | b']' | b'}' => TokenKind::Close,
            b',' => TokenKind::Comma,
            b'.' => TokenKind::Dot,
            b':' => TokenKind::Colon,
            b'=' if bytes.get(at) != Some(&b'=')
                && !tokens.last().is_some_and(|last| modifies(last, begin)) =>
            {
                TokenKind::Equals
            }
            byte if is_word(byte) => {
                at = skip(bytes, at, is_word);
                TokenKind::Word
            }
            _ => TokenKind::Other,
        };
        // letters before a string are its prefix
        let mut token = Token { kind, range: begin..at };
        if let (TokenKind::String { .. }, Some(last)) = (kind, tokens.last())
            && last.range.end == begin
            && matches!(last.text(text), "r" | "f" | "b" | "rb" | "br" | "fr" | "rf")
        {
            token.range.start = last.range.start;
            tokens.pop();
        }
        tokens.push(token);
    }
    tokens
}

/// Whether the `=` at a position belongs to the operator before it: `==`, `+=`, `!=`.
fn modifies(last: &Token, at: usize) -> bool {
    matches!(last.kind, TokenKind::Other | TokenKind::Equals) && last.range.end == at
}

fn skip(bytes: &[u8], mut at: usize, wanted: impl Fn(u8) -> bool) -> usize {
    while bytes.get(at).copied().is_some_and(&wanted) {
        at += 1;
    }
    at
}

/// Skips a string; `at` is after its first quote.
fn string(bytes: &[u8], at: &mut usize, quote: u8) -> TokenKind {
    let long = bytes.get(*at) == Some(&quote) && bytes.get(*at + 1) == Some(&quote);
    *at += if long { 2 } else { 0 };
    while let Some(byte) = bytes.get(*at).copied() {
        match byte {
            b'\\' => *at = (*at + 2).min(bytes.len()),
            b'\n' if !long => return TokenKind::String { closed: false, long },
            _ if long && bytes[*at..].starts_with(&[quote; 3]) => {
                *at += 3;
                return TokenKind::String { closed: true, long };
            }
            byte if !long && byte == quote => {
                *at += 1;
                return TokenKind::String { closed: true, long };
            }
            _ => *at += 1,
        }
    }
    TokenKind::String { closed: false, long }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::{TokenKind, tokens};

    #[test]
    fn a_text_in_pieces() {
        let text = "x.y(\"a#\", b = r'\\'') # c\nif a == b:\n '''d\n";
        let shown: Vec<_> = tokens(text).iter().map(|token| token.text(text)).collect();
        let expected = [
            "x", ".", "y", "(", "\"a#\"", ",", "b", "=", "r'\\''", ")", "# c", "\n", "if", "a",
            "=", "=", "b", ":", "\n", "'''d\n",
        ];
        assert_eq!(shown, expected);
        let kinds: Vec<_> = tokens(text).iter().map(|token| token.kind).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == TokenKind::Equals).count(), 1);
        assert_eq!(kinds.last(), Some(&TokenKind::String { closed: false, long: true }));
    }
}
