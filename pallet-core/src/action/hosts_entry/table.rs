//! Edits of the names of an address, by reading lines as hosts(5) describes. `ensure_hosts_entry`
//! of the library does the same on a node.

use std::net::Ipv6Addr;

use super::super::text::Text;

/// What to do with the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// The address has each of them.
    Present,
    /// The address has one line, with these names in this order.
    Only,
    /// The address has none of them; without names, it has no line.
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

/// An address in the only form that is compared: IPv6 as eight numbers. `None` if it cannot be one.
pub(super) fn form(text: &str) -> Option<String> {
    if !text.contains(':') {
        return Some(text.to_owned());
    }
    let address: Ipv6Addr = text.parse().ok()?;
    Some(address.segments().map(|part| format!("{part:x}")).join(":"))
}

/// A line with an address.
struct HostsLine<'a> {
    address: String,
    /// The line up to its names.
    lead: &'a str,
    names: Vec<&'a str>,
    /// Blanks and a comment behind the names.
    tail: &'a str,
}

impl<'a> HostsLine<'a> {
    /// `None` if the line has no address.
    fn read(line: &'a str) -> Option<Self> {
        let body = line.split('#').next().unwrap_or_default().trim_end_matches(BLANK);
        let (body, tail) = line.split_at(body.len());
        let start = body.len() - body.trim_start_matches(BLANK).len();
        let end = body[start..].find(BLANK).map_or(body.len(), |at| start + at);
        let address = form(&body[start..end]).filter(|address| !address.is_empty())?;
        let rest = body[end..].trim_start_matches(BLANK);
        let names = rest.split(BLANK).filter(|name| !name.is_empty()).collect();
        Some(HostsLine { address, lead: &body[..body.len() - rest.len()], names, tail })
    }

    /// The line with these names.
    fn with(&self, names: &[&str]) -> String {
        // an address without names has nothing behind it
        let between = if self.lead.ends_with(BLANK) { "" } else { "\t" };
        format!("{}{between}{}{}", self.lead, names.join(" "), self.tail)
    }
}

const BLANK: [char; 2] = [' ', '\t'];

/// The edited text of the table.
pub(super) fn edited(text: &str, how: How, address: &str, names: &[String]) -> String {
    let mut file = Text::of(text);
    let wanted = form(address);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let is_wanted = |name: &str| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
    let own: Vec<(usize, HostsLine<'_>)> = file
        .lines
        .iter()
        .enumerate()
        .filter_map(|(at, line)| Some((at, HostsLine::read(line)?)))
        .filter(|(_, line)| Some(&line.address) == wanted.as_ref())
        .collect();
    let new = format!("{address}\t{}", names.join(" "));
    match how {
        How::Present => {
            let has = |name: &&str| {
                own.iter()
                    .any(|(_, line)| line.names.iter().any(|own| own.eq_ignore_ascii_case(name)))
            };
            if names.iter().all(has) {
                return text.to_owned();
            }
            match own.iter().find(|(_, line)| line.names.iter().any(|name| is_wanted(name))) {
                Some((at, line)) => {
                    let others = line.names.iter().copied().filter(|name| !is_wanted(name));
                    let all: Vec<&str> = names.iter().copied().chain(others).collect();
                    file.set(*at, line.with(&all));
                }
                None => file.push(new),
            }
        }
        How::Only => match own.split_first() {
            None => file.push(new),
            Some(((at, line), others)) => {
                let same = line.names.len() == names.len()
                    && line
                        .names
                        .iter()
                        .zip(&names)
                        .all(|(own, name)| own.eq_ignore_ascii_case(name));
                if !same {
                    file.set(*at, line.with(&names));
                }
                others.iter().for_each(|(at, _)| file.drop(*at));
            }
        },
        How::Absent => {
            for (at, line) in &own {
                let left: Vec<&str> =
                    line.names.iter().copied().filter(|name| !is_wanted(name)).collect();
                if names.is_empty() || (left.is_empty() && !line.names.is_empty()) {
                    file.drop(*at);
                } else if left.len() < line.names.len() {
                    file.set(*at, line.with(&left));
                }
            }
        }
    }
    file.edited()
}

#[cfg(test)]
mod tests {
    use super::super::super::text::tests::same_in_every_shell;
    use super::*;

    fn made(text: &str, how: How, address: &str, names: &[&str]) -> String {
        edited(text, how, address, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn here_and_in_the_shell_it_comes_out_the_same() {
        let texts = [
            "",
            "127.0.0.1 localhost",
            "# 10.0.0.5 a\n10.0.0.5\n10.0.0.5#a\n 10.0.0.5\ta b#c\n10.0.0.50 a\n",
            "\u{feff}10.0.0.5 A\r\n\r\n::1 a\r\n10.0.0.5\t\tb\tc \t # d\r\n",
            "10.0.0.5 x\nfd00:0::5 a\n 10.0.0.5 b x a y\n10.0.0.5 a\n",
            "FD00::0005 c\nfd00::0:0:5 a b\n::ffff:10.0.0.5 a\n10.0.0.5 &\\1 b\n",
        ];
        for (address, names) in [
            ("10.0.0.5", vec!["a", "b"]),
            ("10.0.0.5", vec!["c"]),
            ("10.0.0.5", vec![]),
            ("fd00::5", vec!["a"]),
            ("::ffff:10.0.0.5", vec!["a", "C.example"]),
        ] {
            for how in [How::Present, How::Only, How::Absent] {
                if how != How::Absent && names.is_empty() {
                    continue;
                }
                let words = [&[how.word(), address], names.as_slice()].concat();
                same_in_every_shell("ensure_hosts_entry", &words, &texts, |text| {
                    made(text, how, address, &names)
                });
            }
        }
    }

    #[test]
    fn every_way_to_write_an_address_is_read() {
        let same =
            ["::5:0:0:1", "0:0:0:0:5:0:0:1", "::0005:0:0:1", "0::5:0:0.0.0.1", "::5:0:0:0001"];
        let other = [
            "::5:0:0:1:",
            ":::5:0:0:1",
            "::5::1",
            "0:0:0:0:5:0:0:00001",
            "0:0:0:0::5:0:0:1",
            "0:0:0:0:5:0:0:1::",
            "::5:0:0:0:1",
            "::5:0:0:g",
            "::5:0:0.0.0.01",
            "::5:0:0.0.1",
            "::5:0:0.0.0.256",
            "::5:0:0.0.0.1:0",
            "5:0:0:1",
            "::5:0:0:1%lo",
            ":",
            "::",
            "0.0.0.1",
            ":0:0:0:5:0:0:1",
            "1.2.3.4::",
            "0:0:0:0:5:0:0:0.0.0.1",
        ];
        let table = |all: &[&str], name: &str| {
            all.iter().map(|address| format!("{address} {name}\n")).collect::<String>()
        };
        let text = table(&same, "a") + &table(&other, "a");
        let address = "::5:0:0:1";
        assert_eq!(made(&text, How::Absent, address, &["a"]), table(&other, "a"));
        same_in_every_shell("ensure_hosts_entry", &["absent", address, "a"], &[&text], |text| {
            made(text, How::Absent, address, &["a"])
        });
    }

    #[test]
    fn a_line_keeps_what_is_around_its_names() {
        let text = "  10.0.0.5\t\ta   b  # a and b\n";
        assert_eq!(made(text, How::Absent, "10.0.0.5", &["a"]), "  10.0.0.5\t\tb  # a and b\n");
        assert_eq!(
            made(text, How::Present, "10.0.0.5", &["c", "b"]),
            "  10.0.0.5\t\tc b a  # a and b\n"
        );
        assert_eq!(made("10.0.0.5", How::Only, "10.0.0.5", &["a"]), "10.0.0.5\ta\n");
        assert_eq!(made("10.0.0.5\n", How::Absent, "10.0.0.5", &["a"]), "10.0.0.5\n");
    }
}
