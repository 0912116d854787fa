//! What stands around a place in a text that need not be whole: somebody is writing it.

use super::position::path_at;

/// What stands around a place.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Around {
    /// The place is in a comment.
    pub(super) comment: bool,
    /// The byte behind the quotes of the string that the place is in.
    pub(super) string: Option<usize>,
    /// The brackets that are open, outermost first.
    pub(super) open: Vec<Bracket>,
}

/// A bracket that is open.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bracket {
    /// What is called, if it is the bracket of a call: `["nginx", "site"]`.
    pub(super) callee: Vec<String>,
    /// The byte behind it.
    pub(super) start: usize,
}

impl Around {
    /// What stands around a byte of the text.
    pub(super) fn of(text: &str, at: usize) -> Self {
        let bytes = &text.as_bytes()[..at.min(text.len())];
        let mut around = Around::default();
        let mut index = 0;
        while index < bytes.len() {
            match bytes[index] {
                b'#' => match find(bytes, index, b"\n") {
                    Some(end) => index = end,
                    None => {
                        around.comment = true;
                        return around;
                    }
                },
                quote @ (b'"' | b'\'') => {
                    let three = bytes[index..].starts_with(&[quote; 3]);
                    let start = index + if three { 3 } else { 1 };
                    match string_end(bytes, start, quote, three) {
                        Some(end) => index = end,
                        None => {
                            around.string = Some(start.min(bytes.len()));
                            return around;
                        }
                    }
                    continue;
                }
                bracket @ (b'(' | b'[' | b'{') => {
                    let before = text[..index].trim_end_matches(' ').len();
                    let callee = path_at(text, before).filter(|path| bracket == b'(' && path.end == before);
                    around.open.push(Bracket { callee: callee.map(|path| path.names).unwrap_or_default(), start: index + 1 });
                }
                b')' | b']' | b'}' => {
                    around.open.pop();
                }
                // what nobody closed before this is forgotten
                b'\n' if [&b"def "[..], b"load("].iter().any(|word| bytes[index + 1..].starts_with(word)) => around.open.clear(),
                _ => {}
            }
            index += 1;
        }
        around
    }

    /// The innermost call.
    pub(super) fn call(&self) -> Option<&Bracket> {
        self.open.last().filter(|bracket| !bracket.callee.is_empty())
    }
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    bytes[from..].windows(what.len()).position(|window| window == what).map(|at| from + at)
}

/// The byte behind a string; one in single quotes that is not closed ends with its line. `None`: the text ends first.
fn string_end(bytes: &[u8], from: usize, quote: u8, three: bool) -> Option<usize> {
    let mut index = from;
    while index < bytes.len() {
        match bytes[index] {
            b'\\' => index += 1,
            b'\n' if !three => return Some(index),
            byte if byte == quote && !three => return Some(index + 1),
            byte if byte == quote && bytes[index..].starts_with(&[quote; 3]) => return Some(index + 3),
            _ => {}
        }
        index += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands around the `|` in a text.
    fn around(text: &str) -> Around {
        Around::of(&text.replace('|', ""), text.find('|').unwrap())
    }

    fn callee(text: &str) -> String {
        around(text).call().map(|call| call.callee.join(".")).unwrap_or_default()
    }

    #[test]
    fn the_innermost_call_is_found() {
        assert_eq!(callee("nginx.site(request, port = |"), "nginx.site");
        assert_eq!(callee("f(a, g(1), |)"), "f");
        assert_eq!(callee("f(a, [|"), "");
        assert_eq!(callee("f(\"(\", '''\n(''', # (\n |"), "f");
        assert_eq!(callee("f(a)|"), "");
        // what is not closed does not reach over the next function
        assert_eq!(callee("f(a, \ndef g(request):\n    h(|"), "h");
        assert_eq!(callee("x = \"open\ng(|"), "g");
    }

    #[test]
    fn strings_and_comments_are_known() {
        assert_eq!(around("load(\"@|").string, Some(6));
        assert_eq!(around("a = \"x\\\"|\"").string, Some(5));
        assert_eq!(around("a = \"\"\"x\n|").string, Some(7));
        assert_eq!(around("a = \"x\" |").string, None);
        assert!(around("a # b |").comment);
        assert!(!around("a # b\n|").comment);
    }
}
