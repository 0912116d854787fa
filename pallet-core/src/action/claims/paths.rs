//! Claims on paths, and so on their parent directories.

use std::collections::HashMap;

/// A claim on a path.
#[derive(Debug)]
pub(super) struct PathClaim {
    path: String,
    what: PathClaimKind,
}

#[derive(Debug)]
enum PathClaimKind {
    /// Nothing exists there.
    Nothing,
    /// It is not a directory.
    Closed,
    /// It exists, and may be a directory.
    Open,
    /// It has this owner or group.
    Owned { aspect: &'static str, is: String },
    /// Everything below it has this owner or group.
    OwnedBelow { aspect: &'static str, is: String },
    /// Only some entries below it may exist.
    OnlyIn(Keeps),
}

/// Decides whether an entry may stay, by its path in the directory.
struct Keeps(Box<dyn Fn(&str) -> bool + Send>);

impl std::fmt::Debug for Keeps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeps")
    }
}

impl PathClaim {
    /// A claim on what is at a path, in the words of [`path`](super::Claims::path).
    pub(super) fn stands(path: &str, is: &str) -> Self {
        let what = match is {
            "nothing" => PathClaimKind::Nothing,
            // a link is not closed: it may lead to a directory
            "a file" | "a named pipe" => PathClaimKind::Closed,
            _ => PathClaimKind::Open,
        };
        PathClaim { path: plain(path), what }
    }

    pub(super) fn owned(path: &str, aspect: &'static str, is: &str) -> Self {
        PathClaim { path: plain(path), what: PathClaimKind::Owned { aspect, is: is.to_owned() } }
    }

    pub(super) fn owned_below(path: &str, aspect: &'static str, is: &str) -> Self {
        PathClaim {
            path: plain(path),
            what: PathClaimKind::OwnedBelow { aspect, is: is.to_owned() },
        }
    }

    pub(super) fn only_in(path: &str, keeps: impl Fn(&str) -> bool + Send + 'static) -> Self {
        PathClaim { path: plain(path), what: PathClaimKind::OnlyIn(Keeps(Box::new(keeps))) }
    }
}

/// The claims on all paths so far, each with the position of its action.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// Paths that nothing can be below.
    closed: HashMap<String, Vec<usize>>,
    /// Entries below a directory, by their path in it.
    below: HashMap<String, Vec<(String, usize)>>,
    only: HashMap<String, Vec<(Keeps, usize)>>,
    /// Owners and groups of paths below a directory: path, owner or group, and name.
    owned: HashMap<String, Vec<(String, &'static str, String, usize)>>,
    owned_below: HashMap<String, Vec<(&'static str, String, usize)>>,
}

impl Paths {
    /// Adds a claim of the action at position `at`. Returns the position of an earlier action that
    /// it undoes, if any, and what they disagree about.
    pub(super) fn add(
        &mut self,
        claim: PathClaim,
        at: usize,
        meets: &dyn Fn(&usize) -> bool,
    ) -> Option<(usize, String)> {
        let path = claim.path;
        match claim.what {
            PathClaimKind::Nothing => self.close(path, at, meets),
            PathClaimKind::Closed => {
                let undone = self.stand(&path, at, meets);
                undone.or(self.close(path, at, meets))
            }
            PathClaimKind::Open => self.stand(&path, at, meets),
            PathClaimKind::Owned { aspect, is } => {
                let mut undone = None;
                for (directory, _) in above(&path) {
                    let whole = self.owned_below.get(directory).into_iter().flatten();
                    let other = whole
                        .into_iter()
                        .find(|(of, whose, at)| *of == aspect && *whose != is && meets(at));
                    undone =
                        undone.or(other.map(|(.., at)| (*at, format!("the {aspect} of {path}"))));
                    self.owned.entry(directory.to_owned()).or_default().push((
                        path.clone(),
                        aspect,
                        is.clone(),
                        at,
                    ));
                }
                undone
            }
            PathClaimKind::OwnedBelow { aspect, is } => {
                let parts = self.owned.get(&path).into_iter().flatten();
                let other = parts
                    .into_iter()
                    .find(|(_, of, whose, at)| *of == aspect && *whose != is && meets(at));
                let undone = other.map(|(of, _, _, at)| (*at, format!("the {aspect} of {of}")));
                self.owned_below.entry(path).or_default().push((aspect, is, at));
                undone
            }
            PathClaimKind::OnlyIn(keeps) => {
                let there = self.below.get(&path).into_iter().flatten();
                let undone = there
                    .into_iter()
                    .find(|(inner, at)| !keeps.0(inner) && meets(at))
                    .map(|(_, at)| *at);
                self.only.entry(path.clone()).or_default().push((keeps, at));
                undone.map(|at| (at, format!("what is in {path}")))
            }
        }
    }

    /// Something exists at a path, so all of its parents are directories.
    fn stand(
        &mut self,
        path: &str,
        at: usize,
        meets: &dyn Fn(&usize) -> bool,
    ) -> Option<(usize, String)> {
        let mut undone = None;
        for (directory, inner) in above(path) {
            let closed = self.closed.get(directory).into_iter().flatten().find(|at| meets(at));
            undone = undone.or(closed.map(|at| (*at, format!("what stands at {directory}"))));
            let only = self
                .only
                .get(directory)
                .into_iter()
                .flatten()
                .find(|(keeps, at)| !keeps.0(inner) && meets(at));
            undone = undone.or(only.map(|(_, at)| (*at, format!("what is in {directory}"))));
            self.below.entry(directory.to_owned()).or_default().push((inner.to_owned(), at));
        }
        undone
    }

    fn close(
        &mut self,
        path: String,
        at: usize,
        meets: &dyn Fn(&usize) -> bool,
    ) -> Option<(usize, String)> {
        let there = self.below.get(&path).into_iter().flatten().find(|(_, at)| meets(at));
        let undone = there.map(|(_, at)| (*at, format!("what stands at {path}")));
        self.closed.entry(path).or_default().push(at);
        undone
    }
}

/// The parent directories of a path, each with the rest of the path.
fn above(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.match_indices('/').skip(1).map(|(at, _)| (&path[..at], &path[at + 1..]))
}

/// A path without empty and `.` components.
fn plain(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        plain.push('/');
        plain.push_str(part);
    }
    plain
}
