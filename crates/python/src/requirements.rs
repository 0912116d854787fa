//! The packages of a virtual environment.

use pallet_core::prelude::*;

/// Where requirements stand.
pub(crate) enum Requirements<'a> {
    None,
    /// Lines, as in a requirements file.
    List(&'a [String]),
    /// A requirements file of the project.
    File(&'a str),
    /// A requirements file on the node.
    OnNode(&'a str),
}

impl<'a> Requirements<'a> {
    pub(crate) fn of(
        list: &'a [String],
        file: Option<&'a str>,
        on_node: Option<&'a str>,
    ) -> Result<Self> {
        for line in list {
            check(line)?;
        }
        match (list.is_empty(), file, on_node) {
            (true, None, None) => Ok(Requirements::None),
            (false, None, None) => Ok(Requirements::List(list)),
            (true, Some(file), None) => Ok(Requirements::File(file)),
            (true, None, Some(path)) => {
                ensure!(path.starts_with('/'), "the path {path:?} must be absolute");
                Ok(Requirements::OnNode(path))
            }
            _ => bail!(
                "give at most one of requirements, requirements_file and requirements_on_node"
            ),
        }
    }

    /// The file on the node that pip reads; `path` is where a file of the crate may be.
    pub(crate) fn put(&self, request: &mut Request, path: String) -> Result<Option<String>> {
        let file = match self {
            Requirements::None => return Ok(None),
            Requirements::OnNode(path) => return Ok(Some((*path).to_owned())),
            Requirements::List(lines) => RemoteFile::content(&path, lines.join("\n") + "\n"),
            Requirements::File(file) => RemoteFile::local_file(&path, *file),
        };
        request.add(file.owner("root").group("root").mode(0o644))?;
        Ok(Some(path))
    }
}

/// Refuses what is not one requirement. Options of pip have parameters of their own.
fn check(line: &str) -> Result<()> {
    ensure!(
        !line.trim().is_empty()
            && !line.contains(char::is_control)
            && !line.ends_with('\\')
            && !line.trim_start().starts_with('-'),
        "the requirement {line:?} must be one line such as \"gunicorn==23.0.0\", without options \
         of pip"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_one_line_and_no_option() {
        let hashed = "a==1 --hash=sha256:00";
        for good in ["gunicorn==23.0.0", "a>=1; python_version < '3.12'", hashed] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "a\nb", "--index-url http://x", " -r /etc/passwd", "a \\"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }
}
