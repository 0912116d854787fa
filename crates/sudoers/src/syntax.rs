//! What may stand in a file of sudo, and how it is quoted.

use pallet_core::prelude::*;

/// A command with its arguments: an absolute path, `ALL`, `sudoedit PATH`, an alias, or one of
/// these after a `!`. Everything in it is literal, besides the patterns `*`, `?` and `[..]`.
pub(crate) fn command(text: &str) -> Result<String> {
    one_line("a command", text)?;
    let text = text.trim();
    let bare = text.strip_prefix('!').unwrap_or(text).trim_start();
    let program = bare.split(' ').next().unwrap_or_default();
    ensure!(
        program.starts_with('/')
            || program == "sudoedit"
            || check_alias(bare).is_ok()
            || bare == "ALL",
        "{text:?} cannot be a command of sudo: write an absolute path with its arguments, sudoedit \
         with a path, ALL, or an alias"
    );
    let mut out = String::new();
    for character in text.chars() {
        match character {
            // once for the file, and once more because arguments are patterns
            '\\' => out.push_str("\\\\\\\\"),
            ',' | ':' | '=' | '#' => out.extend(['\\', character]),
            other => out.push(other),
        }
    }
    Ok(out)
}

/// A list of users, groups, hosts or aliases.
pub(crate) fn words(what: &str, words: &[String]) -> Result<String> {
    words.iter().try_for_each(|word| check_word(what, word))?;
    Ok(words.join(", "))
}

/// Refuses what is no user, group, host, address or alias.
pub(crate) fn check_word(what: &str, word: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.$/".contains(&byte);
    let bare = word.trim_start_matches(['!', '%', '+', '#']);
    ensure!(
        !bare.is_empty() && bare.bytes().all(good) && !bare.starts_with('-'),
        "{word:?} cannot be a {what} of sudo: write a name, %GROUP, #ID, or an alias"
    );
    Ok(())
}

/// Refuses what cannot be the name of an alias.
pub(crate) fn check_alias(name: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    ensure!(
        name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.bytes().all(good)
            && name.len() <= 60
            && name != "ALL",
        "{name:?} cannot name an alias: use upper case letters, digits and _, and begin with a \
         letter"
    );
    Ok(())
}

/// Refuses what is not one line.
pub(crate) fn one_line(what: &str, text: &str) -> Result<()> {
    ensure!(
        !text.trim().is_empty() && !text.chars().any(char::is_control) && text.is_ascii(),
        "{what} must be one line of ASCII without control characters, this is {text:?}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_literal() {
        for (text, made) in [
            ("ALL", "ALL"),
            ("/usr/bin/systemctl restart app", "/usr/bin/systemctl restart app"),
            ("/bin/a b=c,d:e #f", "/bin/a b\\=c\\,d\\:e \\#f"),
            ("!/bin/su", "!/bin/su"),
            ("/bin/a b\\c", "/bin/a b\\\\\\\\c"),
            ("sudoedit /etc/motd", "sudoedit /etc/motd"),
            ("SERVICES", "SERVICES"),
        ] {
            assert_eq!(command(text).unwrap(), made);
        }
        for bad in ["", "systemctl", "/bin/a\n", "../a", "a ALL=(ALL) ALL", "ALL ALL"] {
            assert!(command(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn words_are_names() {
        for good in ["ann", "%wheel", "#1000", "+netgroup", "!root", "10.0.0.0/8"] {
            assert!(check_word("user", good).is_ok(), "{good}");
        }
        for bad in ["", "%", "a b", "a,b", "a=(ALL)", "a\n", "a:b", "-a"] {
            assert!(check_word("user", bad).is_err(), "{bad:?}");
        }
    }
}
