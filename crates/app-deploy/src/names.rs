//! Checks names, paths and texts, and knows where everything is.

use pallet_core::prelude::*;

/// Refuses an invalid name of an application.
pub(crate) fn check_app(name: &str) -> Result<()> {
    check_file_name("an application", name)
}

/// The directory of an application.
pub(crate) fn home(name: &str) -> String {
    format!("/srv/{name}")
}

/// The file with the variables of an application.
pub(crate) fn environment_file(name: &str) -> String {
    format!("/etc/app-deploy/{name}.env")
}

/// The flag that is set when the unit or the variables of an application changed.
pub(crate) fn changed(name: &str) -> String {
    format!("app-deploy-{name}")
}

/// Refuses a path that does not stay in a release, or that is more than one word.
pub(crate) fn check_shared(path: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let part = |part: &str| {
        !["", ".", ".."].contains(&part) && !part.starts_with('-') && part.bytes().all(good)
    };
    ensure!(
        path.split('/').all(part),
        "{path:?} cannot be shared: give a path within the release, of letters, digits, -, _, . \
         and /"
    );
    Ok(())
}

/// Refuses text of more than one line.
pub(crate) fn check_line(what: &str, text: &str) -> Result<()> {
    ensure!(
        !text.trim().is_empty() && !text.contains(char::is_control),
        "the {what} {text:?} must be one line"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_stays_in_the_release() {
        for good in ["log", "config/app.toml", ".env", "public/uploads"] {
            assert!(check_shared(good).is_ok(), "{good}");
        }
        for bad in ["", "/etc", "../x", "a/../b", "a//b", "a b", "a/", "-rf", "a\nb", ".", "a;b"] {
            assert!(check_shared(bad).is_err(), "{bad:?}");
        }
    }
}
