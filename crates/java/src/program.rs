//! The program on the node that makes keystores and trusts certificates.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

const PROGRAM: &str = "/usr/local/lib/pallet/java";

/// Declares a job of the program, unless another one says that it is done.
///
/// Its settings are variables: passwords must not be seen in lists of processes.
pub(crate) fn run(
    request: &mut Request,
    what: String,
    (job, done): (&str, &str),
    settings: BTreeMap<&str, String>,
    options: Options,
) -> Result<()> {
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    let file = RemoteFile::content(PROGRAM, include_str!("java.sh"));
    request.add(file.owner("root").group("root").mode(0o644))?;
    let script = ExecCheckedScript::new(what, format!("sh {PROGRAM} {job}"));
    let script = script.unless(format!("sh {PROGRAM} {done}"));
    let script = settings.into_iter().fold(script, |script, (name, value)| script.env(name, value));
    request.add_with(script, options)
}

/// Refuses what is no absolute path of a file.
pub(crate) fn check_path(what: &str, path: &str) -> Result<()> {
    ensure!(
        path.starts_with('/')
            && !path.ends_with('/')
            && !path.contains(char::is_control)
            && !path.split('/').any(|part| part == ".."),
        "the {what} {path:?} must be the absolute path of a file"
    );
    Ok(())
}

/// Refuses what is no alias in a keystore.
pub(crate) fn check_alias(alias: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let good = |byte: u8| good(byte) || b"-_.".contains(&byte);
    ensure!(
        !alias.is_empty() && !alias.starts_with('-') && alias.bytes().all(good),
        "the alias {alias:?} must be of small letters, digits, -, _ and ."
    );
    Ok(())
}
