//! Sources and targets as the user writes them: `web-1:/etc/motd`, `web:/srv`, `./file`.

use std::path::PathBuf;

use crate::engine::EngineError;

/// The source or the target of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyPath {
    /// On this machine.
    Local(PathBuf),
    /// On nodes.
    OnNodes {
        /// The name of a node, or of a group, which stands for all its nodes.
        name: String,
        /// An absolute path.
        path: String,
    },
}

/// A copy, as the user writes it.
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
        /// For each source, the name of a node or a group, and an absolute path there.
        sources: Vec<(String, String)>,
        /// The local target.
        target: PathBuf,
    },
}

impl CopyPath {
    /// Parses a path. The part before the first colon names nodes, unless it contains a slash:
    /// `./a:b` is a local file. A colon within brackets is that of a range: `web-[1:9]:/srv`.
    pub fn parse(text: &str) -> Result<CopyPath, EngineError> {
        let refuse = |message: String| Err(EngineError::Refused(message));
        let mut within = false;
        let colon = text.bytes().position(|byte| {
            within = byte == b'[' || within && byte != b']';
            byte == b':' && !within
        });
        match colon.map(|at| (&text[..at], &text[at + 1..])) {
            Some((name, path)) if !name.contains('/') => match path.starts_with('/') {
                _ if name.is_empty() => refuse(format!(
                    "{text}: no node is named before the colon; write NODE:/path, \
                        or ./{text} for a file here"
                )),
                true => Ok(CopyPath::OnNodes { name: name.to_owned(), path: path.to_owned() }),
                false => refuse(format!(
                    "{text}: a path on a node must be absolute; write \
                    {name}:/{path}, or ./{text} for a file here"
                )),
            },
            _ if text.is_empty() => refuse("a path is empty".to_owned()),
            _ => Ok(CopyPath::Local(PathBuf::from(text))),
        }
    }
}

impl CopyRequest {
    /// Parses a copy: its sources, then its target. One side is local, the other on nodes.
    pub fn parse(words: &[String]) -> Result<CopyRequest, EngineError> {
        let refuse = |message: &str| Err(EngineError::Refused(message.to_owned()));
        let Some((target, sources)) = words.split_last().filter(|(_, sources)| !sources.is_empty())
        else {
            return refuse("nothing to copy: name what to copy, and where to");
        };
        let sources =
            sources.iter().map(|word| CopyPath::parse(word)).collect::<Result<Vec<_>, _>>()?;
        match CopyPath::parse(target)? {
            CopyPath::OnNodes { name, path } => {
                let here = sources.into_iter().map(|source| match source {
                    CopyPath::Local(path) => Ok(path),
                    CopyPath::OnNodes { name, path } => Err(EngineError::Refused(format!(
                        "{name}:{path} and {target} are both on nodes; copy via this \
                         machine: first to a directory here, then from it"
                    ))),
                });
                Ok(CopyRequest::Upload {
                    sources: here.collect::<Result<_, _>>()?,
                    name,
                    target: path,
                })
            }
            CopyPath::Local(target) => {
                let there = sources.into_iter().map(|source| match source {
                    CopyPath::OnNodes { name, path } => Ok((name, path)),
                    CopyPath::Local(path) => Err(EngineError::Refused(format!(
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
        assert_eq!(
            parse(&["web-[1:9]:/etc/motd", "."]),
            Ok(CopyRequest::Download {
                sources: vec![("web-[1:9]".into(), "/etc/motd".into())],
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
