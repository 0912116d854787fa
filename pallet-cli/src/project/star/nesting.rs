//! Limits the nesting of the source before it is parsed: everything after the parser is recursive.

use crate::diagnostic::{Diagnostic, SourceSpan};

/// Maximum nesting of brackets and blocks.
const NESTING: usize = 200;

/// Maximum number of operators, calls and branches in a row without a comma or a line end; each is
/// a level of the syntax tree.
const CHAIN: usize = 1000;

/// The operators that are words.
const WORDS: [&[u8]; 8] = [b"and", b"or", b"not", b"in", b"if", b"else", b"for", b"lambda"];

/// Fails if the source is nested too deep. Skips strings and comments.
pub(crate) fn check_nesting(file: &str, text: &str) -> Result<(), Diagnostic> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0, indents: Vec::new(), chains: vec![0] };
    match scan.run() {
        Ok(()) => Ok(()),
        Err(TooDeep { at, what }) => Err(Diagnostic::error(what)
            .at(SourceSpan::of(file, text, at..at + 1))
            .suggest("split it into steps, with names for the parts".to_owned())),
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The blocks around the position: their indentation, and their number of consecutive `elif`.
    indents: Vec<(usize, usize)>,
    /// The number of operators so far, in the line and in each open bracket.
    chains: Vec<usize>,
}

struct TooDeep {
    at: usize,
    what: String,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), TooDeep> {
        self.line()?;
        while let Some(byte) = self.byte() {
            match byte {
                b'#' => self.skip_while(|byte| byte != b'\n'),
                b'"' | b'\'' => self.string(byte),
                b'\\' => self.at += 2,
                b'\n' => {
                    self.at += 1;
                    if let [chain] = self.chains.as_mut_slice() {
                        *chain = 0;
                        self.line()?;
                    }
                }
                b'(' | b'[' | b'{' => {
                    self.link()?;
                    self.chains.push(0);
                    self.check_nesting()?;
                    self.at += 1;
                }
                b')' | b']' | b'}' => {
                    if self.chains.len() > 1 {
                        self.chains.pop();
                    }
                    self.at += 1;
                }
                b',' | b';' => {
                    self.chains.last_mut().map(std::mem::take);
                    self.at += 1;
                }
                byte if is_word(byte) => {
                    let from = self.at;
                    self.skip_while(is_word);
                    if WORDS.contains(&&self.bytes[from..self.at]) {
                        self.link()?;
                    }
                }
                b'+' | b'-' | b'*' | b'/' | b'%' | b'|' | b'&' | b'^' | b'~' | b'<' | b'>'
                | b'=' | b'!' | b'.' => {
                    self.link()?;
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
        Ok(())
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.byte().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    /// Reads the indentation of a line.
    fn line(&mut self) -> Result<(), TooDeep> {
        let from = self.at;
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
        let indent = self.at - from;
        if matches!(self.byte(), None | Some(b'\n' | b'#')) {
            return Ok(());
        }
        let words = &self.bytes[self.at..];
        self.indents.retain(|(known, _)| *known <= indent);
        if self.indents.last().is_none_or(|(known, _)| *known < indent) {
            self.indents.push((indent, 0));
        }
        if let Some((_, branches)) = self.indents.last_mut() {
            *branches = if words.starts_with(b"elif") { *branches + 1 } else { 0 };
        }
        self.check_nesting()?;
        self.check_chain()
    }

    fn link(&mut self) -> Result<(), TooDeep> {
        if let Some(chain) = self.chains.last_mut() {
            *chain += 1;
        }
        self.check_chain()
    }

    fn check_nesting(&self) -> Result<(), TooDeep> {
        // the top level and the line itself are not counted
        if self.indents.len() + self.chains.len() <= NESTING + 2 {
            return Ok(());
        }
        Err(self.too_deep(format!(
            "this is nested too deep: more than {NESTING} levels of brackets and blocks"
        )))
    }

    fn check_chain(&self) -> Result<(), TooDeep> {
        let branches = self.indents.iter().map(|(_, branches)| branches);
        if branches.chain(&self.chains).sum::<usize>() <= CHAIN {
            return Ok(());
        }
        Err(self.too_deep(format!(
            "this expression is too long: more than {CHAIN} operators, calls or branches in a row"
        )))
    }

    fn too_deep(&self, what: String) -> TooDeep {
        TooDeep { at: self.at, what }
    }

    /// Skips a string.
    fn string(&mut self, quote: u8) {
        let three = [quote; 3];
        let long = self.bytes[self.at..].starts_with(&three);
        self.at += if long { 3 } else { 1 };
        while let Some(byte) = self.byte() {
            match byte {
                b'\\' => self.at += 2,
                // the parser reports the unclosed string
                b'\n' if !long => return,
                _ if long && self.bytes[self.at..].starts_with(&three) => {
                    self.at += 3;
                    return;
                }
                byte if !long && byte == quote => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::check_nesting;

    fn deep(text: &str) -> Option<String> {
        let found = check_nesting("pallet.star", text).err()?;
        Some(format!("{}: {}", found.place.as_ref()?, found.message))
    }

    #[test]
    fn what_is_nested_too_deep_is_found_where_it_is() {
        let nested = "pallet.star:1:205: this is nested too deep: more than 200 levels of brackets \
            and blocks";
        assert_eq!(
            deep(&format!("x = {}1{}", "(".repeat(20_000), ")".repeat(20_000))).as_deref(),
            Some(nested)
        );
        assert_eq!(deep(&format!("x = {}1{}", "[".repeat(200), "]".repeat(200))), None);
        let blocks: String =
            (0..300).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        let nested = "pallet.star:202:202: this is nested too deep: more than 200 levels of \
            brackets and blocks";
        assert_eq!(deep(&blocks).as_deref(), Some(nested));
        let long = "pallet.star:2:2002: this expression is too long: more than 1000 operators, \
            calls or branches in a row";
        assert_eq!(deep(&format!("\na{}", "+a".repeat(20_000))).as_deref(), Some(long));
        for endless in ["not ", "f()(", "lambda: ", "-", "1 if x else ", "a.", "a[0][", "x == ("] {
            assert!(deep(&format!("x = {}", endless.repeat(2000))).is_some(), "{endless}");
        }
        assert!(deep(&format!("if x:\n  pass\n{}", "elif y:\n  pass\n".repeat(2000))).is_some());
    }

    #[test]
    fn what_is_long_and_flat_is_not() {
        for flat in [
            "f(a + b, c.d)\n",
            "x = [1]; ",
            "\"((((\" # ((((\n",
            "'''\n((\"\n'''\n",
            "if x:\n  pass\nelif y:\n  pass\n",
            "r'\\'('\n",
        ] {
            assert_eq!(deep(&flat.repeat(3000)), None, "{flat}");
        }
        assert_eq!(deep(&format!("x = [\n{}]\n", "  f(\"a\" + \"b\"),\n".repeat(3000))), None);
    }
}
