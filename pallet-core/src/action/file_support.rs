//! Shared by the actions on files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActionError, Certainty, Change};
use crate::model::Known;
use crate::observe::{Attributes, FileState, NodeState};
use crate::script::{Script, quote};

/// Whether something should be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Existence {
    /// It should.
    #[default]
    Create,
    /// It should not.
    Delete,
}

/// Refuses a path that is not absolute, or that is not a valid path at all.
pub(super) fn require_absolute(action: &str, path: &str) -> Result<(), ActionError> {
    if path.contains('\0') {
        return Err(ActionError::arguments(
            action,
            format!("the path {path:?} holds a NUL character"),
        ));
    }
    if !path.starts_with('/') {
        return Err(ActionError::arguments(
            action,
            format!("the path {path:?} is not absolute; write it from /"),
        ));
    }
    if path.len() > 1 && path.ends_with('/') {
        return Err(ActionError::arguments(
            action,
            format!("the path {path:?} ends with /; remove it"),
        ));
    }
    if path.split('/').any(|part| part == "." || part == "..") {
        return Err(ActionError::arguments(
            action,
            format!("the path {path:?} holds `.` or `..`; write it without"),
        ));
    }
    Ok(())
}

/// The path that a link at `path` with this target leads to.
pub(super) fn link_target(path: &str, target: &str) -> String {
    match path.rsplit_once('/') {
        Some((directory, _)) if !target.starts_with('/') => format!("{directory}/{target}"),
        _ => target.to_owned(),
    }
}

/// Refuses an invalid name of a user or a group.
pub(super) fn require_name(action: &str, what: &str, name: &str) -> Result<(), ActionError> {
    let numeric = name.bytes().all(|byte| byte.is_ascii_digit());
    if name.is_empty() || numeric || name.starts_with('-') || name.contains([':', '/', '\n', '\0'])
    {
        return Err(ActionError::arguments(
            action,
            format!("the {what} {name:?} is not a name; write the name, not a number"),
        ));
    }
    Ok(())
}

/// The wanted owner, group and mode, from an action's arguments.
pub(super) fn attributes(
    action: &str,
    owner: &Option<String>,
    group: &Option<String>,
    mode: &Option<String>,
) -> Result<Attributes, ActionError> {
    for (what, name) in [("owner", owner), ("group", group)] {
        if let Some(name) = name {
            require_name(action, what, name)?;
        }
    }
    let mode = match mode {
        None => None,
        Some(text) => match u32::from_str_radix(text, 8) {
            Ok(mode) if mode <= 0o7777 => Some(mode),
            _ => {
                return Err(ActionError::arguments(
                    action,
                    format!("the mode {text:?} is not octal permissions such as \"0644\""),
                ));
            }
        },
    };
    Ok(Attributes { owner: owner.clone(), group: group.clone(), mode })
}

/// The wanted attributes as words of a library call: owner, group and mode; empty for one that
/// stays unchanged.
pub(super) fn attribute_words(wanted: &Attributes) -> [String; 3] {
    [
        wanted.owner.clone().unwrap_or_default(),
        wanted.group.clone().unwrap_or_default(),
        wanted.mode.map(|mode| format!("{mode:04o}")).unwrap_or_default(),
    ]
}

/// The attributes of a new file or directory as the library creates it: owned by the running user,
/// and by the group root if that user is root.
pub(super) fn new_attributes(node: &NodeState, wanted: &Attributes, mode: u32) -> Attributes {
    let group = (node.user == "root").then(|| node.user.clone());
    wanted.or(&Attributes { owner: Some(node.user.clone()), group, mode: Some(mode) })
}

/// The directory that contains a path.
pub(super) fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent).filter(|parent| !parent.is_empty())
}

/// Plans to change `path` to `wanted` with `script`: nothing if it is known to match,
/// [`Certainty::May`](super::Certainty) if its state is unknown.
pub(super) fn plan_file(
    node: &mut NodeState,
    path: &str,
    wanted: FileState,
    script: Script,
) -> Result<Option<Change>, ActionError> {
    require_parent(node, path, &wanted)?;
    let change = match node.file(path) {
        Known::Known(current) if wanted.allows(current) => return Ok(None),
        Known::Known(current) => {
            let change =
                Change::will(summary(current, &wanted), script).with_diff(diff(current, &wanted));
            Change {
                certainty: if may_be(current, &wanted) { Certainty::May } else { Certainty::Will },
                ..change
            }
        }
        Known::Unknown => {
            Change::may(format!("ensure {}", kind(&wanted)), script).with_diff(all_of(&wanted))
        }
    };
    node.set_file(path, wanted);
    Ok(Some(change))
}

/// Removes whatever is at `path`.
pub(super) fn plan_delete(node: &mut NodeState, path: &str) -> Option<Change> {
    delete(node, path, Script::new().call(["ensure_absent", path]))
}

/// Removes what is at `path` if it is of one of these kinds, as in the library's `require_kind`.
pub(super) fn plan_delete_of(node: &mut NodeState, path: &str, kinds: &str) -> Option<Change> {
    let script = only_of_kind(node, path, kinds, Script::new().call(["ensure_absent", path]));
    delete(node, path, script)
}

fn delete(node: &mut NodeState, path: &str, script: Script) -> Option<Change> {
    let was = node.file(path).cloned();
    let change = match was {
        Known::Known(FileState::Absent) => return None,
        Known::Known(current) => {
            let diff = diff(&current, &FileState::Absent);
            Change::will(format!("delete {}", kind(&current)), script).with_diff(diff)
        }
        Known::Unknown => Change::may("ensure it is absent", script),
    };
    node.forget_files_below(path);
    node.set_file(path, FileState::Absent);
    Some(change)
}

/// `script`, with a check for the node if the state of `path` is unknown: it fails if something of
/// another kind is there, just as a plan does if the state is known. The kinds are those of the
/// library's `require_kind`.
pub(super) fn only_of_kind(node: &NodeState, path: &str, kinds: &str, script: Script) -> Script {
    match node.file(path) {
        Known::Known(_) => script,
        Known::Unknown => {
            let whole = Script::new().call(["require_kind", path, kinds]).raw(script.as_str());
            // the check does not prevent batching with neighbours
            if script.is_of_one_file() { whole.of_one_file() } else { whole }
        }
    }
}

/// A script that reads the file at `path` during observation. It fails if that is not a regular
/// file: reading a named pipe would block.
pub(super) fn only_of_file(path: &str, script: &str) -> String {
    format!("[ -f {} ] || exit 1\n{script}", quote(path))
}

/// Refuses a path whose parent directory is missing; a directory creates its parents.
pub(super) fn require_parent(
    node: &NodeState,
    path: &str,
    wanted: &FileState,
) -> Result<(), ActionError> {
    let Some(parent) = parent(path) else { return Ok(()) };
    match (node.file(parent), wanted) {
        (Known::Known(FileState::Absent), FileState::Directory(_)) => Ok(()),
        (Known::Known(FileState::Absent), _) => Err(ActionError::node(format!(
            "there is no directory {parent} for {path}; declare directory({parent:?}) before it"
        ))),
        (Known::Known(FileState::File { .. } | FileState::Fifo(_) | FileState::Other), _) => Err(
            ActionError::node(format!("{parent} is not a directory, so there can be no {path}")),
        ),
        _ => Ok(()),
    }
}

pub(super) fn summary(current: &FileState, wanted: &FileState) -> String {
    match (current, wanted) {
        (FileState::Absent, wanted) => format!("create {}", kind(wanted)),
        (FileState::File { digest: old, .. }, FileState::File { digest: new, .. })
            if new.is_some() && old != new =>
        {
            "change content".to_owned()
        }
        (FileState::File { .. }, FileState::File { .. })
        | (FileState::Directory(_), FileState::Directory(_))
        | (FileState::Fifo(_), FileState::Fifo(_)) => "change owner or mode".to_owned(),
        (FileState::Link { .. }, FileState::Link { .. }) => "change target".to_owned(),
        (current, wanted) => format!("replace {} by {}", kind(current), kind(wanted)),
    }
}

/// Whether a partly known path may already match: its unknown parts might.
fn may_be(current: &FileState, wanted: &FileState) -> bool {
    let filled = |known: &Attributes, wanted: &Attributes| wanted.allows(&known.or(wanted));
    match (current, wanted) {
        (
            FileState::File { digest, attributes, .. },
            FileState::File { digest: new, attributes: new_attributes, .. },
        ) => {
            (digest.is_none() || new.is_none() || digest == new)
                && filled(attributes, new_attributes)
        }
        (FileState::Directory(known), FileState::Directory(wanted))
        | (FileState::Fifo(known), FileState::Fifo(wanted)) => filled(known, wanted),
        _ => false,
    }
}

/// A diff for people if the current state is unknown: shows all that is wanted.
pub(super) fn all_of(wanted: &FileState) -> String {
    let attributes = match wanted {
        FileState::File { attributes, .. }
        | FileState::Directory(attributes)
        | FileState::Fifo(attributes) => attributes,
        FileState::Link { .. } => return diff(&FileState::Absent, wanted),
        FileState::Absent | FileState::Other => return String::new(),
    };
    let said = *attributes != Attributes::default();
    // without attributes the first line is useless, and the line numbers are unknown
    let shown = diff(&FileState::Absent, wanted);
    shown
        .split_inclusive('\n')
        .skip(usize::from(!said))
        .filter(|line| !line.starts_with("@@"))
        .collect()
}

/// A diff for people between two states of a path.
pub(super) fn diff(current: &FileState, wanted: &FileState) -> String {
    let mut out = String::new();
    let (old, new) = (headline(current), headline(wanted));
    if old != new {
        for (sign, line) in [('-', old), ('+', new)] {
            if let Some(line) = line {
                out.push_str(&format!("{sign} {line}\n"));
            }
        }
    }
    let text = |state: &FileState| match state {
        FileState::File { text, .. } => text.clone(),
        FileState::Absent => Some(String::new()),
        _ => None,
    };
    let digest = |state: &FileState| match state {
        FileState::File { digest, .. } => digest.clone(),
        _ => None,
    };
    match (text(current), text(wanted)) {
        (Some(old), Some(new)) if old != new => {
            let lines = similar::TextDiff::from_lines(&old, &new);
            for hunk in lines.unified_diff().context_radius(3).iter_hunks() {
                out.push_str(&hunk.to_string());
                if !out.ends_with('\n') {
                    out.push('\n');
                }
            }
        }
        (Some(_), Some(_)) => {}
        _ if digest(current) != digest(wanted) => {
            for (sign, digest) in [('-', digest(current)), ('+', digest(wanted))] {
                if let Some(digest) = digest {
                    out.push_str(&format!("{sign} content with SHA-256 {digest}\n"));
                }
            }
        }
        _ => {}
    }
    out
}

pub(super) fn kind(state: &FileState) -> &'static str {
    match state {
        FileState::Absent => "nothing",
        FileState::File { .. } => "file",
        FileState::Directory(_) => "directory",
        FileState::Link { .. } => "link",
        FileState::Fifo(_) => "named pipe",
        FileState::Other => "special file",
    }
}

fn headline(state: &FileState) -> Option<String> {
    let attributes = |attributes: &Attributes| {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "?".to_owned());
        let mode = attributes.mode.map_or("?".to_owned(), |mode| format!("{mode:04o}"));
        format!("{}:{} {mode}", name(&attributes.owner), name(&attributes.group))
    };
    match state {
        FileState::Absent => None,
        FileState::File { attributes: own, .. } => Some(format!("file {}", attributes(own))),
        FileState::Directory(own) => Some(format!("directory {}", attributes(own))),
        FileState::Link { target } => Some(format!("link to {target}")),
        FileState::Fifo(own) => Some(format!("named pipe {}", attributes(own))),
        FileState::Other => Some("special file".to_owned()),
    }
}
