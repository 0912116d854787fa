//! The program on the node that asks npm to install.

use std::collections::BTreeMap;

use pallet_core::prelude::*;
use pallet_core::script::quote;

const PROGRAM: &str = "/usr/local/lib/pallet/nodejs";

/// Declares a job of the program, unless another one says that it is done.
pub(crate) fn run(
    request: &mut Request,
    what: String,
    (job, done): (&str, &str),
    arguments: &[&str],
    settings: &BTreeMap<&str, String>,
    options: Options,
) -> Result<()> {
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    let file = RemoteFile::content(PROGRAM, include_str!("nodejs.sh"));
    request.add(file.owner("root").group("root").mode(0o644))?;
    let arguments: String = arguments.iter().map(|word| format!(" {}", quote(word))).collect();
    let script = ExecCheckedScript::new(what, format!("sh {PROGRAM} {job}{arguments}"));
    let script = script.unless(format!("sh {PROGRAM} {done}{arguments}"));
    // variables, since lists of processes show arguments
    let script = settings.iter().fold(script, |script, (name, value)| script.env(*name, value));
    request.add_with(script, options)
}

/// Refuses what is no URL of a registry.
pub(crate) fn check_registry(registry: Option<&str>) -> Result<()> {
    let good = |url: &str| {
        (url.starts_with("https://") || url.starts_with("http://"))
            && !url.contains(|character: char| character.is_whitespace() || character.is_control())
    };
    ensure!(registry.is_none_or(good), "the registry {registry:?} is not a URL");
    Ok(())
}
