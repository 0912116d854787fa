//! Tells whether an input needs more lines.

use crate::project::star::tokens::{Token, TokenKind, tokens};

/// What an input still needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// Nothing.
    Whole,
    /// More must come: a bracket or a string is open, or a block has not begun.
    Open,
    /// A block has begun and may continue.
    Block,
}

/// What a text still needs, judged by its brackets, strings and blocks.
pub(crate) fn unfinished(text: &str) -> Unfinished {
    let all = tokens(text);
    let mut depth = 0usize;
    // whether a line of code begins here, and whether the last line of code was indented
    let (mut begins, mut indented) = (true, false);
    let mut last: Option<&Token> = None;
    for token in &all {
        match token.kind {
            TokenKind::Comment => continue,
            TokenKind::Newline => {
                begins =
                    begins || (depth == 0 && last.is_none_or(|last| last.kind != TokenKind::Joint));
                continue;
            }
            // a short string that is still open at the end of its line is an error; more lines
            // cannot fix it
            TokenKind::String { closed: false, long: false } => return Unfinished::Whole,
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if std::mem::take(&mut begins) {
            // a space before the first line keeps it out of the history and is no indentation
            indented = last.is_some() && text[..token.range.start].ends_with([' ', '\t']);
        }
        last = Some(token);
    }
    let Some(last) = last else { return Unfinished::Whole };
    let open = depth > 0
        || match last.kind {
            TokenKind::String { closed, .. } => !closed,
            TokenKind::Joint => !text.ends_with("\n\n"),
            TokenKind::Colon => true,
            _ => false,
        };
    match (open, indented) {
        (true, _) => Unfinished::Open,
        (false, true) => Unfinished::Block,
        (false, false) => Unfinished::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::{Unfinished, unfinished};

    #[test]
    fn what_is_open_goes_on() {
        for open in [
            "f(",
            "x = [1,\n",
            "\"\"\"a\n",
            "def f(x):",
            "def f(x):  # c\n",
            "x = 1 + \\",
            "if x:\n    f(\n",
        ] {
            assert_eq!(unfinished(open), Unfinished::Open, "{open:?}");
        }
        for block in [
            "def f(x):\n    pass",
            "def f(x):\n    pass\n\n    return",
            "if a:\n  b\n\
             # c\n",
        ] {
            assert_eq!(unfinished(block), Unfinished::Block, "{block:?}");
        }
        for whole in [
            "",
            "# c",
            "x",
            " x",
            "f(1)\n",
            "\"a",
            "f(a = \"b)",
            "f(\"a\n",
            ")",
            "def f(x): pass",
            "if a:\n  b\nc",
            "x = (\n  1)",
            "{\"a\": 1}",
        ] {
            assert_eq!(unfinished(whole), Unfinished::Whole, "{whole:?}");
        }
    }
}
