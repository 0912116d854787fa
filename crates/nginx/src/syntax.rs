//! Checks values for nginx's configuration.

use pallet_core::prelude::*;

/// Refuses text that would end a directive in nginx's configuration.
pub(crate) fn plain(what: &str, value: &str) -> Result<()> {
    let good = !value.is_empty()
        && !value
            .chars()
            .any(|character| character.is_control() || ";{}\"'\\#$".contains(character));
    ensure!(good, "the {what} {value:?} cannot stand in nginx's configuration");
    Ok(())
}

/// As `plain`, but for one word.
pub(crate) fn word(what: &str, value: &str) -> Result<()> {
    plain(what, value)?;
    ensure!(!value.contains(char::is_whitespace), "the {what} {value:?} has a space in it");
    Ok(())
}

/// As `plain`, but variables such as `$request_uri` may stand in it.
pub(crate) fn with_variables(what: &str, value: &str) -> Result<()> {
    let mut rest = value;
    while let Some((_, behind)) = rest.split_once('$') {
        ensure!(
            behind.starts_with(|first: char| first.is_ascii_lowercase() || first == '_'),
            "the {what} {value:?} has a $ that begins no variable"
        );
        rest = behind;
    }
    plain(what, &value.replace('$', ""))
}

/// Refuses what cannot stand between double quotes as a regular expression.
pub(crate) fn expression(what: &str, value: &str) -> Result<()> {
    let good = !value.is_empty()
        && !value.ends_with('\\')
        && !value.chars().any(|character| character.is_control() || character == '"');
    ensure!(good, "the {what} {value:?} cannot be a regular expression in nginx's configuration");
    Ok(())
}

/// Refuses what is no absolute path, or would end a directive.
pub(crate) fn path(what: &str, value: &str) -> Result<()> {
    ensure!(value.starts_with('/'), "the {what} {value:?} must begin with /");
    plain(what, value)
}

/// Refuses what is no size, such as `8k`, `10m` or `1g`.
pub(crate) fn size(what: &str, value: &str) -> Result<()> {
    let number = value.trim_end_matches(['k', 'm', 'g', 'K', 'M', 'G']);
    ensure!(
        !number.is_empty()
            && number.len() + 1 >= value.len()
            && number.bytes().all(|byte| byte.is_ascii_digit()),
        "the {what} {value:?} is no size; write 8k, 10m or 1g"
    );
    Ok(())
}

/// Refuses what is no name of an HTTP header.
pub(crate) fn header(name: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    ensure!(!name.is_empty() && name.bytes().all(good), "{name:?} cannot be a header");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_end_its_directive() {
        assert!(plain("root", "/srv; }").is_err());
        assert!(plain("root", "/srv/my site").is_ok());
        assert!(word("server", "a b").is_err() && path("root", "srv").is_err());
    }

    #[test]
    fn variables_stand_where_they_may() {
        assert!(with_variables("to", "https://$host$request_uri").is_ok());
        for text in ["a$", "a$(b)", "a${b}", "$1; return", "$A"] {
            assert!(with_variables("to", text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_expression_stays_between_its_quotes() {
        assert!(expression("path", r"\.(gif|jpe?g)$").is_ok());
        for text in ["", "a\"", "a\\", "a\n"] {
            assert!(expression("path", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes_have_one_unit() {
        assert!(size("limit", "10m").is_ok() && size("limit", "0").is_ok());
        for text in ["", "m", "10mm", "1.5g", "10 m", "-1"] {
            assert!(size("limit", text).is_err(), "{text:?}");
        }
    }
}
