//! Edits of the keys of a host, by reading lines of known_hosts as ssh does. `ensure_known_host` of
//! the library does the same on a node.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::super::text::Text;

/// What to do with the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// The host has each of them, and no other key of their types.
    Present,
    /// The host has each of them, and no other key.
    Only,
    /// The host has none of them; without keys, it has none at all.
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
struct HostLine<'a> {
    /// Blanks before it.
    indent: &'a str,
    /// Patterns, separated by commas, or one hashed name.
    hosts: &'a str,
    kind: &'a str,
    blob: &'a str,
    /// All behind the hosts.
    rest: &'a str,
}

impl<'a> HostLine<'a> {
    /// `None` if the line has no key, or has a marker such as `@revoked`.
    fn read(line: &'a str) -> Option<Self> {
        let bare = line.trim_start_matches(BLANK);
        let indent = &line[..line.len() - bare.len()];
        if bare.starts_with(['#', '@']) {
            return None;
        }
        let (hosts, rest) = bare.split_at(bare.find(BLANK)?);
        let mut words = rest.split(BLANK).filter(|word| !word.is_empty());
        Some(HostLine { indent, hosts, kind: words.next()?, blob: words.next()?, rest })
    }

    /// Its hosts without this one, if it is among them.
    fn others(&self, host: &str) -> Option<Vec<&'a str>> {
        if self.hosts.starts_with("|1|") {
            return is_hash_of(self.hosts, host).then(Vec::new);
        }
        let is = |name: &str| name.eq_ignore_ascii_case(host);
        let names = || self.hosts.split(',');
        names().any(is).then(|| names().filter(|name| !is(name)).collect())
    }

    fn is(&self, key: &(&str, &str, &str)) -> bool {
        (self.kind, self.blob) == (key.0, key.1)
    }
}

const BLANK: [char; 2] = [' ', '\t'];

/// Whether a hashed name, `|1|SALT|HASH`, is that of the host.
fn is_hash_of(hashed: &str, host: &str) -> bool {
    let parts: Vec<&str> = hashed.split('|').collect();
    let ["", "1", salt, hash] = parts[..] else { return false };
    let Ok(key) = STANDARD.decode(salt) else { return false };
    // HMAC-SHA1, which asks for no secrecy here
    let padded = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(&key).for_each(|(byte, of)| *byte ^= of);
        Sha1::new_with_prefix(block)
    };
    let inner = padded(0x36).chain_update(host).finalize();
    let made = padded(0x5c).chain_update(inner).finalize();
    key.len() == made.len() && STANDARD.encode(made) == hash
}

/// The edited text of the file; `host` is in lower case.
pub(super) fn edited(text: &str, how: How, host: &str, keys: &[&str]) -> String {
    let mut file = Text::of(text);
    let wanted: Vec<(&str, &str, &str)> = keys
        .iter()
        .filter_map(|key| {
            let mut words = key.split(BLANK).filter(|word| !word.is_empty());
            Some((words.next()?, words.next()?, *key))
        })
        .collect();
    let mut has = vec![how == How::Absent; wanted.len()];
    // the lines to take from the host, with what else they are for
    let mut wrong = Vec::new();
    for (at, line) in file.lines.iter().enumerate() {
        let Some(line) = HostLine::read(line) else { continue };
        let key = wanted.iter().position(|key| line.is(key));
        let matters = match how {
            How::Present => wanted.iter().any(|(kind, ..)| *kind == line.kind),
            How::Only => true,
            How::Absent => wanted.is_empty() || key.is_some(),
        };
        // most lines do not matter, and a hash takes time
        let Some(others) = matters.then(|| line.others(host)).flatten() else { continue };
        match key.filter(|_| how != How::Absent) {
            Some(key) => has[key] = true,
            None => wrong.push((at, line, others)),
        }
    }
    for (at, line, others) in wrong {
        let missing = wanted.iter().zip(&has).position(|(key, has)| key.0 == line.kind && !has);
        if !others.is_empty() {
            file.set(at, format!("{}{}{}", line.indent, others.join(","), line.rest));
        } else if let Some(key) = missing {
            file.set(at, format!("{}{} {}", line.indent, line.hosts, wanted[key].2));
            has[key] = true;
        } else {
            file.drop(at);
        }
    }
    for (key, _) in wanted.iter().zip(has).filter(|(_, has)| !has) {
        file.push(format!("{host} {}", key.2));
    }
    file.edited()
}

#[cfg(test)]
mod tests {
    use super::super::super::text::tests::same_in_every_shell;
    use super::*;

    /// Made by `ssh-keygen -H`.
    const HASHED: [(&str, &str); 3] = [
        ("git.example.com", "|1|rAWFMH8wx0owe8mUQ67ueXztJoM=|CZP5bi/eBQcGlMBpBgllJMYxrMU="),
        ("[git.example.com]:2222", "|1|bzqlzBYV3Skl+zky8TTtDN/xV+4=|/lbS163NcjT1oSpOp4RcHqtNgF4="),
        ("fd00::5", "|1|6TfmWKSjeGYlrtRPJABxRE3jiXE=|Wlofg+CF2zpSDg+HL/D92W9P+Hk="),
    ];

    #[test]
    fn a_hashed_name_is_read_as_ssh_reads_it() {
        for (name, hashed) in HASHED {
            assert!(is_hash_of(hashed, name), "{name}");
            for (other, _) in HASHED.iter().filter(|(other, _)| *other != name) {
                assert!(!is_hash_of(hashed, other), "{name}, {other}");
            }
            for wrong in [
                format!("{hashed}|"),
                hashed.replace('=', ""),
                hashed.replacen("=|", "==|", 1),
                hashed.replacen("|1|", "|1|AAAA", 1),
                hashed.replacen("=|", "|", 1),
                hashed.replacen("M=|", "N=|", 1),
                "|1||".to_owned(),
            ] {
                assert!(!is_hash_of(&wrong, name) || wrong == hashed, "{wrong}");
            }
        }
        let all = |key: &str| {
            HASHED
                .map(|(_, hashed)| format!("{hashed} ssh-rsa {key}\n{hashed}| ssh-rsa x\n"))
                .concat()
        };
        let text = format!(
            "a,{} ssh-rsa AAAAold\n|1|AAAA|x ssh-rsa AAAAold\n{}|1|\n",
            HASHED[0].0,
            all("AAAAold")
        );
        for (host, _) in HASHED {
            for (how, key) in [
                (How::Present, "ssh-rsa AAAAnew"),
                (How::Absent, "ssh-rsa AAAAold"),
                (How::Present, "ssh-dss AAAA"),
            ] {
                same_in_every_shell(
                    "ensure_known_host",
                    &[how.word(), host, key],
                    &[&text],
                    |text| edited(text, how, host, &[key]),
                );
            }
        }
        // the name stays hashed
        let (host, hashed) = HASHED[0];
        assert_eq!(
            edited(
                &format!("{hashed} ssh-rsa AAAAold x\n"),
                How::Present,
                host,
                &["ssh-rsa AAAAnew"]
            ),
            format!("{hashed} ssh-rsa AAAAnew\n")
        );
    }

    #[test]
    fn here_and_in_the_shell_it_comes_out_the_same() {
        let texts = [
            "",
            "h ssh-rsa AAAAold",
            "# h ssh-rsa AAAAold\n@revoked h ssh-rsa AAAAold\n*.h ssh-rsa AAAAold\n\
             !h,h ssh-rsa AAAAx\n",
            "\u{feff}H,a ssh-rsa AAAAold old key\r\n a,,h\tssh-rsa\tAAAAb\r\nh,h ssh-dss AAAA\r\n",
            "h ssh-rsa AAAAnew x\nh ssh-rsa AAAAold\nh ssh-ed25519 AAAAe\n\
             h ssh-rsa AAAAnew\nh\nh x\n",
            "a,h ssh-rsa AAAAold\nh  ssh-rsa AAAAold2\nh ssh-rsa AAAAold3 \nh ssh-rsa \n",
        ];
        for keys in [
            vec!["ssh-rsa AAAAnew it's new"],
            vec!["ssh-rsa AAAAnew", "ssh-rsa AAAAb", "ssh-ed25519\tAAAAe &\\1"],
            vec![],
        ] {
            for how in [How::Present, How::Only, How::Absent] {
                if how != How::Absent && keys.is_empty() {
                    continue;
                }
                let words = [&[how.word(), "h"], keys.as_slice()].concat();
                same_in_every_shell("ensure_known_host", &words, &texts, |text| {
                    edited(text, how, "h", &keys)
                });
            }
        }
    }
}
