//! Facts that are only read if a function wants to know them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ObserveError;
use super::super::answer::Answer;
use super::super::kind::{Kind, KindDescription};
use crate::model::{DefaultRoute, Detail, Details, Disk, FileSystem, Interface, Network, Os};
use crate::script::{ESCAPES, Script};

impl Kind for Details {
    type Questions = BTreeSet<Detail>;

    fn ask(questions: &mut BTreeSet<Detail>, other: BTreeSet<Detail>) {
        questions.extend(other);
    }

    fn functions(questions: &BTreeSet<Detail>) -> Vec<&'static str> {
        if questions.is_empty() { Vec::new() } else { vec![ESCAPES, include_str!("detail.sh")] }
    }

    fn script(questions: &BTreeSet<Detail>, script: Script) -> Script {
        let names: Vec<String> = questions.iter().filter_map(name).collect();
        super::super::kind::call_with_names(script, "detail", &names)
    }

    fn read(
        &mut self,
        questions: &BTreeSet<Detail>,
        answers: &[Answer<'_>],
        _os: &Os,
    ) -> Result<(), ObserveError> {
        let (mut disks, mut mounts, mut interfaces) = (Vec::new(), Vec::new(), Vec::new());
        for answer in answers {
            let ["detail", fields @ ..] = answer.as_slice() else { continue };
            match fields {
                ["boot_time", seconds] => self.boot_time = seconds.parse().ok(),
                ["disk", name, sectors, spins] => disks.push(Disk {
                    name: (*name).to_owned(),
                    // sectors of 512 bytes, whatever the disk has
                    size: sectors.parse::<u64>().unwrap_or_default() / 2048,
                    rotational: *spins == "1",
                }),
                ["disks"] => self.disks = Some(std::mem::take(&mut disks)),
                ["fqdn", name] => self.fqdn = Some((*name).to_owned()),
                ["mount", device, path, kind] => mounts.push(FileSystem {
                    path: unescaped(path),
                    device: unescaped(device),
                    kind: (*kind).to_owned(),
                    size: None,
                    free: None,
                }),
                ["mounts", sizes] => self.mounts = Some(sized(std::mem::take(&mut mounts), sizes)),
                ["interface", name, mac, mtu, flags] => interfaces.push(Interface {
                    name: (*name).to_owned(),
                    mac: Some(*mac).filter(|mac| *mac != NO_MAC).unwrap_or_default().to_owned(),
                    up: up(flags),
                    mtu: mtu.parse().unwrap_or_default(),
                    addresses: Vec::new(),
                }),
                ["network", addresses, routes] => {
                    let interfaces = addressed(std::mem::take(&mut interfaces), addresses);
                    let default_routes = routes.lines().filter_map(default_route).collect();
                    self.network = Some(Network { interfaces, default_routes });
                }
                ["time_zone", zone] => self.time_zone = Some((*zone).to_owned()),
                ["users", lines] => {
                    let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
                    self.users = Some(lines.lines().filter_map(first).collect());
                }
                _ => {}
            }
        }
        // without /proc there is no answer; what was asked is known all the same
        if questions.contains(&Detail::BootTime) {
            self.boot_time.get_or_insert_default();
        }
        Ok(())
    }

    // no action changes them in a way that is told in advance
    fn keep_what_agrees(&mut self, other: &Self) {
        if self != other {
            *self = Details::default();
        }
    }

    fn learn(&mut self, newer: Self) {
        Details::learn(self, newer);
    }

    fn describe(&self, questions: &BTreeSet<Detail>, _outputs: bool) -> Vec<KindDescription> {
        let describe = |detail: &Detail| {
            let found = self.has(*detail).then(|| "known".to_owned());
            Some(KindDescription::new(format!("fact {}", name(detail)?), found))
        };
        questions.iter().filter_map(describe).collect()
    }
}

/// The hardware address of an interface without one.
const NO_MAC: &str = "00:00:00:00:00:00";

/// The name of a detail in the script; `None`: it has none.
fn name(detail: &Detail) -> Option<String> {
    let name = serde_json::to_value(detail).ok()?.as_str().map(str::to_owned)?;
    Some(name).filter(|_| *detail != Detail::Unknown)
}

/// A field of `/proc/mounts`, in which spaces are written as `\040`. The shell's `unescape` does
/// the same.
fn unescaped(field: &str) -> String {
    let mut text = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = match behind {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', behind @ ..] if *byte == b'\\' => {
                text.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                behind
            }
            _ => {
                text.push(*byte);
                behind
            }
        };
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The file systems with their sizes: lines of block size, blocks, free blocks and path.
fn sized(mounts: Vec<FileSystem>, sizes: &str) -> Vec<FileSystem> {
    let size = |line: &str| -> Option<(String, (u64, u64))> {
        let mut fields = line.splitn(4, ' ');
        let mut number = || fields.next()?.parse::<u64>().ok();
        let (block, all, free) = (number()?, number()?, number()?);
        let mib = |blocks: u64| blocks.saturating_mul(block) >> 20;
        Some((fields.next()?.to_owned(), (mib(all), mib(free))))
    };
    let sizes: BTreeMap<String, (u64, u64)> = sizes.lines().filter_map(size).collect();
    let sized = |mount: FileSystem| match sizes.get(&mount.path) {
        Some((size, free)) => FileSystem { size: Some(*size), free: Some(*free), ..mount },
        None => mount,
    };
    mounts.into_iter().map(sized).collect()
}

/// Whether the flags of an interface, a hexadecimal number, say that it is up.
fn up(flags: &str) -> bool {
    let number = flags.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
    number.unwrap_or_default() & 1 == 1
}

/// The interfaces with their addresses: lines of `ip -o addr show`.
fn addressed(mut interfaces: Vec<Interface>, lines: &str) -> Vec<Interface> {
    for line in lines.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, name, "inet" | "inet6", address, ..] = words.as_slice() else { continue };
        let name = name.split('@').next().unwrap_or_default();
        if let Some(interface) = interfaces.iter_mut().find(|one| one.name == name) {
            interface.addresses.push((*address).to_owned());
        }
    }
    interfaces
}

/// A line of `ip route show default`: `default via 192.0.2.1 dev eth0 proto dhcp`.
fn default_route(line: &str) -> Option<DefaultRoute> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |word: &str| {
        let at = words.iter().position(|one| *one == word)?;
        words.get(at + 1).map(|word| (*word).to_owned())
    };
    let interface = after("dev").filter(|_| words.first() == Some(&"default"))?;
    Some(DefaultRoute { gateway: after("via"), interface })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_escapes_alone_are_decoded() {
        for (field, text) in [
            ("/srv/a\\0407", "/srv/a 7"),
            ("\\134040", "\\040"),
            ("\\303\\274", "\u{fc}"),
            ("\\+12\\400\\04\\n\\", "\\+12\\400\\04\\n\\"),
        ] {
            assert_eq!(unescaped(field), text);
        }
    }

    #[test]
    fn the_size_is_that_of_the_path_that_is_mounted() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("a 7");
        std::fs::create_dir(&place).unwrap();
        let table = directory.path().join("mounts");
        let line = format!("/dev/x {} ext4 rw 0 0\n", place.display()).replace("a 7", "a\\0407");
        std::fs::write(&table, line).unwrap();
        for shell in crate::script::shells::shells() {
            let script =
                include_str!("detail.sh").replace("/proc/self/mounts", table.to_str().unwrap());
            let output = shell.run(&format!(
                "{ESCAPES}answer() {{ printf '%s|' \"$@\"; }}\n{script}\ndetail_mounts"
            ));
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(said.ends_with(&format!(" {}|", place.display())), "{shell}: {said}");
        }
    }

    #[test]
    fn answers_are_read() {
        let questions = Detail::ALL.into_iter().collect();
        let answers: Vec<Answer<'_>> = vec![
            vec!["detail", "boot_time", "1700000000"],
            vec!["detail", "disk", "sda", "2097152", "1"],
            vec!["detail", "disks"],
            vec!["detail", "mount", "/dev/sda1", "/srv/a\\040b", "ext4"],
            vec!["detail", "mount", "nas:/x", "/mnt", "nfs4"],
            vec!["detail", "mounts", "4096 25600 12800 /srv/a b"],
            vec!["detail", "interface", "eth0", "52:54:00:12:34:56", "1500", "0x1003"],
            vec!["detail", "interface", "tun0", NO_MAC, "1400", "0x90"],
            vec![
                "detail",
                "network",
                "1: lo    inet 127.0.0.1/8 scope host lo\n\
                 2: eth0    inet 192.0.2.10/24 brd 192.0.2.255 scope global eth0\\ valid\n\
                 2: eth0    inet6 fe80::1/64 scope link",
                "default via 192.0.2.1 dev eth0 \ndefault dev tun0 scope link",
            ],
            vec!["detail", "users", "ann tty1 2026\nann pts/0\nbob pts/1"],
        ];
        let mut found = Details::default();
        found.read(&questions, &answers, &Os::named("debian 12", "x86_64")).unwrap();
        assert_eq!(found.boot_time, Some(1_700_000_000));
        let disk = Disk { name: "sda".into(), size: 1024, rotational: true };
        assert_eq!(found.disks, Some(vec![disk]));
        let mounts = found.mounts.unwrap();
        assert_eq!((mounts[0].path.as_str(), mounts[0].size), ("/srv/a b", Some(100)));
        assert_eq!((mounts[0].free, mounts[1].size), (Some(50), None));
        let network = found.network.unwrap();
        assert_eq!(network.interfaces[0].addresses, ["192.0.2.10/24", "fe80::1/64"]);
        assert_eq!((network.interfaces[0].up, network.interfaces[1].up), (true, false));
        assert_eq!(network.interfaces[1].mac, "");
        let gateways: Vec<_> = network.default_routes.iter().map(|one| &one.gateway).collect();
        assert_eq!(gateways, [&Some("192.0.2.1".to_owned()), &None]);
        assert_eq!(found.users.unwrap().into_iter().collect::<Vec<_>>(), ["ann", "bob"]);
    }
}
