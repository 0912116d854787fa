//! The program on the node that makes the configuration files of their parts.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::element::Element;
use super::system::Place;

const PROGRAM: &str = "/usr/local/lib/pallet/tomcat";

/// Writes the part of one configuration file, or deletes it, and has the program make the file.
///
/// `kind` is `connectors`, `contexts` or `users`. Parts may hold secrets, so only root reads them.
pub(crate) fn part(
    request: &mut Request,
    place: &Place,
    (kind, name): (&str, &str),
    element: Option<&Element>,
    options: Options,
) -> Result<()> {
    let directory = format!("{}/{kind}", place.parts());
    for path in [&place.parts(), &directory] {
        request.add(Directory::at(path).owner("root").group("root").mode(0o700))?;
    }
    put(request)?;
    let path = format!("{directory}/{name}");
    match element {
        None => request.add(File::at(path).absent())?,
        Some(element) => {
            let file = RemoteFile::content(path, element.lines()?);
            request.add(file.owner("root").group("root").mode(0o600).max_versions(0))?;
        }
    }
    let (what, file) = match kind {
        "contexts" => (format!("{kind} {}", quote(name)), format!("the context {name}")),
        "users" => (kind.to_owned(), "tomcat-users.xml".to_owned()),
        _ => (kind.to_owned(), "server.xml".to_owned()),
    };
    let call = |job: &str| command(place, job, &what);
    let script = ExecCheckedScript::new(format!("write {file} of {}", place.name), call("render"));
    request.add_with(script.unless(call("is-rendered")), options)
}

/// Puts the program on the node.
pub(crate) fn put(request: &mut Request) -> Result<()> {
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    let program = RemoteFile::content(PROGRAM, include_str!("tomcat.sh"));
    request.add(program.owner("root").group("root").mode(0o644))
}

/// A call of the program; `what` is quoted.
pub(crate) fn command(place: &Place, job: &str, what: &str) -> String {
    format!("sh {PROGRAM} {job} {} {} {what}", place.tomcat, place.name)
}
