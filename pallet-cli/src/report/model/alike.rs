//! Texts of nodes that are equal but for the node's own name.

use std::borrow::Cow;

/// What stands for a node's own name in a text of several nodes.
pub(crate) const NODE: &str = "NODE";

/// A text of a node with [`NODE`] for the node's name. Only names with a digit are looked for:
/// others are words that also mean something else.
pub(super) fn alike<'a>(text: &'a str, node: &str) -> Cow<'a, str> {
    let is_numbered = node.len() > 2 && node.contains(|c: char| c.is_ascii_digit());
    if !is_numbered || !text.contains(node) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(node) {
        let (before, after) = (&rest[..at], &rest[at + node.len()..]);
        out.push_str(before);
        let continues = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let is_word = !out.ends_with(continues) && !after.starts_with(continues);
        out.push_str(if is_word { NODE } else { node });
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn only_whole_names_are_replaced() {
        for (node, text, expected) in [
            ("web-1", "+I am web-1.", "+I am NODE."),
            ("web-1", "web-1/web-10/my-web-1/web-1", "NODE/web-10/my-web-1/NODE"),
            ("web", "web", "web"),
            ("web-1", "", ""),
        ] {
            assert_eq!(alike(text, node), expected);
        }
    }
}
