//! Parses the table of filesystems like mount(8) and systemd. `ensure_mount_entry` of the library
//! does the same on a node.

use super::super::text::Text;

/// The edited table: exactly one entry about `about`, as in `line`; or none if `line` has no entry.
/// `ensure_mount_entry` of the library does the same.
pub(super) fn edited(text: &str, about: &str, line: &str) -> String {
    let mut file = Text::of(text);
    let wanted = FstabEntry::read(line);
    let own: Vec<(usize, FstabEntry)> = file
        .lines
        .iter()
        .enumerate()
        .filter_map(|(at, line)| Some((at, FstabEntry::read(line)?)))
        .collect();
    let own: Vec<&(usize, FstabEntry)> =
        own.iter().filter(|(_, entry)| entry.about == about).collect();
    let right =
        own.iter().rev().find(|(_, entry)| Some(entry) == wanted.as_ref()).map(|(at, _)| *at);
    let stays = right.or_else(|| own.last().map(|(at, _)| *at)).filter(|_| wanted.is_some());
    own.iter().map(|(at, _)| *at).filter(|at| Some(*at) != stays).for_each(|at| file.drop(at));
    match stays {
        Some(at) if right.is_none() => file.set(at, line),
        None if wanted.is_some() => file.push(line),
        _ => {}
    }
    file.edited()
}

/// An entry of fstab(5).
#[derive(Debug, PartialEq, Eq)]
struct FstabEntry {
    about: String,
    device: String,
    fstype: String,
    options: String,
    numbers: [u64; 2],
}

impl FstabEntry {
    /// Parses a line; `None` if it has no entry.
    fn read(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split([' ', '\t']).filter(|field| !field.is_empty()).collect();
        if fields.len() < 3 || fields[0].starts_with('#') {
            return None;
        }
        let number = |at: usize| {
            let digits = |text: &&str| {
                text.len() - text.trim_start_matches(|char: char| char.is_ascii_digit()).len()
            };
            fields.get(at).and_then(|field| field[..digits(field)].parse().ok()).unwrap_or_default()
        };
        let device = decoded(fields[0]);
        let about = if fields[2] == "swap" {
            format!("swap {device}")
        } else {
            format!("on {}", directory(&decoded(fields[1])))
        };
        let options = fields.get(3).map_or_else(defaults, |options| decoded(options));
        Some(FstabEntry {
            about,
            device,
            fstype: decoded(fields[2]),
            options,
            numbers: [number(4), number(5)],
        })
    }
}

/// A field with its octal escapes decoded.
fn decoded(field: &str) -> String {
    let bytes = field.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        match bytes[at..] {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                at += 4;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A path as mount(8) normalizes it.
pub(super) fn directory(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

pub(super) fn defaults() -> String {
    "defaults".to_owned()
}

/// Escapes a field of /etc/fstab and of the kernel's list.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011")
}

#[cfg(test)]
mod tests {
    use super::super::super::text::tests::same_in_every_shell;
    use super::*;

    #[test]
    fn fault_05_fields_of_the_table_are_read_as_mount_reads_them() {
        let about = "on /mnt/x";
        let line = "tmpfs /mnt/x tmpfs defaults 0 0";
        let made = |text: &str| edited(text, about, line);
        assert_eq!(made("sshfs#u@h:/old /mnt/x fuse defaults 0 0\n"), format!("{line}\n"));
        assert_eq!(edited("sshfs#u@h:/old /mnt/x fuse defaults 0 0\n", about, ""), "");
        // these are equivalent
        for same in [
            "tmpfs\t/mnt/x/ tmpfs\n",
            " tmpfs //mnt/x tmpfs defaults 0\n",
            "tmpfs /mnt\\057x tmpfs defaults 0 0 # why\r\n",
        ] {
            assert_eq!(made(same), same);
        }
        // a second entry for the same path would be mounted too
        assert_eq!(
            made(&format!("a /mnt/x ext4\n{line}\nb /mnt/x ext4\n# c /mnt/x\n")),
            format!("{line}\n# c /mnt/x\n")
        );
        let swap = "/dev/sdb none swap pri=5 0 0";
        let table = "/dev/sda none swap sw 0 0\n/dev/sdb swap swap sw\n";
        assert_eq!(
            edited(table, "swap /dev/sdb", swap),
            format!(
                "/dev/sda none swap sw 0 0\n\
            {swap}\n"
            )
        );
    }

    #[test]
    fn here_and_in_the_shell_it_comes_out_the_same() {
        let texts = [
            "",
            "# /mnt/x\n\n/dev/a / ext4 defaults 0 1",
            "sshfs#u@h:/old /mnt/x fuse defaults 0 0\r\n/dev/b none swap sw\r\n",
            "a /mnt/x ext4 x 01 2\n a\t/mnt/x/ ext4 x 1 2\nb /mnt//x tmpfs\n",
            "/dev/a /mnt/my\\040dir ext4\n/dev/a none swap sw 0 0\n\
             /dev/b swap swap pri=5 0 0 junk\n",
            "a /mnt/x\nb\n#\n \\ /mnt/x ext4\n",
        ];
        let cases = [
            ("on /mnt/x", "a /mnt/x ext4 x 1 2"),
            ("on /mnt/x", ""),
            ("on /mnt/my dir", "/dev/a /mnt/my\\040dir ext4 noatime 0 0"),
            ("on /", "/dev/a / ext4 defaults 0 1"),
            ("swap /dev/b", "/dev/b none swap pri=5 0 0"),
            ("swap /dev/a", ""),
        ];
        for (about, line) in cases {
            let how = if line.is_empty() { "absent" } else { "present" };
            same_in_every_shell("ensure_mount_entry", &[how, about, line], &texts, |text| {
                edited(text, about, line)
            });
        }
    }
}
