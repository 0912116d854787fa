//! Python's `%` formatting of text: `"%s:%d" % (host, port)`.
//!
//! MiniJinja has no such operator for text, and no hook to add one. So before a template is
//! compiled, a text literal followed by `%` is rewritten to a filter call, without moving any line.
//! A variable on the left side is not rewritten, since it may be a number.

use std::borrow::Cow;

/// The name of the filter.
pub(super) const FILTER: &str = "_percent";

/// A template with its `%` formatting rewritten to filter calls.
pub(super) fn with_filters(template: &str) -> Cow<'_, str> {
    if !template.contains('%') || !template.contains(['\'', '"']) {
        return Cow::Borrowed(template);
    }
    let mut made = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(begin) = template[at..].find("{") {
        let begin = at + begin;
        let rest = &template[begin..];
        let end = match rest.as_bytes().get(1) {
            Some(b'#') => {
                at = rest[2..].find("#}").map_or(template.len(), |end| begin + end + 4);
                continue;
            }
            Some(b'%') => "%}",
            Some(b'{') => "}}",
            _ => {
                at = begin + 1;
                continue;
            }
        };
        let code = begin + 2;
        let mut scan = Scan { text: template, at: code, end };
        let edits = scan.edits();
        at = scan.at;
        let inside = template[code..at]
            .trim_end_matches(end)
            .trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '-' | '+'));
        if end == "%}" && inside == "raw" {
            at = end_of_raw(template, at);
            continue;
        }
        for Edit { from, to, text } in edits {
            made.push_str(&template[copied..from]);
            made.push_str(text);
            copied = to;
        }
    }
    if made.is_empty() {
        return Cow::Borrowed(template);
    }
    made.push_str(&template[copied..]);
    Cow::Owned(made)
}

fn end_of_raw(template: &str, mut at: usize) -> usize {
    while let Some(begin) = template[at..].find("{%") {
        at += begin + 2;
        let word = template[at..].trim_start_matches(['-', '+']).trim_start();
        if word.starts_with("endraw") {
            return at;
        }
    }
    template.len()
}

struct Edit {
    from: usize,
    to: usize,
    text: &'static str,
}

/// Scans the code between two delimiters.
struct Scan<'t> {
    text: &'t str,
    at: usize,
    end: &'static str,
}

impl Scan<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn at_end(&self) -> bool {
        let rest = self.rest();
        rest.is_empty()
            || rest.starts_with(self.end)
            || rest.strip_prefix(['-', '+']).is_some_and(|rest| rest.starts_with(self.end))
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Skips a character, or a whole quoted text.
    fn step(&mut self) {
        let mut letters = self.rest().char_indices();
        let Some((_, first)) = letters.next() else { return };
        if !matches!(first, '"' | '\'') {
            self.at += first.len_utf8();
            return;
        }
        let mut escaped = false;
        for (index, letter) in letters {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if letter == first => {
                    self.at += index + 1;
                    return;
                }
                _ => {}
            }
        }
        self.at = self.text.len();
    }

    fn edits(&mut self) -> Vec<Edit> {
        let mut edits = Vec::new();
        // the last character before a text: after an operator such as `*`, `%` is not for the text
        // alone
        let mut before = ' ';
        while !self.at_end() {
            let letter = self.rest().chars().next().unwrap_or_default();
            let quoted = matches!(letter, '"' | '\'');
            self.step();
            if !quoted {
                before = if letter.is_whitespace() { before } else { letter };
                continue;
            }
            let behind = self.at;
            self.blanks();
            if self.rest().starts_with('%')
                && !self.at_end()
                && !matches!(before, '*' | '/' | '%' | '|' | '"')
            {
                let from = self.at;
                self.at += 1;
                self.blanks();
                edits.push(Edit { from, to: self.at, text: "|_percent(" });
                self.operand();
                edits.push(Edit { from: self.at, to: self.at, text: ")" });
                before = ')';
            } else {
                self.at = behind;
                before = '"';
            }
        }
        self.at += self.rest().find(self.end).map_or(self.rest().len(), |end| end + self.end.len());
        edits
    }

    /// Skips the operand of `%`: a value with its calls, indexes, attributes and filters.
    fn operand(&mut self) {
        while self.rest().starts_with(['-', '+']) && !self.at_end() {
            self.at += 1;
            self.blanks();
        }
        self.one();
        loop {
            let behind = self.at;
            self.blanks();
            let rest = self.rest();
            if rest.starts_with(['(', '[']) {
                self.one();
            } else if rest.starts_with(['.', '|']) && !rest.starts_with("||") {
                self.at += 1;
                self.blanks();
                self.one();
            } else {
                self.at = behind;
                return;
            }
        }
    }

    /// Skips a name, a number, a quoted text, or a bracketed expression.
    fn one(&mut self) {
        let rest = self.rest();
        if rest.starts_with(['(', '[', '{']) {
            self.step();
            let closing = |letter| matches!(letter, ')' | ']' | '}');
            while !self.rest().is_empty() && !self.rest().starts_with(closing) {
                if self.rest().starts_with(['(', '[', '{']) {
                    self.one();
                } else {
                    self.step();
                }
            }
            self.at = (self.at + 1).min(self.text.len());
        } else if rest.starts_with(['"', '\'']) {
            self.step();
        } else {
            let name = |letter: char| letter.is_alphanumeric() || letter == '_';
            self.at += rest.find(|letter| !name(letter)).unwrap_or(rest.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_before_a_percent_sign_is_formatted() {
        for (template, wanted) in [
            (r#"{{ "%s" % x }}"#, r#"{{ "%s" |_percent(x) }}"#),
            (r#"{{ "%s"%x|upper }}"#, r#"{{ "%s"|_percent(x|upper) }}"#),
            (r#"{{ "%s-%s" % (a, "b)") ~ "c" }}"#, r#"{{ "%s-%s" |_percent((a, "b)")) ~ "c" }}"#),
            (
                r#"{% set a = '%d' % -b.c[0](1) + 2 %}"#,
                r#"{% set a = '%d' |_percent(-b.c[0](1)) + 2 %}"#,
            ),
            (r#"{{ ["%s" % x, "%s" % y] }}"#, r#"{{ ["%s" |_percent(x), "%s" |_percent(y)] }}"#),
        ] {
            assert_eq!(with_filters(template), wanted);
        }
    }

    #[test]
    fn everything_else_stays() {
        for template in [
            "{{ 7 % 3 }} {{ a % b }} '%' % x",
            r#"{% if a == "x" %}{{ "y" }}{% endif %}"#,
            r#"{% if a == "x" -%}"%" % {%- endif %}"#,
            r#"{# {{ "%s" % x }} #}{% raw %}{{ "%s" % x }}{% endraw %}"#,
            r#"{{ "unfinished % }}"#,
            r#"{%- raw -%}{{ "%s" % x }}{% endraw %}"#,
            r#"{#}{{ "%s" % x }}#}"#,
            r#"{{ 2 * "a" % 3 }}"#,
            "{",
            "{{",
            "{% \"",
            "{{ \"a\" % ",
        ] {
            let made = with_filters(template);
            assert!(made == template || template.ends_with("% "), "{template} became {made}");
        }
    }
}
