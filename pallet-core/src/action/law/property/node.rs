//! A node for random declarations: a small root on a file system in memory, in its own namespaces.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::tree::{APP, Parent, Standing, Tree, not_utf8, unmount};
use crate::action::{AnyAction, Change, UploadSource};
use crate::observe::{NodeState, Observation};
use crate::observe::{compile, parse};
use crate::script::library_for;
use crate::script::shells::Shell;

use super::super::TOKEN;

/// The directories that actions may change, and that the laws check.
const TREES: [&str; 8] = ["etc", "srv", "home", "root", "var", "run", "mnt", SETTINGS];

/// Kernel settings, as far as they exist here: plain files.
const SETTINGS: &str = "proc/sys/vm";

/// What stays in /etc: commands such as awk are links into it.
const ALTERNATIVES: &str = "alternatives";

/// Creates the root. Kernel interfaces that are shared in other ways than by mounts are hidden.
const MAKE: &str = r#"
set -e
cd "$1"
mount -t tmpfs -o mode=755 tmpfs .
cd "$1"
mkdir usr proc dev etc srv home root var run tmp mnt incoming shells shells/bash shells/busybox
mkdir -p sys/module/law_built
mount --bind /usr usr
mount -o remount,bind,ro usr
for name in bin sbin lib lib32 lib64; do
  if [ -L "/$name" ]; then cp -P "/$name" .; elif [ -d "/$name" ]; then mkdir "$name"; mount --bind "/$name" "$name"; fi
done
mount --rbind /proc proc
mount -t tmpfs tmpfs proc/sys/vm
echo 60 >proc/sys/vm/swappiness
mount --rbind /dev dev
chmod 1777 tmp
if [ -d /etc/alternatives ]; then cp -a /etc/alternatives etc; fi
if command -v bash >/dev/null; then ln -s "$(command -v bash)" shells/bash/sh; fi
if command -v busybox >/dev/null; then
  cp "$(command -v busybox)" shells/busybox
  chroot . /shells/busybox/busybox --install -s /shells/busybox
fi
"#;

/// A node that a test may change freely, by one case at a time.
pub(super) struct Node {
    root: PathBuf,
    shells: Vec<Shell>,
    sees: Vec<bool>,
    mounted: Vec<PathBuf>,
}

impl Node {
    /// A node in this directory. The process has its own mount and UTS namespaces.
    pub(super) fn at(root: &Path) -> Node {
        let made =
            Command::new("sh").args(["-c", MAKE, "sh"]).arg(root).stdin(Stdio::null()).status();
        assert!(made.is_ok_and(|status| status.success()), "the node is made");
        let words = |path: &str| {
            let path = format!("PATH={path}");
            // a hanging process is a fault too
            [
                "timeout",
                "-k",
                "1",
                "30",
                "chroot",
                root.to_str().expect("it is UTF-8"),
                "env",
                "-i",
                &path,
            ]
            .map(str::to_owned)
            .to_vec()
        };
        let mut shells = vec![Shell::entered(words("/usr/sbin:/usr/bin:/sbin:/bin"))];
        if root.join("shells/bash/sh").is_symlink() {
            shells.push(Shell::entered(words("/shells/bash:/usr/sbin:/usr/bin:/sbin:/bin")));
        }
        if root.join("shells/busybox/sh").is_symlink() {
            shells.push(Shell::entered(words("/shells/busybox")));
        }
        let look = "{ : >/tmp/one && : >/tmp/two && \
        cp --attributes-only --preserve=xattr /tmp/one /tmp/two; } >/dev/null 2>&1";
        let sees = shells.iter().map(|shell| shell.run(look).status.success()).collect();
        Node { root: root.to_owned(), shells, sees, mounted: Vec::new() }
    }

    /// Removes the previous state, and creates what every case needs.
    pub(super) fn reset(&mut self, known_to_pallet: bool) -> std::io::Result<()> {
        unmount(&mut self.mounted);
        fs::write(self.root.join(SETTINGS).join("swappiness"), "60\n")?;
        for tree in TREES.into_iter().filter(|tree| *tree != SETTINGS) {
            for entry in fs::read_dir(self.root.join(tree))? {
                let entry = entry?;
                if entry.file_type()?.is_dir() && entry.file_name() != ALTERNATIVES {
                    fs::remove_dir_all(entry.path())?;
                } else if entry.file_name() != ALTERNATIVES {
                    fs::remove_file(entry.path())?;
                }
            }
        }
        let etc = self.root.join("etc");
        fs::write(
            etc.join("passwd"),
            "root:x:0:0::/root:/bin/sh\napp:x:1001:1001::/home/app:/bin/sh\n\
             other:x:1002:1002::/home/other:/bin/sh\n",
        )?;
        fs::write(etc.join("group"), "root:x:0:\nstaff:x:50:\napp:x:1001:\nother:x:1002:\n")?;
        for directory in ["cron.d", "sysctl.d", "modprobe.d", "modules-load.d"] {
            fs::create_dir(etc.join(directory))?;
        }
        for directory in ["var/lib", "home/app", "home/elsewhere"] {
            fs::create_dir_all(self.root.join(directory))?;
        }
        chown(self.root.join("home/app"), Some(APP), Some(APP))?;
        for (path, mode) in
            [("root/victim", 0o600), ("home/elsewhere/victim", 0o640), ("srv/source", 0o644)]
        {
            fs::write(self.root.join(path), format!("{path}\n"))?;
            fs::set_permissions(self.root.join(path), fs::Permissions::from_mode(mode))?;
        }
        fs::write(self.root.join("srv").join(not_utf8()), "beside\n")?;
        if known_to_pallet {
            fs::create_dir_all(self.root.join("var/lib/pallet"))?;
        }
        rustix::system::sethostname(b"node")?;
        Ok(())
    }

    /// Creates what should be at `path`, in a new directory of the kind `parent`, or in an existing
    /// one.
    pub(super) fn put(
        &mut self,
        path: &str,
        parent: Option<Parent>,
        standing: &Standing,
    ) -> std::io::Result<()> {
        let path = self.root.join(&path[1..]);
        let directory = path.parent().expect("it has one").to_owned();
        match parent {
            Some(parent) => parent.build(&directory, &mut self.mounted)?,
            None => fs::create_dir_all(&directory)?,
        }
        standing.build(&path, &mut self.mounted)?;
        parent.map_or(Ok(()), |parent| parent.finish(&directory, &mut self.mounted))
    }

    pub(super) fn tree(&self) -> std::io::Result<Tree> {
        Tree::of(&self.root, &TREES)
    }

    pub(super) fn shells(&self) -> usize {
        self.shells.len()
    }

    /// Whether the programs that a shell finds support ACLs and extended attributes; those of
    /// busybox do not.
    pub(super) fn sees_attributes(&self, shell: usize) -> bool {
        self.sees[shell]
    }

    pub(super) fn observe(
        &self,
        shell: usize,
        actions: &[&dyn AnyAction],
    ) -> Result<NodeState, String> {
        let mut wanted = Observation::default();
        actions.iter().for_each(|action| action.observe(&mut wanted));
        let output = self.shells[shell].run(&compile(&wanted, TOKEN));
        if !output.stderr.is_empty() {
            return Err(format!("observing said {:?}", String::from_utf8_lossy(&output.stderr)));
        }
        parse(&wanted, TOKEN, &output.stdout)
            .map(|observed| observed.state)
            .map_err(|error| format!("observing: {error}"))
    }

    /// Applies a change as the engine does. Returns whether it reported a change, or its output if
    /// it failed.
    pub(super) fn apply(&self, shell: usize, change: &Change) -> Result<bool, String> {
        let incoming = self.root.join("incoming");
        let received: Vec<PathBuf> =
            change.uploads.iter().map(|upload| incoming.join(&upload.digest)).collect();
        for (upload, path) in change.uploads.iter().zip(&received) {
            match &upload.source {
                UploadSource::Bytes(bytes) => fs::write(path, bytes),
                UploadSource::File(file) => fs::copy(file, path).map(drop),
                UploadSource::LeftOut { .. } => panic!("a plan that was not written has it"),
            }
            .expect("it can be written");
        }
        let script = change.script.as_str();
        let library = library_for(script);
        let script = format!(
            "token={TOKEN}\n\
             {{\n{library}\nincoming=/incoming\n( set -e; change= drift=\n\
             {script}\necho \"reported=$change $drift\" ) </dev/null\n}}"
        );
        let output = self.shells[shell].run(&script);
        received.iter().for_each(|path| fs::remove_file(path).expect("it was written"));
        reported(&output)
    }
}

fn reported(output: &Output) -> Result<bool, String> {
    let said = String::from_utf8_lossy(&output.stdout);
    match (output.status.success(), said.lines().find_map(|line| line.strip_prefix("reported="))) {
        (true, Some(reported)) => Ok(reported.starts_with('1')),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        unmount(&mut self.mounted);
    }
}
