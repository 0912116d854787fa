//! The law of file systems, on devices of this machine's kernel.

use super::super::Filesystem;
use super::super::filesystem::FilesystemType;
use super::edits::printed;
use super::swap::{Devices, has, unknown};
use super::*;
use FilesystemType::{Btrfs, Ext4, Vfat, Xfs};

/// The types that can be made here.
fn kinds() -> Vec<(FilesystemType, &'static str)> {
    let all = [(Ext4, "ext4"), (Xfs, "xfs"), (Btrfs, "btrfs"), (Vfat, "vfat")];
    let (here, left): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(_, name)| has(&format!("mkfs.{name}")));
    left.iter().for_each(|(_, name)| println!("left out: there is no mkfs.{name}"));
    here
}

/// The type and the label of a device.
fn found(place: &Place, device: &str) -> String {
    let look = |tag: &str| format!("blkid -p -s {tag} -o value {device} || :");
    printed(place, &format!("{}; {}", look("TYPE"), look("LABEL"))).trim().replace('\n', " ")
}

#[test]
#[ignore = "needs root"]
fn file_systems_are_made_once() {
    for (kind, name) in kinds() {
        let Some(devices) = Devices::of(&[320]) else { return };
        let (place, device) = (&devices.kept.place, devices.path(0));
        let made = || Filesystem::new(device, kind);
        place.law(made(), true);
        let id = printed(place, &format!("blkid -p -s UUID -o value {device}"));
        place.law(made(), false);
        place.law_of_unknown(made(), false);
        // it is there already
        place.law(made().force().options(["--no-such-option"]), false);
        let (one, two) = ("LAW-1", "LAW_2");
        place.law(made().label(one), true);
        assert_eq!(found(place, device), format!("{name} {one}"));
        place.law_of_unknown(made().label(one), false);
        place.law_of_unknown(made().label(two), true);
        assert_eq!(printed(place, &format!("blkid -p -s UUID -o value {device}")), id);
        if kind != Vfat {
            printed(place, &format!("mkdir -p /mnt/law; mount {device} /mnt/law"));
            place.law(made().label(one), true);
            place.law(made(), false);
            printed(place, "umount /mnt/law");
            assert_eq!(found(place, device), format!("{name} {one}"));
        }
        // with a label from the beginning
        printed(place, &format!("wipefs -aq {device}"));
        place.law_of_unknown(made().label(two), true);
        assert_eq!(found(place, device), format!("{name} {two}"));
    }
}

#[test]
#[ignore = "needs root"]
fn file_systems_are_made_with_options() {
    let Some(devices) = Devices::of(&[32]) else { return };
    let (place, device) = (&devices.kept.place, devices.path(0));
    let made = || Filesystem::new(device, Ext4);
    let said = place.fails(made().options(["-b", "7"]));
    assert!(said.starts_with(&format!("cannot make ext4 on {device}: ")), "{said}");
    place.law(made().options(["-b", "1024", "-m", "0"]), true);
    let about = printed(place, &format!("dumpe2fs -h {device} 2>/dev/null"));
    assert!(about.contains("Block size:               1024"), "{about}");
    assert!(about.contains("Reserved block count:     0"), "{about}");
    assert_eq!(
        place.refuses(Filesystem::new("/dev/pallet-none", Ext4)),
        "there is no device /dev/pallet-none"
    );
    assert_eq!(
        place.refuses(Filesystem::new("/dev/null", Ext4)),
        "/dev/null is not a block device"
    );
}

/// What a device may hold, made by a script on $1.
const HELD: [(&str, &str); 4] = [
    ("mkswap $1", "swap"),
    ("mkfs.ext2 -q $1", "ext2"),
    (
        "printf '\\0\\0\\0\\0\\203\\0\\0\\0\\0\\010\\0\\0\\0\\020\\0\\0' | dd of=$1 bs=1 seek=446 \
         conv=notrunc; \
         printf '\\125\\252' | dd of=$1 bs=1 seek=510 conv=notrunc",
        "a partition table (dos)",
    ),
    (
        "printf 'LUKS\\272\\276\\0\\001' | dd of=$1 conv=notrunc; printf %s \
         0b5a1bb0-8c3c-4c2a-9c3a-4f4f1dd3a4b1 | dd of=$1 bs=1 seek=168 conv=notrunc",
        "crypto_LUKS",
    ),
];

#[test]
#[ignore = "needs root"]
fn nothing_that_a_device_holds_is_lost_by_accident() {
    let Some(devices) = Devices::of(&[320]) else { return };
    let (place, device) = (&devices.kept.place, devices.path(0));
    let digest = || printed(place, &format!("head -c 8M {device} | sha256sum"));
    for (make, holds) in HELD {
        for (kind, name) in kinds() {
            printed(
                place,
                &format!(
                    "wipefs -aq {device}; set -- {device}; {{ head -c 1M /dev/zero >$1; {make}; }} \
                     >/dev/null 2>&1; blockdev --flushbufs {device}"
                ),
            );
            let (before, made) = (digest(), || Filesystem::new(device, kind));
            let said = place.refuses(made());
            assert_eq!(
                said,
                format!(
                    "{device} has {holds}; force = True replaces it, and all that is on it is lost"
                ),
                "{name}"
            );
            assert_eq!(unknown(place, made()), format!("{said}\n"), "{name}");
            assert_eq!(digest(), before, "{holds} {name}");
            place.law(made().force(), true);
            place.law(made().force(), false);
            place.law_of_unknown(made().force(), false);
            assert_eq!(found(place, device), name);
        }
    }
}

#[test]
#[ignore = "needs root"]
fn a_device_in_use_is_left_alone_even_by_force() {
    let Some(devices) = Devices::of(&[320]) else { return };
    let (place, device) = (&devices.kept.place, devices.path(0));
    let refused = |made: Filesystem, why: &str| {
        let said = place.refuses(made.clone());
        assert_eq!(said, format!("{device} is {why}; nothing is made on a device in use"));
        assert_eq!(unknown(place, made), format!("{said}\n"));
    };
    for (kind, name) in kinds().into_iter().filter(|(kind, _)| *kind != Vfat) {
        printed(
            place,
            &format!(
                "wipefs -aq {device}; mkfs.{name} -q {device}; mkdir -p '/mnt/my 7th'; mount \
                 {device} '/mnt/my 7th'; echo precious >'/mnt/my 7th/file'"
            ),
        );
        // whatever was there, it is of another type
        let other = if kind == Ext4 {
            Filesystem::new(device, Vfat)
        } else {
            Filesystem::new(device, Ext4)
        };
        if kind != Ext4 || has("mkfs.vfat") {
            refused(other.force(), "mounted at /mnt/my 7th");
        }
        assert_eq!(printed(place, "cat '/mnt/my 7th/file'; umount '/mnt/my 7th'"), "precious\n");
    }
    printed(place, &format!("wipefs -aq {device}; mkswap {device} >/dev/null; swapon {device}"));
    refused(Filesystem::new(device, Ext4).force(), "used as swap space");
    printed(place, &format!("swapoff {device}"));
    // a part of it is in use
    let part = format!("{device}p1");
    let made = format!(
        "wipefs -aq {device}; set -- {device}; {{ {}; }} 2>/dev/null; blockdev --flushbufs \
         {device}; partx -a {device}; if [ -b \
         {part} ]; then mkfs.ext2 -q {part}; mkdir -p /mnt/part; mount {part} /mnt/part; echo \
         yes; fi",
        HELD[2].0
    );
    if printed(place, &made) == "yes\n" {
        refused(Filesystem::new(device, Ext4).force(), "mounted at /mnt/part");
        printed(place, "umount /mnt/part");
    }
    printed(place, &format!("partx -d {device} || :"));
    // mounted where nobody sees it from here
    printed(place, &format!("wipefs -aq {device}; mkfs.ext2 -q {device}; mkdir -p /mnt/law"));
    let hidden = std::process::Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-c",
            "mount \"$1\" /mnt && echo ready && exec sleep 60",
            "sh",
            device,
        ])
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut hidden = hidden.expect("it starts");
    let mut line = String::new();
    let out = hidden.stdout.as_mut().expect("it is piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)
        .expect("it says something");
    assert_eq!(line, "ready\n");
    let said = place.fails(Filesystem::new(device, Ext4).force());
    hidden.kill().expect("it runs");
    hidden.wait().expect("it ends");
    assert!(said.starts_with(&format!("cannot replace what {device} has: ")), "{said}");
    assert!(said.contains("busy"), "{said}");
    assert_eq!(found(place, device), "ext2");
}

/// Prints something if this root has the right CAP_SYS_RESOURCE, which is bit 24.
const RESOURCES: &str = "while read -r key value; do case $key:$value in \
    CapEff:*[13579bdf]??????) echo yes ;; esac; done </proc/self/status";

#[test]
#[ignore = "needs root"]
fn file_systems_grow_with_their_device() {
    for (kind, name) in kinds().into_iter().filter(|(kind, _)| *kind != Vfat) {
        let Some(devices) = Devices::of(&[320]) else { return };
        let (place, device) = (&devices.kept.place, devices.path(0));
        let size = || {
            let seen = printed(
                place,
                &format!(
                    "mkdir -p /mnt/law; mount {device} /mnt/law; df -Pk /mnt/law | tail -n 1; cat \
                     /mnt/law/file; umount /mnt/law"
                ),
            );
            let kib = seen.split_whitespace().nth(1).and_then(|size| size.parse::<u64>().ok());
            assert!(seen.ends_with("precious\n"), "{name}: {seen}");
            kib.expect("df tells it") >> 10
        };
        let plain = || Filesystem::new(device, kind);
        let full = || plain().resize();
        place.law(full(), true);
        place.law(full(), false);
        printed(
            place,
            &format!(
                "mkdir -p /mnt/law; mount {device} /mnt/law; echo precious >/mnt/law/file; umount \
                 /mnt/law"
            ),
        );
        // sizes that end within and beside groups of blocks, mounted or not
        // the kernel lets not every root grow ext4 while it is mounted
        let may = kind != Ext4 || !printed(place, RESOURCES).is_empty();
        for (new, mounted) in [(400, false), (512, true), (513, false), (515, true), (641, false)] {
            let before = size();
            devices.resize(0, new);
            place.law(plain(), false);
            assert_eq!(size(), before, "{name}");
            let mounted = mounted && may;
            if mounted {
                printed(place, &format!("mount {device} /mnt/law"));
            }
            let action = place.prepared(full());
            let mut state = place.observe(&action);
            let grows = action.plan(&mut state).expect("it can be planned").is_some();
            // what is less than a group of blocks is left
            assert!(grows || u64::from(new) < before + 150, "{name}: {new}");
            place.law(full(), grows);
            place.law_of_unknown(full(), false);
            if mounted {
                printed(place, "umount /mnt/law");
            }
            assert!(!grows || size() > before, "{name}: {new}");
            // what the file system needs for itself is not in it
            assert!(size() + 150 > u64::from(new), "{name}: {new}");
        }
        devices.resize(0, 700);
        place.law_of_unknown(full(), true);
    }
}
