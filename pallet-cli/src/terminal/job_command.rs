//! Commands that GitHub Actions and its relatives find in what a job prints.
//!
//! A node must not set the outputs of a step, or mask what others print.

use std::borrow::Cow;

/// The text without such commands: `::name ...::` begins a line, `##[name ...]` is anywhere in it.
pub(crate) fn without_commands(text: &str) -> Cow<'_, str> {
    if !text.contains("::") && !text.contains("##[") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start();
        let rest = match rest.strip_prefix("::").filter(|rest| rest.contains("::")) {
            Some(after) => {
                out.push_str(&line[..line.len() - rest.len()]);
                out.push_str("\\u{3a}:");
                after
            }
            None => line,
        };
        out.push_str(&rest.replace("##[", "\\u{23}#["));
    }
    Cow::Owned(out)
}

/// The same for JSON, which stays the same JSON.
pub(crate) fn json_without_commands(json: &str) -> String {
    json.replace("##[", "\\u0023#[")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_text() {
        for (text, expected) in [
            ("::add-mask::web\n", "\\u{3a}:add-mask::web\n"),
            ("a\n  ::set-output name=x::y", "a\n  \\u{3a}:set-output name=x::y"),
            ("say ##[error]x", "say \\u{23}#[error]x"),
            ("::1 localhost\n", "::1 localhost\n"),
            ("std::fmt::Write\n", "std::fmt::Write\n"),
        ] {
            assert_eq!(without_commands(text), expected);
        }
        let value = serde_json::json!({"line": "##[add-mask]web"});
        let json = json_without_commands(&value.to_string());
        assert!(!json.contains("##["), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).expect("it is JSON"), value);
    }
}
