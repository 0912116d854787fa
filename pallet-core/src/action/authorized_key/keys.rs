//! Parses lines of authorized_keys like sshd. `ensure_keys` of the library does the same on a node.

use super::super::text::{Text, trim};

/// The prefixes of key types.
const KINDS: [&str; 4] = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"];

/// What to do with the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Each has one line.
    Present,
    /// Each has one line, and no other key has any.
    Only,
    /// None has a line.
    Absent,
}

impl How {
    pub(super) fn word(self) -> &'static str {
        match self {
            How::Present => "present",
            How::Only => "only",
            How::Absent => "absent",
        }
    }
}

/// A line with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct KeyLine<'a> {
    pub(in super::super) options: &'a str,
    pub(in super::super) kind: &'a str,
    pub(in super::super) blob: &'a str,
    comment: &'a str,
}

impl<'a> KeyLine<'a> {
    /// Parses the key of a line; `None` if sshd finds none.
    pub(in super::super) fn read(line: &'a str) -> Option<Self> {
        let line = line.trim_start_matches([' ', '\t']);
        if line.starts_with('#') {
            return None;
        }
        let (options, key) =
            if is_key(line) { ("", line) } else { line.split_at(options_end(line)) };
        let key = key.trim_start_matches([' ', '\t']);
        if !is_key(key) {
            return None;
        }
        let (kind, rest) = word(key);
        let (blob, comment) = word(rest);
        Some(KeyLine { options, kind, blob, comment: trim(comment) })
    }

    /// The key's name for people: its comment, or the key itself without one.
    pub(in super::super) fn name(&self) -> &'a str {
        if self.comment.is_empty() { self.blob } else { self.comment }
    }

    fn is(&self, other: &KeyLine<'_>) -> bool {
        self.kind == other.kind && self.blob == other.blob
    }
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The first word, and the rest.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches([' ', '\t']);
    text.split_at(text.find([' ', '\t']).unwrap_or(text.len()))
}

fn is_key(text: &str) -> bool {
    let (kind, rest) = word(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.@".contains(&byte);
    KINDS.iter().any(|start| kind.starts_with(start))
        && kind.bytes().all(plain)
        && word(rest).0.starts_with("AAAA")
}

/// The end of the options: the first blank that is not in quotes.
fn options_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut quoted) = (0, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if bytes.get(at + 1) == Some(&b'"') => at += 1,
            b'"' => quoted = !quoted,
            blank if is_blank(blank) && !quoted => break,
            _ => {}
        }
        at += 1;
    }
    at.min(bytes.len())
}

/// The edited text of a file.
pub(super) fn edited(text: &str, how: How, lines: &[String]) -> String {
    let wanted: Vec<KeyLine<'_>> = lines.iter().filter_map(|line| KeyLine::read(line)).collect();
    let mut file = Text::of(text);
    let found: Vec<Option<KeyLine<'_>>> =
        file.lines.iter().map(|line| KeyLine::read(line)).collect();
    // for each key, the line to keep, and whether it is already right
    let keep: Vec<Option<(usize, bool)>> = wanted
        .iter()
        .map(|key| {
            let of = |line: &&Option<KeyLine<'_>>| line.is_some_and(|line| line.is(key));
            let right = found
                .iter()
                .position(|line| of(&line) && line.is_some_and(|line| line.options == key.options));
            right
                .map(|at| (at, true))
                .or_else(|| found.iter().position(|line| of(&line)).map(|at| (at, false)))
        })
        .collect();
    for (at, line) in found.iter().enumerate() {
        let key = line.and_then(|line| wanted.iter().position(|key| line.is(key)));
        match key {
            Some(key) => match keep[key] {
                Some((kept, right)) if kept == at && how != How::Absent => {
                    if !right {
                        file.set(at, &lines[key]);
                    }
                }
                _ => file.drop(at),
            },
            None => {
                let bare = file.lines[at].trim_start_matches([' ', '\t']);
                if how == How::Only && !bare.is_empty() && !bare.starts_with('#') {
                    file.drop(at);
                }
            }
        }
    }
    if how != How::Absent {
        keep.iter()
            .zip(lines)
            .filter(|(kept, _)| kept.is_none())
            .for_each(|(_, line)| file.push(line));
    }
    file.edited()
}

#[cfg(test)]
mod tests {
    use super::super::super::text::tests::same_in_every_shell;
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3Nz+/a=";

    fn made(text: &str, how: How, lines: &[&str]) -> String {
        edited(text, how, &lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_line_is_read_as_sshd_reads_it() {
        let read =
            |line| KeyLine::read(line).map(|key| (key.options, key.kind, key.blob, key.comment));
        assert_eq!(read(" ssh-rsa \tAAAAB3 ann  x "), Some(("", "ssh-rsa", "AAAAB3", "ann  x")));
        assert_eq!(
            read("from=\"a b\",no-pty  ssh-rsa AAAAB3"),
            Some(("from=\"a b\",no-pty", "ssh-rsa", "AAAAB3", ""))
        );
        assert_eq!(
            read("command=\"a \\\" b\" ssh-rsa AAAAB3"),
            Some(("command=\"a \\\" b\"", "ssh-rsa", "AAAAB3", ""))
        );
        assert_eq!(
            read("environment=\"X=ssh-rsa AAAAx\" ssh-rsa AAAAB3"),
            Some(("environment=\"X=ssh-rsa AAAAx\"", "ssh-rsa", "AAAAB3", ""))
        );
        for none in [
            "",
            " ",
            "# ssh-rsa AAAAB3",
            "  # ssh-rsa AAAAB3",
            "ssh-rsa",
            "x ssh-rsa",
            "\"no end ssh-rsa AAAAB3",
            "1024 35 13",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn fault_10_one_key_has_one_line() {
        let options = format!("command=\"/bin/backup\" {KEY}");
        let old = format!("{KEY} old\n{options}\n");
        assert_eq!(made(&old, How::Present, &[&options]), format!("{options}\n"));
        assert_eq!(
            made(&format!("{KEY} old\n"), How::Present, &[&options]),
            format!("{options}\n")
        );
        assert_eq!(made(&format!("{options}\n{KEY}\n"), How::Present, &[KEY]), format!("{KEY}\n"));
        // another key that mentions this one in its comment stays
        let other = format!("ssh-rsa AAAAB3 not {KEY}\n");
        assert_eq!(made(&other, How::Absent, &[KEY]), other);
    }

    #[test]
    fn here_and_in_the_shell_it_comes_out_the_same() {
        let with = format!("from=\"10.0.0.0/8,b c\",no-pty {KEY} it's \"ann\"");
        let texts = [
            String::new(),
            format!("{KEY} old"),
            format!("# {KEY}\r\n  {KEY}\r\n{KEY}\r\n"),
            format!("{with}\n{KEY}\nssh-rsa AAAAB3 {KEY}\n\n garbage\n"),
            format!(
                "no-pty {KEY}\n\u{feff}x\ncommand=\"a \\\" b\" ssh-rsa AAAAB3\n\
                ssh-rsa AAAAB3 &\\1"
            ),
            format!("\t{KEY}x\n{with} other\nssh-dss AAAAB3\n"),
        ];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for lines in [vec![KEY], vec![&with], vec![KEY, "ssh-rsa AAAAB3 &\\1 x"], vec![]] {
            for how in [How::Present, How::Only, How::Absent] {
                let words: Vec<&str> =
                    std::iter::once(how.word()).chain(lines.iter().copied()).collect();
                same_in_every_shell("ensure_keys", &words, &texts, |text| made(text, how, &lines));
            }
        }
    }
}
