//! Names and texts in SQL.

use pallet_core::prelude::*;

/// Refuses what cannot be a name in PostgreSQL; `what` is what it names.
pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    ensure!(
        !name.is_empty() && name.len() <= 63 && !name.chars().any(char::is_control),
        "{name:?} cannot name {what}: use 1 to 63 bytes, without line ends"
    );
    Ok(())
}

/// A name as SQL has it: in quotes, so that it is a name whatever is in it.
pub(crate) fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL has it.
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Texts with commas between.
pub(crate) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Names with commas between.
pub(crate) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_a_text_cannot_end_itself() {
        assert_eq!(name("a\"; drop table x; --"), "\"a\"\"; drop table x; --\"");
        assert_eq!(text("it's \\ :x"), "'it''s \\ :x'");
        for bad in ["", "a\nb", "a\0", &"a".repeat(64)] {
            assert!(check_name("a role", bad).is_err(), "{bad:?}");
        }
    }
}
