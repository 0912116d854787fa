//! Makes text from files and nodes safe to display: it cannot control the terminal, or disguise
//! other text.

use std::borrow::Cow;

/// Whether a character is invisible but affects the display: control characters, changes of the
/// text direction, line separators, and zero-width characters except the joiners that some scripts
/// need.
pub fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// Escapes every such character. Tabs stay, since they hide nothing.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(|character| character != '\t' && acts(character)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\t' => out.push(character),
            _ if acts(character) => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn nothing_acts_on_the_terminal() {
        assert_eq!(visible("a\x1b[31mred\t\u{fc}\n"), "a\\u{1b}[31mred\t\u{fc}\\n");
        assert_eq!(visible("\u{9b}31m\u{7f}\r"), "\\u{9b}31m\\u{7f}\\u{d}");
    }

    #[test]
    fn nothing_makes_text_look_like_other_text() {
        assert_eq!(visible("user\u{202e}nimda\u{2066}"), "user\\u{202e}nimda\\u{2066}");
        assert_eq!(
            visible("\u{200b}\u{feff}\u{e0041}\u{2028}"),
            "\\u{200b}\\u{feff}\\u{e0041}\\u{2028}"
        );
        let plain = "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{928}\u{92e}\u{200d} \
            \u{1f469}\u{200d}\u{1f680} na\u{ef}ve";
        assert_eq!(visible(plain), plain);
    }
}
