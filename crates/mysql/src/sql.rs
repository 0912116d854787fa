//! Names and texts in SQL.

use pallet_core::prelude::*;

/// Refuses what cannot be a name in MariaDB; `what` is what it names.
pub(crate) fn check_name(what: &str, name: &str, most: usize) -> Result<()> {
    ensure!(
        !name.is_empty()
            && name.chars().count() <= most
            && !name.chars().any(char::is_control)
            && !name.ends_with(' '),
        "{name:?} cannot name {what}: use 1 to {most} characters, without line ends or a space at \
         the end"
    );
    Ok(())
}

/// Refuses what cannot be a user or the host of one.
pub(crate) fn check_user(user: &str, host: &str) -> Result<()> {
    check_name("a user", user, 80)?;
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.:%/".contains(character);
    ensure!(
        !host.is_empty() && host.len() <= 255 && host.chars().all(good),
        "{host:?} is no host of a user: give a name, an address, a network such as \
         10.0.0.0/255.0.0.0, or a pattern with %"
    );
    Ok(())
}

/// A name as SQL has it: in quotes, so that it is a name whatever is in it.
pub(crate) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as SQL has it.
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A user as SQL has it.
pub(crate) fn user(user: &str, host: &str) -> String {
    format!("{}@{}", text(user), text(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_a_text_cannot_end_itself() {
        assert_eq!(name("a`; drop database x; -- "), "`a``; drop database x; -- `");
        assert_eq!(text("it's \\"), "'it''s \\\\'");
        assert_eq!(user("a'b", "%"), "'a''b'@'%'");
        for bad in ["", "a\nb", "a\0", "a ", &"a".repeat(65)] {
            assert!(check_name("a database", bad, 64).is_err(), "{bad:?}");
        }
        for bad in ["", "a b", "a'", "a`", "a@b"] {
            assert!(check_user("a", bad).is_err(), "{bad:?}");
        }
        for good in ["%", "localhost", "10.%", "10.0.0.0/255.0.0.0", "2001:db8::1"] {
            assert!(check_user("a", good).is_ok(), "{good:?}");
        }
    }
}
