//! What is copied and where to, as people write it: `web-1:/etc/motd`, `web:/srv`, `./file`.

use std::path::PathBuf;

use super::super::EngineError;

/// One end of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this machine.
    Here(PathBuf),
    /// On nodes.
    There {
        /// The name of a node, or of a group, which means all its nodes.
        name: String,
        /// An absolute path.
        path: String,
    },
}

/// A copy, as people write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyRequest {
    /// From this machine to nodes.
    Upload {
        /// Files and directories.
        sources: Vec<PathBuf>,
        /// The name of a node or a group.
        name: String,
        /// An absolute path there.
        target: String,
    },
    /// From nodes to this machine.
    Download {
        /// Each the name of a node or a group, and an absolute path there.
        sources: Vec<(String, String)>,
        /// Where to.
        target: PathBuf,
    },
}

impl Place {
    /// Reads one. What stands before the first colon is the name of a node or a group, unless there
    /// is a slash in it: `./a:b` is a file here.
    pub fn parse(text: &str) -> Result<Place, EngineError> {
        let refuse = |message: String| Err(EngineError::Refused(message));
        match text.split_once(':') {
            Some((name, path)) if !name.contains('/') => match path.starts_with('/') {
                _ if name.is_empty() => refuse(format!(
                    "{text}: no node is named before the colon; write NODE:/path, \
                        or ./{text} for a file here"
                )),
                true => Ok(Place::There { name: name.to_owned(), path: path.to_owned() }),
                false => refuse(format!(
                    "{text}: a path on a node is absolute; write \
                    {name}:/{path}, or ./{text} for a file here"
                )),
            },
            _ if text.is_empty() => refuse("a path is empty".to_owned()),
            _ => Ok(Place::Here(PathBuf::from(text))),
        }
    }
}

impl CopyRequest {
    /// Reads a copy: its sources, and behind them where to. One side is here, the other on nodes.
    pub fn parse(words: &[String]) -> Result<CopyRequest, EngineError> {
        let refuse = |message: &str| Err(EngineError::Refused(message.to_owned()));
        let Some((target, sources)) = words.split_last().filter(|(_, sources)| !sources.is_empty())
        else {
            return refuse("nothing to copy: name what to copy, and where to");
        };
        let sources =
            sources.iter().map(|word| Place::parse(word)).collect::<Result<Vec<_>, _>>()?;
        match Place::parse(target)? {
            Place::There { name, path } => {
                let here = sources.into_iter().map(|source| match source {
                    Place::Here(path) => Ok(path),
                    Place::There { name, path } => Err(EngineError::Refused(format!(
                        "{name}:{path} and {target} are both on nodes; copy by way of this \
                         machine: first to a directory here, then from it"
                    ))),
                });
                Ok(CopyRequest::Upload {
                    sources: here.collect::<Result<_, _>>()?,
                    name,
                    target: path,
                })
            }
            Place::Here(target) => {
                let there = sources.into_iter().map(|source| match source {
                    Place::There { name, path } => Ok((name, path)),
                    Place::Here(path) => Err(EngineError::Refused(format!(
                        "{} and {} are both on this machine; write NODE:/path for a file on a node",
                        path.display(),
                        target.display()
                    ))),
                });
                Ok(CopyRequest::Download { sources: there.collect::<Result<_, _>>()?, target })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<CopyRequest, String> {
        CopyRequest::parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn one_side_is_here_and_the_other_on_nodes() {
        assert_eq!(
            parse(&["a", "./b:c", "web:/srv/"]),
            Ok(CopyRequest::Upload {
                sources: vec!["a".into(), "./b:c".into()],
                name: "web".into(),
                target: "/srv/".into()
            })
        );
        assert_eq!(
            parse(&["web-1:/etc/a:b", "."]),
            Ok(CopyRequest::Download {
                sources: vec![("web-1".into(), "/etc/a:b".into())],
                target: ".".into()
            })
        );
        for (words, said) in [
            (&["a", "b"][..], "are both on this machine"),
            (&["web:/a", "db:/b"], "are both on nodes"),
            (&["a"], "nothing to copy"),
            (&["a", "web:srv"], "write web:/srv, or ./web:srv"),
            (&["a", ":/srv"], "no node is named"),
            (&["", "web:/srv"], "a path is empty"),
        ] {
            let error = parse(words).unwrap_err();
            assert!(error.contains(said), "{words:?}: {error}");
        }
    }
}
