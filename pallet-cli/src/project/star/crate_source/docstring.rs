//! Docstrings of functions: a text, and a section `Args:` about the parameters.

use std::collections::BTreeMap;

/// A docstring in parts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Docstring {
    /// Everything but the section about parameters.
    pub(super) text: String,
    /// What it says about parameters, by name.
    pub(super) parameters: BTreeMap<String, String>,
}

impl Docstring {
    /// Reads a docstring without the indentation of its function.
    ///
    /// The lines after `Args:` are indented: `name: text`, and lines that continue the text are
    /// indented more. The section ends with the first line that is not indented.
    pub(super) fn read(text: &str) -> Self {
        let mut read = Docstring::default();
        let mut kept: Vec<&str> = Vec::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if line.trim_end() != "Args:" {
                kept.push(line);
                continue;
            }
            let mut indent = None;
            let mut last: Option<String> = None;
            while let Some(line) =
                lines.next_if(|line| line.trim().is_empty() || line.starts_with([' ', '\t']))
            {
                let depth = line.len() - line.trim_start().len();
                let line = line.trim();
                if line.is_empty() {
                    continue;
                }
                match (line.split_once(':'), &last) {
                    (Some((name, text)), _)
                        if is_name(name.trim()) && depth <= *indent.get_or_insert(depth) =>
                    {
                        read.parameters.insert(name.trim().to_owned(), text.trim().to_owned());
                        last = Some(name.trim().to_owned());
                    }
                    (_, Some(name)) => {
                        let text = read.parameters.entry(name.clone()).or_default();
                        text.push(' ');
                        text.push_str(line);
                    }
                    (_, None) => kept.push(line),
                }
            }
        }
        read.text = kept.join("\n").trim().to_owned();
        read
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::Docstring;

    #[test]
    fn the_parameters_are_read_apart() {
        let read = Docstring::read(
            "Serves a site.\n\nIt does.\n\nArgs:\n    name: The name,\n        in one line: \
             short.\n\n    \
             port: The port.\nExample: `web.site(request, \"a\")`\n",
        );
        assert_eq!(read.text, "Serves a site.\n\nIt does.\n\nExample: `web.site(request, \"a\")`");
        let parameters: Vec<_> = read.parameters.into_iter().collect();
        let expected = [("name", "The name, in one line: short."), ("port", "The port.")];
        assert_eq!(parameters, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert_eq!(Docstring::read("Args:\n").text, "");
    }
}
