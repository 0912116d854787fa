//! What comes from files and nodes, made safe for a terminal.

/// The text with control characters written out, so that none of them can act on a terminal; tabs stay.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => out.push(character),
            '\n' => out.push_str("\\n"),
            _ if character.is_control() => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_acts_on_the_terminal() {
        assert_eq!(super::visible("a\x1b[31mred\tü\n"), "a\\u{1b}[31mred\tü\\n");
    }
}
