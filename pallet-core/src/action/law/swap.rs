//! The law of swap space, on devices and file systems of this machine's kernel, in a copy of its
//! root.

use std::process::Command;

use super::super::Swap;
use super::edits::{OverlayPlace, printed};
use super::*;

/// Devices that are files. They are detached in the end, and are no swap space any more.
pub(super) struct Devices {
    pub(super) kept: OverlayPlace,
    paths: Vec<String>,
    _files: TempDir,
}

impl Devices {
    /// Devices of these sizes in MiB; `None` where this machine lets nobody make them.
    pub(super) fn of(sizes: &[u32]) -> Option<Devices> {
        let files = tempfile::tempdir().expect("a temporary directory");
        let mut made = Devices { kept: OverlayPlace::new(), paths: Vec::new(), _files: files };
        for (at, size) in sizes.iter().enumerate() {
            let file = made._files.path().join(at.to_string());
            let file = fs::File::create(&file)
                .and_then(|open| open.set_len(u64::from(*size) << 20).map(|()| file));
            let output = Command::new("losetup")
                .args(["--find", "--show"])
                .arg(file.expect("it can be made"))
                .output();
            let output = output.ok().filter(|output| output.status.success());
            let Some(output) = output else {
                println!("left out: no loop devices can be made here");
                return None;
            };
            made.paths.push(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        // the machine's own table is left alone
        printed(&made.kept.place, "mount -t sysfs sysfs /sys; printf '# none\\n' >/etc/fstab");
        Some(made)
    }

    pub(super) fn path(&self, at: usize) -> &str {
        &self.paths[at]
    }

    /// Changes the size of a device.
    pub(super) fn resize(&self, at: usize, size: u32) {
        let file = fs::OpenOptions::new().write(true).open(self._files.path().join(at.to_string()));
        file.and_then(|file| file.set_len(u64::from(size) << 20)).expect("it can be resized");
        let resized = Command::new("losetup").arg("--set-capacity").arg(self.path(at)).status();
        assert!(resized.is_ok_and(|status| status.success()), "the device has another size");
    }
}

impl Drop for Devices {
    fn drop(&mut self) {
        let device = |at: &String| at.trim_start_matches("/dev/").to_owned();
        let all: Vec<String> = self.paths.iter().map(device).collect();
        for name in &all {
            let script = format!(
                "swapoff /dev/{name}; swapoff /mnt/{name}/swap; umount /mnt/{name} /mnt/part; \
                 partx -d /dev/{name}"
            );
            self.kept.place.shell.run(&script);
        }
        for path in &self.paths {
            Command::new("losetup").args(["--detach", path]).status().ok();
        }
    }
}

/// A file system on the device, in which the test makes swap files: at /mnt/loopN.
fn mounted(devices: &Devices, at: usize, make: &str) -> String {
    let device = devices.path(at);
    let place = device.replace("/dev/", "/mnt/");
    printed(
        &devices.kept.place,
        &format!("{make} {device} >/dev/null 2>&1; mkdir -p {place}; mount {device} {place}"),
    );
    place
}

/// What the kernel tells of the space at a path, and the table.
fn state(place: &Place, path: &str) -> String {
    printed(
        place,
        &format!(
            "while read -r name kind size used priority; do if [ \"$name\" = {path} ]; then echo \
             \"$kind $size $priority\"; fi; done </proc/swaps; cat /etc/fstab; if [ -f {path} ]; \
             then stat -c '%u %g %a %s' {path}; fi"
        ),
    )
}

#[test]
#[ignore = "needs root"]
fn swap_files() {
    let Some(devices) = Devices::of(&[64]) else { return };
    let place = &devices.kept.place;
    let path = format!("{}/swap", mounted(&devices, 0, "mkfs.ext4 -q -b 4096"));
    let state = |place: &Place| state(place, &path);
    let swap = |size: &str| Swap::file(&path, size);
    place.law(swap("8M"), true);
    let first = state(place);
    assert!(first.starts_with("file 8188 -") && first.ends_with("0 0 600 8388608\n"), "{first}");
    assert!(first.contains(&format!("# none\n{path} none swap defaults 0 0\n")), "{first}");
    place.law(swap("8M"), false);
    place.law_of_unknown(swap("8M"), false);
    place.law(swap("8 MiB").priority(5), true);
    place.law_of_unknown(swap("8M").priority(5), false);
    assert_eq!(
        state(place),
        format!("file 8188 5\n# none\n{path} none swap pri=5 0 0\n0 0 600 8388608\n")
    );
    for (size, of_unknown) in [("12M", false), ("4M", true)] {
        match of_unknown {
            false => place.law(swap(size).priority(5), true),
            true => place.law_of_unknown(swap(size).priority(5), true),
        }
    }
    assert_eq!(
        state(place),
        format!("file 4092 5\n# none\n{path} none swap pri=5 0 0\n0 0 600 4194304\n")
    );
    // what somebody changed
    printed(place, &format!("swapoff {path}; chmod 644 {path}; chown daemon {path}"));
    place.law(swap("4M").priority(5), true);
    printed(place, &format!("swapoff {path}; swapon -p 9 {path} 2>/dev/null"));
    place.law_of_unknown(swap("4M").priority(5), true);
    place.law(swap("4M").absent(), true);
    assert_eq!(state(place), "# none\n");
    place.law(swap("4M").absent(), false);
    place.law_of_unknown(swap("4M").absent(), false);
    place.law_of_unknown(swap("4M"), true);
    place.law_of_unknown(swap("4M").absent(), true);
    assert_eq!(state(place), "# none\n");
}

#[test]
#[ignore = "needs root"]
fn swap_files_replace_nothing_else() {
    let Some(devices) = Devices::of(&[64]) else { return };
    let place = &devices.kept.place;
    let directory = mounted(&devices, 0, "mkfs.ext4 -q");
    let path = format!("{directory}/swap");
    printed(place, &format!("echo precious >{path}"));
    for swap in [Swap::file(&path, "8M"), Swap::file(&path, "8M").absent()] {
        let said = place.refuses(swap.clone());
        assert!(said.starts_with(&format!("{path} is a file that is no swap space")), "{said}");
        assert_eq!(unknown(place, swap), format!("{said}\n"));
    }
    assert_eq!(printed(place, &format!("cat {path}; rm {path}")), "precious\n");
    // a link is not followed
    printed(place, &format!("ln -s /etc/motd {path}"));
    let said = format!("{path} is a link, not a file; name where it leads");
    for swap in [Swap::file(&path, "8M"), Swap::file(&path, "8M").absent()] {
        assert_eq!(place.refuses(swap.clone()), said);
        assert_eq!(unknown(place, swap), format!("{said}\n"));
    }
    printed(place, &format!("rm {path}"));
    // there is no room, and what there was stays in use
    let said = place.fails(Swap::file(&path, "1G"));
    assert!(said.starts_with("there is no room for 1024 MiB in "), "{said}");
    place.law(Swap::file(&path, "8M"), true);
    let said = place.fails(Swap::file(&path, "1G"));
    assert!(said.starts_with("there is no room for 1024 MiB in "), "{said}");
    place.law(Swap::file(&path, "8M"), false);
    // others may write there
    printed(
        place,
        &format!(
            "mkdir -m 777 {directory}/open; mkdir /srv/memory; mount -t tmpfs -o mode=755 x \
             /srv/memory"
        ),
    );
    let said = place.fails(Swap::file(format!("{directory}/open/swap"), "8M"));
    assert!(said.starts_with("others may exchange "), "{said}");
    let said = place.refuses(Swap::file("/srv/memory/swap", "8M"));
    assert_eq!(
        said,
        "no file on tmpfs can be swap space; choose another path than /srv/memory/swap"
    );
    let said = unknown(place, Swap::file("/srv/memory/swap", "8M"));
    assert_eq!(
        said,
        "no file on tmpfs can be swap space; choose another path than /srv/memory/swap\n"
    );
    assert_eq!(
        printed(place, &format!("ls -A {directory}/open /srv/memory | grep -v : || :")),
        "\n"
    );
}

#[test]
#[ignore = "needs root"]
fn swap_files_on_btrfs_have_no_copies() {
    if !has("mkfs.btrfs") {
        return println!("left out: there is no mkfs.btrfs");
    }
    let Some(devices) = Devices::of(&[256]) else { return };
    let place = &devices.kept.place;
    let path = format!("{}/swap", mounted(&devices, 0, "mkfs.btrfs -q"));
    place.law(Swap::file(&path, "8M"), true);
    place.law_of_unknown(Swap::file(&path, "8M"), false);
    let attributes = printed(place, &format!("lsattr {path}"));
    assert!(attributes.split(' ').next().is_some_and(|all| all.contains('C')), "{attributes}");
    place.law(Swap::file(&path, "8M").absent(), true);
}

#[test]
#[ignore = "needs root"]
fn swap_devices() {
    let Some(devices) = Devices::of(&[16, 32]) else { return };
    let place = &devices.kept.place;
    let (empty, full) = (devices.path(0), devices.path(1));
    place.law(Swap::device(empty), true);
    place.law(Swap::device(empty), false);
    place.law_of_unknown(Swap::device(empty).priority(7), true);
    assert_eq!(
        state(place, empty),
        format!("partition 16380 7\n# none\n{empty} none swap pri=7 0 0\n")
    );
    place.law(Swap::device(empty).absent(), true);
    place.law_of_unknown(Swap::device(empty).absent(), false);
    // it is swap space still, and its name may be a link
    printed(place, &format!("mkdir -p /run/disk; ln -s {empty} /run/disk/by-law"));
    let before = printed(place, &format!("blkid -p -s UUID -o value {empty}"));
    place.law_of_unknown(Swap::device(empty), true);
    assert_eq!(printed(place, &format!("blkid -p -s UUID -o value {empty}")), before);
    place.law_of_unknown(Swap::device(empty).absent(), true);

    let mnt = mounted(&devices, 1, "mkfs.ext4 -q");
    for swap in [Swap::device(full), Swap::device(full).force()] {
        let said = place.refuses(swap.clone());
        assert_eq!(said, format!("{full} is mounted at {mnt}; nothing is made on a device in use"));
        assert_eq!(unknown(place, swap), format!("{said}\n"));
    }
    printed(place, &format!("umount {mnt}"));
    let said = place.refuses(Swap::device(full));
    assert_eq!(
        said,
        format!("{full} has ext4; force = True replaces it, and all that is on it is lost")
    );
    assert_eq!(unknown(place, Swap::device(full)), format!("{said}\n"));
    place.law(Swap::device(full).force(), true);
    place.law(Swap::device(full).force(), false);
    assert_eq!(printed(place, &format!("blkid -p -s TYPE -o value {full}")), "swap\n");
    assert_eq!(
        place.refuses(Swap::device("/dev/pallet-none")),
        "there is no device /dev/pallet-none"
    );
    assert_eq!(place.refuses(Swap::device("/dev/null")), "/dev/null is not a block device");
}

pub(super) fn has(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", "command -v \"$1\"", "sh", program])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Why the change fails on the node if nothing was known before.
pub(super) fn unknown(place: &Place, action: impl Action) -> String {
    let action = place.prepared(action);
    let change = action
        .plan(&mut NodeState::new(place.observe(&action).os))
        .expect("nothing is known")
        .expect("it may change");
    place.apply(&change).expect_err("the node cannot")
}
