//! Patterns with `*` and `?`, as in ssh_config, known_hosts, file names and image names.

use wildmatch::WildMatch;

/// Whether `pattern` matches all of `text`, ignoring case.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    WildMatch::new_case_insensitive(pattern).matches(text)
}

/// Whether one of the patterns matches, and none that begins with `!` does.
pub(crate) fn list_matches<'a>(patterns: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(not) if matches(not, text) => return false,
            Some(_) => {}
            None => found |= matches(pattern, text),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{list_matches, matches};

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "a"),
            ("web-?", "web-1"),
            ("*.example.*", "a.b.example.com"),
            ("a*b*c", "abbbc"),
            ("WEB", "web"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("?", ""), ("web-?", "web-10"), ("a*b*c", "abbb"), ("*.com", "com")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_negated_pattern_wins() {
        assert!(list_matches(["web*", "!web-9"], "web-1"));
        assert!(!list_matches(["web*", "!web-9"], "web-9"));
        assert!(!list_matches(["!web-9"], "web-1"));
    }
}
