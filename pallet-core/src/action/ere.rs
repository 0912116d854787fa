//! POSIX extended regular expressions, checked and translated, so that planning here and `grep -E`
//! on a node agree.

use regex::bytes::Regex;

use super::ActionError;

/// An expression as written, and translated to match bytes, like grep with LC_ALL=C.
#[derive(Debug, Clone)]
pub(super) struct Ere {
    text: String,
    regex: Regex,
}

impl Ere {
    /// Checks and translates `text`; `what` names the parameter in an error.
    pub(super) fn new(action: &str, what: &str, text: &str) -> Result<Self, ActionError> {
        let refuse = |why: String| {
            ActionError::arguments(
                action,
                format!("{what} {text:?} is not a POSIX extended regular expression: {why}"),
            )
        };
        let translated = translate(text).map_err(refuse)?;
        let regex = Regex::new(&translated).map_err(|error| {
            let error = error.to_string();
            refuse(
                error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
            )
        })?;
        Ok(Ere { text: text.to_owned(), regex })
    }

    /// The expression as written, for grep.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it matches anywhere in a line.
    pub(super) fn matches(&self, line: &str) -> bool {
        self.regex.is_match(line.as_bytes())
    }
}

/// An expression that matches exactly `text`.
pub(super) fn literal(text: &str) -> String {
    let special = |char: char| r"\.[]*+?(){}|^$".contains(char);
    text.chars().flat_map(|char| special(char).then_some('\\').into_iter().chain([char])).collect()
}

/// An expression that matches `text` in any case.
pub(super) fn any_case(text: &str) -> String {
    let either = |char: char| match (char.to_ascii_lowercase(), char.to_ascii_uppercase()) {
        (lower, upper) if lower == upper => literal(&char.to_string()),
        (lower, upper) => format!("[{lower}{upper}]"),
    };
    text.chars().map(either).collect()
}

fn translate(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.contains(['\n', '\0']) {
        return Err("it holds a newline or a NUL, but matches within one line".to_owned());
    }
    let mut out = "(?-u)".to_owned();
    let mut chars = text.chars().peekable();
    let mut depth = 0;
    // whether the previous item can be repeated; a branch must not be empty
    let (mut repeatable, mut branch_empty) = (false, true);
    while let Some(char) = chars.next() {
        let was = std::mem::replace(&mut repeatable, true);
        match char {
            '\\' => match chars.next() {
                Some(next) if r"\.[]*+?(){}|^$/-".contains(next) => push_literal(&mut out, next),
                Some(next) => return Err(escape_hint(next)),
                None => return Err(r"it ends with \; write \\ for that character".to_owned()),
            },
            '[' => bracket(&mut chars, &mut out)?,
            '.' => out.push('.'),
            '^' | '$' => {
                out.push(char);
                repeatable = false;
            }
            '(' => {
                if chars.peek() == Some(&'?') {
                    return Err("`(?` is not POSIX".to_owned());
                }
                depth += 1;
                out.push('(');
                (repeatable, branch_empty) = (false, true);
                continue;
            }
            ')' | '|' => {
                if branch_empty {
                    return Err(format!(
                        "nothing stands before `{char}`; write `?` behind what may be missing"
                    ));
                }
                if char == ')' {
                    if depth == 0 {
                        return Err(r"`)` has no `(`; write \) for that character".to_owned());
                    }
                    depth -= 1;
                } else {
                    (repeatable, branch_empty) = (false, true);
                }
                out.push(char);
                continue;
            }
            '*' | '+' | '?' | '{' => {
                if !was {
                    return Err(format!(
                        r"`{char}` repeats nothing; write \{char} for that character"
                    ));
                }
                out.push(char);
                if char == '{' {
                    interval(&mut chars, &mut out)?;
                }
                repeatable = false;
            }
            other => {
                push_literal(&mut out, other);
                // matching is by bytes, so a repetition would only apply to the last byte of a
                // non-ASCII character
                repeatable = other.is_ascii();
            }
        }
        branch_empty = false;
    }
    if depth > 0 {
        return Err(r"`(` has no `)`; write \( for that character".to_owned());
    }
    if branch_empty {
        return Err("nothing stands behind `|`; write `?` behind what may be missing".to_owned());
    }
    Ok(out)
}

fn push_literal(out: &mut String, char: char) {
    if char.is_ascii_alphanumeric() || char == ' ' {
        out.push(char);
    } else {
        let mut bytes = [0; 4];
        for byte in char.encode_utf8(&mut bytes).bytes() {
            out.push_str(&format!(r"\x{byte:02x}"));
        }
    }
}

fn escape_hint(char: char) -> String {
    let instead = match char {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => "[[:space:]]",
        'S' => "[^[:space:]]",
        'w' => "[[:alnum:]_]",
        'W' => "[^[:alnum:]_]",
        'b' | 'B' | '<' | '>' => "(^|[^[:alnum:]_]) or ([^[:alnum:]_]|$)",
        't' => "[[:blank:]]",
        '1'..='9' => {
            return format!(r"back-references such as \{char} are not; write out what it repeats");
        }
        _ => return format!(r"\{char} is not; write {char}"),
    };
    format!(r"\{char} is not; write {instead}")
}

fn interval(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    out: &mut String,
) -> Result<(), String> {
    let wrong = || {
        r"`{` begins a repetition such as {2} {2,} or {2,4}, of at most 255; write \{ for that character".to_owned()
    };
    let mut inner = String::new();
    loop {
        match chars.next() {
            Some('}') => break,
            Some(char) if char.is_ascii_digit() || char == ',' => inner.push(char),
            _ => return Err(wrong()),
        }
    }
    let (least, most) = inner.split_once(',').unwrap_or((&inner, &inner));
    let number = |text: &str| text.parse::<u8>().map_err(|_| wrong());
    let least = number(least)?;
    if !most.is_empty() && number(most)? < least {
        return Err(wrong());
    }
    out.push_str(&inner);
    out.push('}');
    Ok(())
}

const CLASSES: [&str; 12] = [
    "alpha", "digit", "alnum", "upper", "lower", "space", "blank", "punct", "print", "graph",
    "cntrl", "xdigit",
];

fn bracket(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    out: &mut String,
) -> Result<(), String> {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    loop {
        let char = chars.next().ok_or(r"`[` has no `]`; write \[ for that character")?;
        match (char, chars.peek()) {
            (']', _) if !first => break,
            ('[', Some(':')) => {
                chars.next();
                let name: String = chars.by_ref().take_while(|char| *char != ':').collect();
                if chars.next() != Some(']') || !CLASSES.contains(&name.as_str()) {
                    return Err(format!(
                        "there is no class [:{name}:]; there are {}",
                        CLASSES.join(" ")
                    ));
                }
                out.push_str(&format!("[:{name}:]"));
            }
            ('[', Some('.' | '=')) => {
                return Err("[. and [= are not the same everywhere".to_owned());
            }
            ('\\', Some(next)) if next.is_ascii_alphabetic() => {
                return Err(format!(
                    r"in brackets \ is a character itself: {}",
                    escape_hint(*next)
                ));
            }
            (low, _) => {
                in_bracket(low, out)?;
                // a `-` at the end is literal
                let mut ahead = chars.clone();
                if ahead.next() == Some('-')
                    && ahead.next().is_some_and(|high| high != ']' && high != '[')
                {
                    chars.next();
                    let high = chars.next().unwrap_or_default();
                    if high < low {
                        return Err(format!("the range {low}-{high} is empty"));
                    }
                    out.push('-');
                    in_bracket(high, out)?;
                }
            }
        }
        first = false;
    }
    out.push(']');
    Ok(())
}

fn in_bracket(char: char, out: &mut String) -> Result<(), String> {
    if !char.is_ascii() {
        return Err(format!("{char} in brackets is not the same everywhere; write (x|y)"));
    }
    push_literal(out, char);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn refused(text: &str) -> String {
        Ere::new("a", "match", text).expect_err(text).to_string()
    }

    #[test]
    fn decides_as_grep_does() {
        let lines = [
            "", "a", "aa", "aab", "b", "a b", "a\tb", "a.b", "a\\b", "]", "-", "a-z", "^", "{",
            "1.2.3", "12", "über", "x&&y", "[a]", "A_1", "~", "a|b",
        ];
        let expressions = [
            "a",
            "^a+$",
            "a{2}",
            "^a{1,2}b?$",
            "^a{0,}$",
            "[[:space:]]",
            "a[[:blank:]]b",
            "[]]",
            "[^]]",
            "[a-]",
            "[\\]",
            r"a\.b",
            r"\\",
            "^$",
            "(a|b)b",
            "a|2",
            "^(a|[0-9]+)$",
            r"\{",
            r"\^",
            "[&][&]",
            "[a&&b]",
            "ü",
            "^.ber$",
            "[~-]",
            "[+--]",
            "a[^a-z]b",
            r"\|",
            "[[:upper:]]_[[:digit:]]",
            r"\[a\]",
            "^[[]",
            "#x| b",
            r"^[^#[:space:]]+[[:space:]]+b",
            "(^|[[:space:]])b($|x)",
        ];
        for expression in expressions {
            let ere = Ere::new("a", "match", expression).unwrap_or_else(|error| panic!("{error}"));
            for line in lines {
                let mut grep = Command::new("grep")
                    .env("LC_ALL", "C")
                    .args(["-qE", "-e", expression])
                    .stdin(Stdio::piped())
                    .spawn()
                    .expect("it runs");
                std::io::Write::write_all(
                    &mut grep.stdin.take().expect("it is piped"),
                    format!("{line}\n").as_bytes(),
                )
                .ok();
                assert_eq!(
                    ere.matches(line),
                    grep.wait().expect("it ends").success(),
                    "{expression:?} on {line:?}"
                );
            }
        }
    }

    #[test]
    fn literals_match_themselves() {
        for text in ["a.b", "[x] (y) {z} | ^ $ * + ? \\", "/dev/sda1", "UUID=12-3", "ü\"'"] {
            let ere = Ere::new("a", "match", &format!("^{}$", literal(text))).expect("it is right");
            assert!(ere.matches(text) && !ere.matches(&format!("{text}x")), "{text}");
        }
    }

    #[test]
    fn what_differs_between_systems_is_refused() {
        assert_eq!(
            refused(r"^\d"),
            r#"a: match "^\\d" is not a POSIX extended regular expression: \d is not; write [0-9]"#
        );
        assert!(refused(r"(a)\1").contains("back-references"));
        for wrong in [
            "",
            "a\nb",
            "(",
            ")",
            "[",
            "[[:word:]]",
            "*a",
            "a**",
            "a+?",
            "a|",
            "|a",
            "()",
            "(?i)a",
            "a{",
            "a{,2}",
            "a{3,2}",
            "a{256}",
            "[z-a]",
            r"\w",
            r"[\d]",
            "a\\",
            "[[.a.]]",
            "[ü]",
            r"\bx",
            "ü*",
            "^*",
        ] {
            refused(wrong);
        }
    }
}
