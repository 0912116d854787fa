//! Whether a declared pattern covers a name, a path, a command, a host, or another pattern, which
//! is treated as text.
//!
//! A pattern never covers more than it says. In doubt it does not cover.

/// A name: `*` matches any text.
pub(super) fn name(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut text) = name.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(end)
}

/// A path: `*` matches any text within a name, `**` matches any number of names, including none.
/// Only `..` covers `..`.
pub(super) fn path(pattern: &str, path: &str) -> bool {
    fn names(path: &str) -> Vec<&str> {
        path.split('/').filter(|name| !name.is_empty() && *name != ".").collect()
    }
    fn covers(pattern: &[&str], path: &[&str]) -> bool {
        match pattern {
            [] => path.is_empty(),
            ["**", rest @ ..] => {
                let most = path.iter().position(|name| *name == "..").unwrap_or(path.len());
                (0..=most).any(|count| covers(rest, &path[count..]))
            }
            [first, rest @ ..] => match path {
                // in a pattern to be covered, these stand for any names
                [] | ["**", ..] => false,
                ["..", more @ ..] => *first == ".." && covers(rest, more),
                [next, more @ ..] => name(first, next) && covers(rest, more),
            },
        }
    }
    pattern.starts_with('/') == path.starts_with('/') && covers(&names(pattern), &names(path))
}

/// A command: `*` matches text in which the shell finds nothing to interpret; `*` alone matches any
/// command.
pub(super) fn command(pattern: &str, command: &str) -> bool {
    fn covers(pattern: &str, text: &str, at: usize, units: &[usize]) -> bool {
        let Some((literal, rest)) = pattern.split_once('*') else { return &text[at..] == pattern };
        if !text[at..].starts_with(literal) {
            return false;
        }
        // the text that a star matches consists of whole units
        let mut end = at + literal.len();
        loop {
            if covers(rest, text, end, units) {
                return true;
            }
            match units.get(end) {
                Some(&length) if length > 0 => end += length,
                _ => return false,
            }
        }
    }
    match pattern {
        "*" => true,
        _ if command == "*" => false,
        _ => covers(pattern, command, 0, &units(command)),
    }
}

/// For each byte of a command: the length of the literal unit that begins there, which is one
/// character or a quoted text; otherwise 0.
fn units(command: &str) -> Vec<usize> {
    let mut units = vec![0; command.len()];
    let (mut at, mut before) = (0, ' ');
    while let Some(first) = command[at..].chars().next() {
        let rest = &command[at + first.len_utf8()..];
        let length = match first {
            // quotes after a `$` have another meaning
            '$' if rest.starts_with(['\'', '"']) => break,
            '#' if " \t\n;&|()".contains(before) => break,
            '\'' => match rest.find('\'') {
                Some(end) => end + 2,
                None => break,
            },
            '"' => match rest.find(['"', '$', '`', '\\']) {
                Some(end) if rest[end..].starts_with('"') => end + 2,
                // the shell executes parts of this text; its end is not searched for
                _ => break,
            },
            '\\' => match rest.chars().next() {
                Some(next) if next != '\n' => 1 + next.len_utf8(),
                _ => break,
            },
            ';' | '&' | '|' | '<' | '>' | '(' | ')' | '$' | '`' | '#' | '\n' | '\r' => 0,
            other => other.len_utf8(),
        };
        units[at] = length;
        at += length.max(first.len_utf8());
        before = first;
    }
    units
}

/// A host: `HOST` covers any port, `HOST:PORT` only that port.
pub(super) fn host(pattern: &str, host: &str) -> bool {
    let (wanted, wanted_port) = host_and_port(host);
    let (pattern, port) = host_and_port(pattern);
    (port.is_none() || port == wanted_port) && name(&pattern.to_ascii_lowercase(), wanted)
}

/// Splits `HOST` or `HOST:PORT`. The host may be an IPv6 address in brackets.
pub(super) fn host_and_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            (host, Some(port))
        }
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(covers: fn(&str, &str) -> bool, pattern: &str, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(covers(pattern, text), "{pattern} does not cover {text}");
        }
        for text in bad {
            assert!(!covers(pattern, text), "{pattern} covers {text}");
        }
    }

    #[test]
    fn names() {
        check(name, "nginx", &["nginx"], &["nginx-full", "Nginx", "*", ""]);
        check(name, "nginx*", &["nginx", "nginx-full", "nginx*"], &["lib-nginx", "*"]);
        check(
            name,
            "lib*-*-dev",
            &["liba-b-dev", "lib--dev", "liba-b-c-dev"],
            &["lib-dev", "liba-bdev"],
        );
        check(name, "*", &["", "a", "*"], &[]);
        check(name, "a*a", &["aa", "aba"], &["a"]);
    }

    #[test]
    fn paths() {
        check(
            path,
            "/etc/nginx/**",
            &["/etc/nginx", "/etc/nginx/", "/etc//nginx/./a/b", "/etc/nginx/**"],
            &["/etc", "/etc/nginx.conf", "/etc/nginx/../shadow", "etc/nginx", "/**"],
        );
        check(
            path,
            "/srv/*/index.html",
            &["/srv/a/index.html", "/srv/*/index.html"],
            &["/srv/index.html", "/srv/a/b/index.html", "/srv/../index.html", "/srv/**/index.html"],
        );
        check(
            path,
            "/srv/**/index.html",
            &["/srv/index.html", "/srv/a/b/index.html"],
            &["/srv/a", "/srv/**"],
        );
        check(path, "/**", &["/", "/a/b", "/**"], &["a", "/a/../b"]);
        check(
            path,
            "files/**",
            &["files/a", "./files/a/b"],
            &["/files/a", "../files/a", "files/../a"],
        );
        check(path, "**", &["a", "a/b"], &["/a", "../a", "a/../../b"]);
        check(path, "/etc/*", &["/etc/motd", "/etc/*"], &["/etc/a/b", "/etc/**"]);
    }

    #[test]
    fn a_star_in_a_command_takes_only_words() {
        check(
            command,
            "nginx *",
            &[
                "nginx -t",
                "nginx -s reload",
                "nginx 'a; b'",
                "nginx \"a b\"",
                "nginx a\\;b",
                "nginx 'it'\\''s'",
                "nginx *",
                "nginx 'a\nb'",
            ],
            &[
                "nginx",
                "nginx -t; reboot",
                "nginx $(id)",
                "nginx `id`",
                "nginx -t\nreboot",
                "nginx \"$(id)\"",
                "nginx > /etc/passwd",
                "nginx & id",
                "nginx || id",
                "*",
                "nginx 'a",
                "nginx $HOME",
            ],
        );
        check(command, "*", &["*", "rm -rf / ; reboot"], &[]);
        check(
            command,
            "printf %s * >> /etc/hosts",
            &["printf %s 'a\n' >> /etc/hosts"],
            &["printf %s a >> /etc/hosts; id", "printf %s a > /b >> /etc/hosts"],
        );
    }

    #[test]
    fn quotes_are_the_shells_and_not_what_a_pattern_makes_of_them() {
        // the literal quote of the pattern is the first quote of the text, so the text between the
        // next two is not a string
        check(command, "sh -c '*'", &["sh -c ''"], &["sh -c 'a'; b 'c'", "sh -c 'a'"]);
        check(command, "echo $*", &["echo $a"], &["echo $'\\'' ; id #'", "echo $\"a\""]);
        check(
            command,
            "echo *",
            &["echo a#b".trim_end_matches("#b")],
            &["echo x # ' \n id #'", "echo \"'\" ; id '"],
        );
        check(command, "printf * # *", &[], &["printf x # ' \n id #'"]);
    }

    #[test]
    fn hosts() {
        check(
            host,
            "example.com",
            &["example.com:443", "example.com:80", "example.com"],
            &["www.example.com:443", "example.com.evil.org:443"],
        );
        check(
            host,
            "*.Example.com:443",
            &["www.example.com:443", "*.example.com:443"],
            &["www.example.com:80", "example.com:443", "www.example.com"],
        );
        check(host, "[2001:db8::1]", &["[2001:db8::1]:22"], &["[2001:db8::2]:22"]);
        check(host, "*", &["a:1", "rsync://x/y", "*"], &[]);
    }
}
