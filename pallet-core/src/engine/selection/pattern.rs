//! Patterns of names, as on a command line: `web-*`, `web-[1:9]`, `!web-3`.

use std::fmt;

use regex::Regex;
use thiserror::Error;

/// A name, or a pattern of names.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    excludes: bool,
    /// `None`: it is a name.
    matcher: Option<(Regex, Vec<NumberRange>)>,
}

/// Numbers from one to another; `width`: with leading zeros, if not 0.
#[derive(Debug, Clone, Copy)]
struct NumberRange {
    first: u64,
    last: u64,
    width: usize,
}

/// A pattern that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is no pattern of names: {problem}")]
pub struct PatternError {
    text: String,
    problem: String,
}

impl Pattern {
    /// Just this name, whatever is in it.
    pub fn named(name: impl Into<String>) -> Self {
        Pattern { text: name.into(), excludes: false, matcher: None }
    }

    /// Reads a name or a pattern. `!` at the beginning excludes what it matches; `*` stands for any
    /// characters, `?` for one, `[1:9]` and `[01:12]` for numbers, `[abc]` for one of these.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let wrong =
            |problem: &str| PatternError { text: text.to_owned(), problem: problem.to_owned() };
        let name = text.strip_prefix('!').unwrap_or(text);
        if name.is_empty() {
            return Err(wrong("it is empty"));
        }
        let (mut regex, mut ranges, mut is_name) = ("^(?s:".to_owned(), Vec::new(), true);
        let mut rest = name;
        while let Some(next) = rest.chars().next() {
            rest = &rest[next.len_utf8()..];
            is_name &= !"*?[".contains(next);
            match next {
                '*' => regex.push_str(".*?"),
                '?' => regex.push('.'),
                '[' => {
                    let (inside, after) =
                        rest.split_once(']').ok_or_else(|| wrong("`[` has no `]`"))?;
                    rest = after;
                    match inside.split_once(':') {
                        Some((first, last)) => {
                            ranges.push(NumberRange::parse(first, last).map_err(wrong)?);
                            regex.push_str("([0-9]+)");
                        }
                        None if inside.is_empty() => return Err(wrong("`[]` matches nothing")),
                        None => {
                            let any: Vec<_> = inside.chars().map(escaped).collect();
                            regex.push_str(&format!("(?:{})", any.join("|")));
                        }
                    }
                }
                other => regex.push_str(&escaped(other)),
            }
        }
        let named = Pattern { excludes: name.len() < text.len(), ..Pattern::named(name) };
        if is_name {
            return Ok(named);
        }
        regex.push_str(")$");
        let regex = Regex::new(&regex).map_err(|error| wrong(&error.to_string()))?;
        Ok(Pattern { matcher: Some((regex, ranges)), ..named })
    }

    /// Whether it excludes what it matches.
    pub fn excludes(&self) -> bool {
        self.excludes
    }

    /// As it was written, with its `!`.
    pub fn written(&self) -> String {
        format!("{}{}", if self.excludes { "!" } else { "" }, self.text)
    }

    /// The name, if it is no pattern.
    pub fn name(&self) -> Option<&str> {
        self.matcher.is_none().then_some(self.text.as_str())
    }

    /// Whether it matches a name, whatever that means for the selection.
    pub fn matches(&self, name: &str) -> bool {
        let Some((regex, ranges)) = &self.matcher else { return self.text == name };
        let Some(found) = regex.captures(name) else { return false };
        let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let mut numbers = ranges.iter().zip(found.iter().skip(1).flatten());
        numbers.all(|(range, number)| {
            // a part of a number is none
            let bytes = name.as_bytes();
            let is_whole = !is_digit(number.start().checked_sub(1).and_then(|at| bytes.get(at)))
                && !is_digit(bytes.get(number.end()));
            is_whole && range.holds(number.as_str())
        })
    }
}

/// As it was written, without `!`.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl NumberRange {
    fn parse(first: &str, last: &str) -> Result<Self, &'static str> {
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u64>().ok().filter(|_| digits)
        };
        let (Some(from), Some(to)) = (number(first), number(last)) else {
            return Err("a range has two numbers: [1:9]");
        };
        if from > to {
            return Err("the first number of a range is larger than the last");
        }
        let width = if first.starts_with('0') && first.len() > 1 { first.len() } else { 0 };
        Ok(NumberRange { first: from, last: to, width })
    }

    fn holds(&self, number: &str) -> bool {
        let written = match self.width {
            // 07 is no other name of 7
            0 => number == "0" || !number.starts_with('0'),
            width => number.len() == width || number.len() > width && !number.starts_with('0'),
        };
        written && number.parse().is_ok_and(|number| (self.first..=self.last).contains(&number))
    }
}

fn escaped(c: char) -> String {
    regex::escape(c.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        let names = ["web-1", "web-2", "web-10", "web-07", "db-1", "web.x", "webax"];
        for (pattern, expected) in [
            ("web-1", vec!["web-1"]),
            ("web-*", vec!["web-1", "web-2", "web-10", "web-07"]),
            ("web-?", vec!["web-1", "web-2"]),
            ("web-[1:9]", vec!["web-1", "web-2"]),
            ("*-[2:10]", vec!["web-2", "web-10"]),
            ("*[2:10]", vec!["web-2", "web-10"]),
            ("web*[10:20]", vec!["web-10"]),
            ("*[0:0]", vec![]),
            ("web-[01:12]", vec!["web-10", "web-07"]),
            ("[dw]*-1", vec!["web-1", "db-1"]),
            ("web.x", vec!["web.x"]),
            ("web.?", vec!["web.x"]),
            ("!web-*", vec!["web-1", "web-2", "web-10", "web-07"]),
            ("*", names.to_vec()),
        ] {
            let read = Pattern::parse(pattern).unwrap();
            let found: Vec<_> = names.into_iter().filter(|name| read.matches(name)).collect();
            assert_eq!(found, expected, "{pattern}");
            assert_eq!(read.excludes(), pattern.starts_with('!'));
        }
        assert_eq!(Pattern::parse("!web-1").unwrap().name(), Some("web-1"));
        assert_eq!(Pattern::parse("web-[1:2]").unwrap().name(), None);
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        for (text, problem) in [
            ("", "it is empty"),
            ("!", "it is empty"),
            ("web-[1:9", "`[` has no `]`"),
            ("web-[]", "`[]` matches nothing"),
            ("web-[9:1]", "larger than the last"),
            ("web-[a:c]", "a range has two numbers"),
            ("web-[:9]", "a range has two numbers"),
            ("web-[+1:9]", "a range has two numbers"),
        ] {
            let error = Pattern::parse(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
