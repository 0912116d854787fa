//! Bounds the output of other programs: splits it into lines, and keeps a limited amount of its
//! beginning and its end.

use std::borrow::Cow;
use std::collections::VecDeque;

/// Maximum size of a piece, in bytes; a longer line comes in several.
const PIECE: usize = 64 << 10;
/// How many lines are kept from the beginning, and from the end.
const FIRST: usize = 5;
const LAST: usize = 20;
/// How much is kept of a longer line, in bytes: two thirds from its beginning, the rest from its
/// end.
const LINE: usize = 1500;
/// How much is kept of a message, and of the name of an action, in bytes.
const MESSAGE: usize = 4000;

/// Splits input that arrives in arbitrary pieces into lines, and long lines into pieces of whole
/// characters.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
    inside: bool,
}

/// A line, or a piece of a long one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// It is the beginning of the line.
    pub(super) begins: bool,
    /// It is the end of the line.
    pub(super) ends: bool,
}

impl Lines {
    /// Takes input, and passes on the lines that it completes.
    pub(super) fn push(&mut self, read: &[u8], give: &mut dyn FnMut(Piece<'_>)) {
        for part in read.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(line) if self.rest.is_empty() && line.len() <= PIECE => {
                    self.give(line, true, give)
                }
                Some(line) => {
                    self.rest.extend_from_slice(line);
                    self.cut(give);
                    let line = std::mem::take(&mut self.rest);
                    self.give(&line, true, give);
                }
                None => {
                    self.rest.extend_from_slice(part);
                    self.cut(give);
                }
            }
        }
    }

    /// Passes on the rest of a line without a line end.
    pub(super) fn end(&mut self, give: &mut dyn FnMut(Piece<'_>)) {
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() || self.inside {
            self.give(&rest, true, give);
        }
    }

    fn give(&mut self, bytes: &[u8], ends: bool, give: &mut dyn FnMut(Piece<'_>)) {
        give(Piece { text: &String::from_utf8_lossy(bytes), begins: !self.inside, ends });
        self.inside = !ends;
    }

    fn cut(&mut self, give: &mut dyn FnMut(Piece<'_>)) {
        while self.rest.len() > PIECE {
            // a UTF-8 character has at most four bytes, and all but the first are 10xxxxxx
            let end =
                (PIECE - 3..=PIECE).rev().find(|at| self.rest[*at] & 0xc0 != 0x80).unwrap_or(PIECE);
            let rest = self.rest.split_off(end);
            let piece = std::mem::replace(&mut self.rest, rest);
            self.give(&piece, false, give);
        }
    }
}

/// The first and the last lines of some output, without empty lines.
#[derive(Debug, Default)]
pub(super) struct Excerpt {
    first: Vec<String>,
    last: VecDeque<String>,
    left_out: usize,
    open: Ends,
}

/// The beginning and the end of a line.
#[derive(Debug, Default)]
struct Ends {
    beginning: String,
    end: String,
    bytes: usize,
}

impl Excerpt {
    /// Adds a line, or a piece of one; `ends`: it is the last piece.
    pub(super) fn push(&mut self, piece: &str, ends: bool) {
        self.open.push(piece);
        if ends {
            let line = std::mem::take(&mut self.open).text();
            if !line.trim().is_empty() {
                self.keep(line);
            }
        }
    }

    fn keep(&mut self, line: String) {
        if self.first.len() < FIRST {
            return self.first.push(line);
        }
        self.last.push_back(line);
        if self.last.len() > LAST {
            self.last.pop_front();
            self.left_out += 1;
        }
    }

    /// Discards everything.
    pub(super) fn clear(&mut self) {
        *self = Excerpt::default();
    }

    /// The last line.
    pub(super) fn last(&self) -> Option<&str> {
        self.last.back().or(self.first.last()).map(String::as_str)
    }

    /// Removes the last line.
    pub(super) fn pop(&mut self) -> Option<String> {
        self.last.pop_back().or_else(|| self.first.pop())
    }

    /// The kept lines, and how many were left out.
    pub(super) fn text(&self) -> String {
        let left_out = (self.left_out > 0).then(|| match self.left_out {
            1 => "(1 line is left out)".to_owned(),
            lines => format!("({lines} lines are left out)"),
        });
        let lines: Vec<_> = self
            .first
            .iter()
            .chain(left_out.as_ref())
            .chain(&self.last)
            .map(String::as_str)
            .collect();
        lines.join("\n")
    }
}

impl Ends {
    const BEGINNING: usize = LINE * 2 / 3;

    fn push(&mut self, piece: &str) {
        self.bytes += piece.len();
        let room = if self.end.is_empty() {
            piece.floor_char_boundary(Self::BEGINNING - self.beginning.len())
        } else {
            0
        };
        self.beginning.push_str(&piece[..room]);
        let rest = &piece[room..];
        self.end.push_str(&rest[rest.ceil_char_boundary(rest.len().saturating_sub(LINE))..]);
        let surplus = self.end.len().saturating_sub(LINE);
        self.end.drain(..self.end.ceil_char_boundary(surplus));
    }

    fn text(self) -> String {
        let whole = self.beginning.len() + self.end.len() == self.bytes && self.bytes <= LINE;
        if whole {
            self.beginning + &self.end
        } else {
            joined(&self.beginning, &self.end, self.bytes, LINE - Self::BEGINNING)
        }
    }
}

fn joined(beginning: &str, end: &str, bytes: usize, keep: usize) -> String {
    let end = &end[end.ceil_char_boundary(end.len().saturating_sub(keep))..];
    format!(
        "{beginning} ... ({} bytes are left out) ... {end}",
        bytes - beginning.len() - end.len()
    )
}

/// A message or a name, shortened to its beginning and end if it is too long.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    if text.len() <= MESSAGE {
        return Cow::Borrowed(text);
    }
    let beginning = &text[..text.floor_char_boundary(LINE)];
    Cow::Owned(joined(beginning, text, text.len(), LINE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(read: &[&[u8]]) -> Vec<(usize, bool, bool)> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        let mut give = |piece: Piece<'_>| found.push((piece.text.len(), piece.begins, piece.ends));
        read.iter().for_each(|read| lines.push(read, &mut give));
        lines.end(&mut give);
        found
    }

    #[test]
    fn a_long_line_comes_in_pieces_of_whole_characters() {
        assert_eq!(
            pieces(&[b"a\nbc", b"\n\nd"]),
            [(1, true, true), (2, true, true), (0, true, true), (1, true, true)]
        );
        let long = "\u{20ac}".repeat(PIECE);
        let found = pieces(&[long.as_bytes(), b"\nx\n"]);
        assert_eq!(found.iter().map(|(size, ..)| size).sum::<usize>(), long.len() + 1);
        assert!(found.iter().all(|(size, ..)| *size <= PIECE), "{found:?}");
        assert_eq!(found[0], (PIECE - 1, true, false));
        assert_eq!(
            found[found.len() - 2..],
            [(found[found.len() - 2].0, false, true), (1, true, true)]
        );
        let found = pieces(&[&vec![b'x'; PIECE], b"\n"]);
        assert_eq!(found, [(PIECE, true, true)]);
    }

    #[test]
    fn the_first_and_the_last_lines_are_kept() {
        let mut excerpt = Excerpt::default();
        for number in 0..1_000_000 {
            excerpt.push(&number.to_string(), true);
            excerpt.push("", true);
        }
        let text = excerpt.text();
        assert!(text.starts_with("0\n1\n2\n3\n4\n(999975 lines are left out)\n999980\n"), "{text}");
        assert!(text.ends_with("\n999999"), "{text}");
        assert_eq!(of("a\n\nb\n"), "a\nb");
        assert_eq!(excerpt.last(), Some("999999"));
        assert_eq!((excerpt.pop().as_deref(), excerpt.last()), (Some("999999"), Some("999998")));
    }

    fn of(text: &str) -> String {
        let mut excerpt = Excerpt::default();
        text.lines().for_each(|line| excerpt.push(line, true));
        excerpt.text()
    }

    #[test]
    fn of_a_long_line_the_beginning_and_the_end_are_kept() {
        let mut excerpt = Excerpt::default();
        let piece = "\u{20ac}".repeat(20_000);
        excerpt.push("begin", false);
        (0..80).for_each(|_| excerpt.push(&piece, false));
        excerpt.push("end", true);
        let text = excerpt.text();
        assert!(
            text.starts_with("begin\u{20ac}")
                && text.ends_with("\u{20ac}end")
                && text.len() < LINE + 100,
            "{text}"
        );
        assert!(text.contains(" ... (479") && text.contains(" bytes are left out) ... "), "{text}");
        for size in [1, Ends::BEGINNING, Ends::BEGINNING + 1, LINE] {
            let line = "x".repeat(size);
            assert_eq!(of(&line), line);
        }
        assert_eq!(of(&"x".repeat(LINE + 1)).matches('x').count(), LINE);
        let message = "\u{20ac}".repeat(100_000);
        assert!(
            short(&message).len() < 2 * LINE + 100
                && short(&message[..MESSAGE / 3 * 3]).len() == MESSAGE / 3 * 3
        );
    }
}
