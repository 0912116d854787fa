//! The laws that hold for any state of a node and any declaration.

use std::path::{Path, PathBuf};

use super::node::Node;
use super::tree::{Difference, Parent, Tree, TreeEntry, What};
use super::wishes::{Case, Target};
use crate::action::{AnyAction, Certainty, TABLE};
use crate::observe::NodeState;

use super::super::Project;

/// The result of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Became {
    /// The arguments were refused.
    Refused(String),
    Right,
    Changed,
    /// It is impossible on such a node.
    CannotBe(String),
    Failed(String),
}

impl Became {
    fn is_error(&self) -> bool {
        matches!(self, Became::CannotBe(_) | Became::Failed(_))
    }
}

/// One action of a case.
struct Declared {
    action: Box<dyn AnyAction>,
    /// The paths that it may write, including everything below if marked so.
    writes: Vec<PathBuf>,
    below: bool,
    /// It removes what exists there, or replaces it with something that is not a file.
    replaces: bool,
    /// The path of its file, whose undeclared attributes it keeps.
    path: String,
    /// It declares the owner or the mode of the file.
    owner: bool,
    group: bool,
    mode: bool,
    /// It must succeed on such a node.
    holds: bool,
}

/// Checks all laws for a case. Returns the result of each action, or the law that was broken.
pub(super) fn check(
    node: &mut Node,
    project: &Project,
    case: &Case,
) -> Result<Vec<Became>, String> {
    let (mut became, mut declared) = (Vec::new(), Vec::new());
    for (at, target) in case.targets.iter().enumerate() {
        match declare(at, target, project) {
            Ok(action) => declared.push(action),
            Err(refused) => became.push(Became::Refused(refused)),
        }
    }
    let shell = case.shell % node.shells();
    let (known, tree) = run(node, shell, case, &declared, false)?;
    if !case.unknown {
        became.extend(known);
        return Ok(became);
    }
    let (unknown, same) = run(node, shell, case, &declared, true)?;
    for (at, (known, unknown)) in known.iter().zip(&unknown).enumerate() {
        // the plan finds nothing to do; the node finds that it is not allowed there, or cannot make
        // there what it would compare
        let finds = |said: &str| is_of_others(said) || said.contains("Read-only file system");
        if matches!((known, unknown), (Became::Right, Became::Failed(said)) if finds(said)) {
            continue;
        }
        if known.is_error() != unknown.is_error()
            || (*known == Became::Changed) != (*unknown == Became::Changed)
        {
            return Err(format!(
                "the node decides otherwise than the plan: action {at}: {known:?}, \
                and unknown {unknown:?}"
            ));
        }
    }
    // if a plan refuses it, the node may also find out after a part of it is done
    let begun = |difference: &Difference<'_>| {
        declared.iter().zip(&unknown).any(|(declared, end)| {
            matches!(end, Became::Failed(_)) && is_made_before(declared, difference)
        })
    };
    let other: Vec<_> = tree
        .differences(&same)
        .into_iter()
        .filter(|difference| !is_of_pallet(difference.path) && !begun(difference))
        .collect();
    if let Some(difference) = other.first() {
        return Err(format!("the node makes another thing than what was planned: {difference}"));
    }
    became.extend(known);
    Ok(became)
}

fn declare(at: usize, target: &Target, project: &Project) -> Result<Declared, String> {
    let wish = target.wish();
    let mut arguments = wish.arguments.clone();
    if let Target::At { .. } = target {
        arguments.insert("path".to_owned(), path(at, target).into());
    }
    let has = |name: &str| arguments.contains_key(name);
    let (owner, group, mode) = (has("owner"), has("group"), has("mode"));
    let recursive = arguments.get("recursive").is_some_and(|value| value == true);
    let delete = arguments.get("action").is_some_and(|action| action == "delete");
    let below = recursive
        || delete
        || UNPACKS.contains(&wish.action)
        || matches!(target, Target::Key { .. });
    let replaces = delete
        || matches!(wish.action, "symbolic_link" | "timezone" | "kernel_module")
        || has("link");
    let entry =
        TABLE.iter().find(|entry| entry.name == wish.action).expect("there is such an action");
    let mut action = (entry.parse)(arguments.into()).map_err(|error| error.to_string())?;
    action.prepare(project).map_err(|error| error.to_string())?;
    let (path, writes, holds) = match target {
        Target::At { parent, standing, .. } => {
            let path = path(at, target);
            let mut writes = vec![PathBuf::from(&path)];
            if *parent == Parent::Link {
                writes.push(
                    Path::new("/home/elsewhere")
                        .join(Path::new(&path).strip_prefix("/srv").expect("it is there")),
                );
            }
            if *parent == Parent::Missing
                && (wish.action == "directory" || UNPACKS.contains(&wish.action))
            {
                writes.push(Path::new(&path).parent().expect("it has one").to_owned());
            }
            let whole = matches!(
                standing.what,
                What::Nothing | What::File(_) | What::TwoNames(_) | What::MountedFile(_)
            );
            let fits = match wish.action {
                // a mount point cannot be removed
                "file" | "remote_file" => {
                    whole && !(replaces && matches!(standing.what, What::MountedFile(_)))
                }
                "directory" | "fifo" | "symbolic_link" => matches!(standing.what, What::Nothing),
                _ => false,
            };
            (path, writes, fits && parent.can_be_changed())
        }
        Target::Own { path, .. } => {
            let writes: Vec<PathBuf> = action.needs().paths.iter().map(PathBuf::from).collect();
            let own = writes.iter().find(|own| own.to_string_lossy().starts_with(path));
            (own.map_or(String::new(), |own| own.to_string_lossy().into_owned()), writes, false)
        }
        Target::Key { .. } => (KEYS.to_owned(), vec![PathBuf::from("/home/app/.ssh")], false),
    };
    Ok(Declared { action, writes, below, replaces, path, owner, group, mode, holds })
}

/// The actions that unpack an archive to a directory.
const UNPACKS: [&str; 2] = ["remote_directory", "archive"];

const KEYS: &str = "/home/app/.ssh/authorized_keys";

fn path(at: usize, target: &Target) -> String {
    let Target::At { name, .. } = target else { return String::new() };
    format!("/srv/{at}/{name}")
}

/// Creates the initial state of the case.
fn lay_out(node: &mut Node, case: &Case, declared: &[Declared]) -> std::io::Result<()> {
    node.reset(case.known_to_pallet)?;
    for (at, target) in case.targets.iter().enumerate() {
        match target {
            Target::At { parent, standing, .. } => {
                node.put(&path(at, target), Some(*parent), standing)?
            }
            Target::Own { path, standing, .. } => {
                for own in declared.iter().filter(|declared| declared.path.starts_with(path)) {
                    node.put(&own.path, None, standing)?;
                }
            }
            Target::Key { directory, file, .. } => {
                if let Some(directory) = directory {
                    node.put("/home/app/.ssh", None, directory)?;
                    // nothing is created behind a link
                    if matches!(directory.what, What::Directory { .. }) {
                        node.put(KEYS, None, file)?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Creates the initial state, and plans and applies each action in turn, from an observation or
/// from an unknown state.
fn run(
    node: &mut Node,
    shell: usize,
    case: &Case,
    declared: &[Declared],
    unknown: bool,
) -> Result<(Vec<Became>, Tree), String> {
    let io = |error: std::io::Error| format!("the test itself failed: {error}");
    lay_out(node, case, declared).map_err(io)?;
    let before = node.tree().map_err(io)?;
    let actions: Vec<&dyn AnyAction> =
        declared.iter().map(|declared| declared.action.as_ref()).collect();
    let sees = node.sees_attributes(shell);
    let observed = node.observe(shell, &actions)?;
    let mut tree = node.tree().map_err(io)?;
    if before != tree {
        let seen = before.differences(&tree);
        return Err(format!(
            "a dry run changed the node: {}",
            seen.first().map_or("times alone".to_owned(), Difference::to_string)
        ));
    }
    let mut state = if unknown { NodeState::new(observed.os.clone()) } else { observed };
    let (mut became, mut held) = (Vec::new(), Vec::new());
    for declared in declared {
        let predicted = state.clone();
        let change = match declared.action.plan(&mut state) {
            Ok(Some(change)) => change,
            other => {
                let end = other
                    .map_or_else(|error| Became::CannotBe(error.to_string()), |_| Became::Right);
                must_hold(declared, &end)?;
                if end.is_error() {
                    state = predicted;
                } else {
                    held.push(declared.action.as_ref());
                }
                became.push(end);
                continue;
            }
        };
        let applied = node.apply(shell, &change);
        let after = node.tree().map_err(io)?;
        let label = || {
            format!("{} of {:?} ({:?})", declared.action.name(), declared.path, change.certainty)
        };
        bounds(declared, &tree, &after, sees)
            .map_err(|broken| format!("{broken}, by {}", label()))?;
        let end = match applied {
            Err(said) => Became::Failed(said),
            Ok(true) => Became::Changed,
            Ok(false) => Became::Right,
        };
        let differs: Vec<_> = tree
            .differences(&after)
            .into_iter()
            .filter(|difference| !is_of_pallet(difference.path))
            .collect();
        match &end {
            Became::Failed(said) => {
                let left = differs.iter().find(|difference| !is_made_before(declared, difference));
                if let Some(difference) = left {
                    return Err(format!(
                        "{} failed ({said:?}) and left another tree: {difference}",
                        label()
                    ));
                }
                if said.trim().is_empty() && declared.action.name() != "sed" {
                    return Err(format!("{} failed without a word", label()));
                }
                if !unknown && change.certainty == Certainty::Will && !is_found_out(declared, said)
                {
                    return Err(format!("{} was planned and failed: {said}", label()));
                }
            }
            Became::Changed if differs.is_empty() && !is_touched(declared, &tree, &after) => {
                return Err(format!("{} reported a change, and there is none", label()));
            }
            Became::Right if !differs.is_empty() => {
                return Err(format!(
                    "{} changed something, and reported nothing: {}",
                    label(),
                    differs[0]
                ));
            }
            Became::Right if change.certainty == Certainty::Will => {
                return Err(format!("{} was sure, and changed nothing", label()));
            }
            _ => {}
        }
        must_hold(declared, &end)?;
        match end.is_error() {
            true => state = predicted,
            false => held.push(declared.action.as_ref()),
        }
        became.push(end);
        tree = after;
    }
    settled(node, shell, &held, &state)?;
    Ok((became, tree))
}

/// After a run, an observation returns the predicted state, and there is nothing left to do.
fn settled(
    node: &Node,
    shell: usize,
    actions: &[&dyn AnyAction],
    predicted: &NodeState,
) -> Result<(), String> {
    if actions.is_empty() {
        return Ok(());
    }
    let mut observed = node.observe(shell, actions)?;
    if let Some(contradiction) = predicted.contradictions(&observed).first() {
        return Err(format!("another state than was predicted: {}", cut(contradiction)));
    }
    for action in actions {
        match action.plan(&mut observed) {
            Ok(None) => {}
            // it always acts
            Ok(Some(change)) if change.summary == "touch" => {}
            // the node decides, so its content is unknown here
            Ok(Some(change)) if change.certainty == Certainty::May => {
                match node.apply(shell, &change) {
                    Ok(false) => {}
                    other => {
                        return Err(format!(
                            "a second run of {} did something: {other:?}",
                            action.name()
                        ));
                    }
                }
            }
            Ok(Some(change)) => {
                return Err(format!(
                    "a second run of {} would {}: {}",
                    action.name(),
                    change.summary,
                    cut(&change.diff)
                ));
            }
            Err(error) => {
                return Err(format!(
                    "a second run of {} cannot be planned: {error}",
                    action.name()
                ));
            }
        }
    }
    Ok(())
}

fn cut(text: &str) -> String {
    text.chars().take(400).collect()
}

/// Whether the change is a step of an action that failed later: the directory of an archive, the
/// file with the host name.
fn is_made_before(declared: &Declared, difference: &Difference<'_>) -> bool {
    let directory = difference.after.is_some_and(|after| after.kind == 'd')
        && declared.writes.iter().any(|own| own.starts_with(difference.path));
    match declared.action.name() {
        name if UNPACKS.contains(&name) => directory,
        "authorized_key" => difference.path == Path::new("/home/app/.ssh"),
        "hostname" => difference.path == Path::new("/etc/hostname"),
        "timezone" => difference.path == Path::new("/etc/localtime"),
        "kernel_module" => ["/etc/modprobe.d", "/etc/modules-load.d"]
            .iter()
            .any(|directory| difference.path.starts_with(directory)),
        _ => false,
    }
}

/// A declaration that fits the node must succeed.
fn must_hold(declared: &Declared, end: &Became) -> Result<(), String> {
    match end {
        Became::CannotBe(why) | Became::Failed(why) if declared.holds && !may_be_said(why) => {
            Err(format!("{} of {:?} should hold: {why}", declared.action.name(), declared.path))
        }
        _ => Ok(()),
    }
}

/// Whether the reason is only known when the change is made: mounts, read-only places, the content
/// of archives, parent directories, a command that checks new content.
fn is_found_out(declared: &Declared, said: &str) -> bool {
    let anyhow = [
        "Read-only file system",
        "cannot unpack the archive",
        "the archive has ",
        "is not a directory",
        "was refused by: ",
    ];
    is_of_others(said)
        || (declared.replaces && said.contains("busy"))
        || anyhow.iter().any(|reason| said.contains(reason))
}

/// Whether it is refused because of what another user could do there.
fn is_of_others(said: &str) -> bool {
    let refusals =
        ["which is not followed", "others may turn it", "is a hard link to a file of another user"];
    refusals.iter().any(|reason| said.contains(reason))
}

/// Reasons that are valid wherever they occur.
fn may_be_said(why: &str) -> bool {
    [
        "was refused by: ",
        "there is no file /srv/none",
        "there is no file /home/elsewhere",
        "/home/elsewhere is a directory",
        "no file /home/elsewhere on",
    ]
    .iter()
    .any(|reason| why.contains(reason))
        || is_of_others(why)
}

/// Nothing changes but what an action declares; no temporary entry remains; undeclared attributes
/// of a file are kept, as far as the node's tools can see them.
fn bounds(declared: &Declared, before: &Tree, after: &Tree, sees: bool) -> Result<(), String> {
    let writes = |path: &Path| {
        declared.writes.iter().any(|own| path == own || (declared.below && path.starts_with(own)))
            || is_of_pallet(path)
    };
    for difference in before.differences(after) {
        let temporary = difference
            .path
            .components()
            .any(|part| part.as_os_str().to_string_lossy().starts_with(".pallet"));
        if temporary
            && difference.before.is_none()
            && !difference.path.ends_with(".pallet.directory")
        {
            return Err(format!("a temporary entry stays: {difference}"));
        }
        if !writes(difference.path) && !is_another_name(declared, before, &difference) {
            return Err(format!("something outside changed: {difference}"));
        }
    }
    let (Some(old), Some(new)) = (before.at(&declared.path), after.at(&declared.path)) else {
        return Ok(());
    };
    if old.kind != new.kind || old.kind == 'l' {
        return Ok(());
    }
    keeps(declared, old, new, sees)
        .map_err(|what| format!("{what} of {:?} is not kept: {old} -> {new}", declared.path))?;
    let parent = |tree: &Tree| {
        Path::new(&declared.path)
            .parent()
            .and_then(|parent| tree.0.get(parent))
            .map(|seen| seen.device)
    };
    if parent(before).is_some_and(|device| device != old.device) && new.device != old.device {
        return Err(format!("{:?} is no longer mounted", declared.path));
    }
    Ok(())
}

fn keeps(
    declared: &Declared,
    old: &TreeEntry,
    new: &TreeEntry,
    sees: bool,
) -> Result<(), &'static str> {
    let fixed =
        matches!(declared.action.name(), "cron" | "sysctl" | "authorized_key" | "kernel_module");
    let Declared { owner, group, mode, .. } = declared;
    if !fixed && (!owner && old.owner.0 != new.owner.0 || !group && old.owner.1 != new.owner.1) {
        return Err("the owner");
    }
    if !fixed && !mode && old.mode != new.mode && !UNPACKS.contains(&declared.action.name()) {
        return Err("the mode");
    }
    let kept = |name: &&String| sees && !(name.starts_with("system.posix_acl") && (*mode || fixed));
    for name in old.xattrs.keys().filter(kept) {
        if old.xattrs.get(name) != new.xattrs.get(name) {
            return Err(if name.starts_with("system") {
                "the access control list"
            } else {
                "an extended attribute"
            });
        }
    }
    Ok(())
}

/// Whether it is a second name of a changed file: a hard link, which shares owner and mode, or a
/// mount.
fn is_another_name(declared: &Declared, before: &Tree, difference: &Difference<'_>) -> bool {
    let (Some(was), Some(is)) = (difference.before, difference.after) else { return false };
    let mounted = difference.path.ends_with("mounted here");
    let same = |old: &TreeEntry| (old.device, old.inode) == (was.device, was.inode);
    declared.writes.iter().filter_map(|own| before.0.get(own)).any(same)
        && (mounted || was.content == is.content)
}

fn is_touched(declared: &Declared, before: &Tree, after: &Tree) -> bool {
    let touched = || Some(before.at(&declared.path)?.was_touched(after.at(&declared.path)?));
    // the running host name is not a file
    declared.action.name() == "hostname" || touched().unwrap_or(false)
}

fn is_of_pallet(path: &Path) -> bool {
    path.starts_with("/var/lib/pallet")
}
