//! Parses one file of the ssh configuration.

/// The options that Pallet uses.
const KNOWN: [&str; 18] = [
    "hostname",
    "port",
    "user",
    "identityfile",
    "certificatefile",
    "identitiesonly",
    "identityagent",
    "userknownhostsfile",
    "globalknownhostsfile",
    "stricthostkeychecking",
    "hostkeyalias",
    "proxyjump",
    "proxycommand",
    "proxyusefdpass",
    "connecttimeout",
    "serveraliveinterval",
    "canonicalizehostname",
    "include",
];

/// A parsed file.
#[derive(Debug)]
pub(super) struct ConfigFile {
    pub(super) lines: Vec<Line>,
    /// The number of the first line with an unclosed quote.
    pub(super) broken: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) key: String,
    pub(super) words: Vec<String>,
    pub(super) rest: String,
}

impl ConfigFile {
    pub(super) fn parse(text: &str) -> Self {
        let mut file = ConfigFile { lines: Vec::new(), broken: None };
        for (index, text) in text.lines().enumerate() {
            let number = index + 1;
            match split(text) {
                None => file.broken = file.broken.or(Some(number)),
                Some((key, rest, words))
                    if KNOWN.contains(&key.as_str())
                        || ["host", "match"].contains(&key.as_str()) =>
                {
                    file.lines.push(Line { number, key, words, rest });
                }
                Some(_) => {}
            }
        }
        file
    }
}

/// Splits a line into its key in lower case, the rest as written, and the words of the rest.
/// Supports `Key value`, `Key=value`, quotes, and `#` comments. An empty line has an empty key.
/// Returns `None` if a quote is not closed.
fn split(line: &str) -> Option<(String, String, Vec<String>)> {
    let line = line.trim();
    if line.starts_with('#') {
        return Some((String::new(), String::new(), Vec::new()));
    }
    let end = line.find(|char: char| char.is_whitespace() || char == '=').unwrap_or(line.len());
    let (key, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let key = key.trim_matches('"').to_ascii_lowercase();
    // the value is a command for a shell
    if key == "proxycommand" {
        return Some((key, rest.to_owned(), rest.split_whitespace().map(str::to_owned).collect()));
    }
    let mut words: Vec<String> = Vec::new();
    let mut chars = rest.chars().peekable();
    loop {
        while chars.next_if(|char| char.is_whitespace()).is_some() {}
        if chars.peek().is_none_or(|char| *char == '#') {
            return Some((key, rest.to_owned(), words));
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(char) = chars.next_if(|char| quote.is_some() || !char.is_whitespace()) {
            let escaped =
                |next: &char| ['\'', '"', '\\'].contains(next) || (quote.is_none() && *next == ' ');
            match (char, quote) {
                ('\\', _) => word.push(chars.next_if(escaped).unwrap_or('\\')),
                ('"' | '\'', None) => quote = Some(char),
                (char, Some(open)) if char == open => quote = None,
                (char, _) => word.push(char),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(word);
    }
}
