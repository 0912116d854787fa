//! Restores, which are asked for.

use pallet_core::prelude::*;

use super::check::{check_line, check_path, check_tag};
use super::program::command;

parameters! {
    /// Restores a path from a snapshot to a directory, unless it is there already. Call it in a
    /// phase of its own, which runs only if it is named: `pallet-cli lift database --phase
    /// restore`.
    ///
    /// Example: `backup.restore(request, "offsite", "/srv/data", target = "/srv/restored")`
    pub(crate) struct Restore {
        /// The repository.
        repository: String,
        /// The absolute path, as it was backed up.
        path: String,
        /// The directory below which it appears with its whole path. `/` is its old place.
        target: String,
        /// The ID of a snapshot, or the latest of those that match.
        #[serde(default = "latest")]
        snapshot: String,
        /// The host whose latest snapshot it is. Default: this node.
        #[serde(default)]
        host: Option<String>,
        /// The name of the backup, or another tag of it. Without it, the latest snapshot of any
        /// backup of the host is taken.
        #[serde(default)]
        tag: Option<String>,
    }
}

fn latest() -> String {
    "latest".to_owned()
}

pub(crate) fn restore(request: &mut Request, restore: Restore) -> Result<()> {
    let Restore { repository, path, target, snapshot, host, tag } = restore;
    check_file_name("a repository", &repository)?;
    check_path(&path)?;
    check_path(&target)?;
    // restic takes it as a pattern
    ensure!(!path.contains(['*', '?', '[', '\\']), "the path {path:?} is a pattern; give one path");
    ensure!(
        snapshot == "latest" || snapshot.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "the snapshot {snapshot:?} is none: give its ID, or latest"
    );
    let mut words = vec!["restore".to_owned(), snapshot.clone()];
    if snapshot == "latest" {
        let host = match host {
            Some(host) => host,
            // a node that does not exist yet has no host name
            None => {
                let node = request.target()?;
                Some(node.machine.hostname).filter(|name| !name.is_empty()).unwrap_or(node.name)
            }
        };
        check_line("host", &host)?;
        words.push(format!("--host={host}"));
        if let Some(tag) = &tag {
            check_tag(tag)?;
            words.push(format!("--tag={tag}"));
        }
    } else {
        ensure!(host.is_none() && tag.is_none(), "a snapshot's ID needs neither host nor tag");
    }
    words.push(format!("--include={path}"));
    words.push(format!("--target={target}"));
    let restored = format!("{}{path}", target.trim_end_matches('/'));
    request.add(
        ExecCheckedScript::new(format!("restore {path} to {target}"), command(&repository, &words))
            .creates(restored),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Backup;
    use super::*;

    #[test]
    fn a_path_is_restored_once() {
        let mut recorder = Recorder::<Backup>::on("debian 12");
        let arguments = json!({"repository": "offsite", "path": "/srv/a", "target": "/srv/b/",
            "tag": "data"});
        recorder.call("restore", arguments).unwrap();
        let action = recorder.actions().remove(0);
        assert_eq!(action.arguments["creates"], "/srv/b/srv/a");
        assert_eq!(
            action.arguments["script"],
            "sh /usr/local/lib/pallet/restic-repository offsite restore latest --host=node-1 \
             --tag=data --include=/srv/a --target=/srv/b/"
        );
    }

    #[test]
    fn what_cannot_be_restored_is_refused() {
        for (more, said) in [
            (json!({"path": "a"}), "no absolute path"),
            (json!({"path": "/a*"}), "is a pattern"),
            (json!({"snapshot": "new"}), "give its ID"),
            (json!({"snapshot": "ab12", "tag": "a"}), "neither host nor tag"),
        ] {
            let mut arguments = json!({"repository": "a", "path": "/a", "target": "/b"});
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let error =
                Recorder::<Backup>::on("debian 12").call("restore", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
