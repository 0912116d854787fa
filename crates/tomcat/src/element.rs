//! Elements of a configuration file, as lines that the program on the node makes XML of.
//!
//! A value may be the placeholder of a secret, which cannot be escaped here. So the node does that:
//! `<NAME` begins an element, `ATTRIBUTE VALUE` is an attribute of it, and `>` ends it.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

pub(crate) struct Element {
    name: &'static str,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
}

impl Element {
    pub(crate) fn new(name: &'static str) -> Self {
        Element { name, attributes: Vec::new(), children: Vec::new() }
    }

    pub(crate) fn attribute(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.push((name.to_owned(), value.into()));
        self
    }

    /// Adds attributes that the user chose; each replaces one of the same name.
    pub(crate) fn attributes(mut self, more: &BTreeMap<String, String>) -> Self {
        for (name, value) in more {
            self.attributes.retain(|(own, _)| own != name);
            self.attributes.push((name.clone(), value.clone()));
        }
        self
    }

    pub(crate) fn child(mut self, child: Element) -> Self {
        self.children.push(child);
        self
    }

    /// The lines.
    pub(crate) fn lines(&self) -> Result<String> {
        let mut out = format!("<{}\n", self.name);
        for (name, value) in &self.attributes {
            let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
            ensure!(
                name.starts_with(|first: char| first.is_ascii_alphabetic())
                    && name.bytes().all(good),
                "{name:?} is not a name of an attribute of {}",
                self.name
            );
            ensure!(
                !value.contains(char::is_control),
                "the attribute {name} of {} must be one line",
                self.name
            );
            out.push_str(&format!("{name} {value}\n"));
        }
        for child in &self.children {
            out.push_str(&child.lines()?);
        }
        Ok(out + ">\n")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    /// The XML that the program makes of lines; `None` if it refuses them.
    fn xml(lines: &str) -> Option<String> {
        let mut file = std::env::temp_dir();
        file.push(format!("pallet-tomcat-{}-{}", std::process::id(), lines.len()));
        std::fs::write(&file, lines).unwrap();
        let mut sh = Command::new("sh")
            .args(["-s", "xml"])
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sh.stdin.take().unwrap().write_all(include_bytes!("tomcat.sh")).unwrap();
        let output = sh.wait_with_output().unwrap();
        std::fs::remove_file(&file).unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn the_node_makes_xml_and_escapes_what_needs_it() {
        let certificate = Element::new("Certificate").attribute("password", "a&b<c>\"d' \\1 &amp;");
        let connector = Element::new("Connector")
            .attribute("port", "8443")
            .child(Element::new("UpgradeProtocol").attribute("className", "x"))
            .child(Element::new("SSLHostConfig").child(certificate));
        assert_eq!(
            xml(&connector.lines().unwrap()).unwrap(),
            "<Connector port=\"8443\">\n<UpgradeProtocol className=\"x\"/>\n<SSLHostConfig>\n\
             <Certificate password=\"a&amp;b&lt;c&gt;&quot;d&#39; \\1 &amp;amp;\"/>\n\
             </SSLHostConfig>\n</Connector>\n"
        );
    }

    #[test]
    fn what_breaks_its_line_is_refused() {
        for element in [
            Element::new("A").attribute("a", "b\nc d"),
            Element::new("A").attribute("a b", "c"),
            Element::new("A").attribute("", "c"),
            Element::new("A").attribute("<B", "c"),
        ] {
            assert!(element.lines().is_err());
        }
        // a secret of several lines
        for lines in ["<A\na b\nno-attribute\n>\n", "<A\na b\n<B/><C\n>\n>\n", "<A\n>\n>\n", "<A\n"]
        {
            assert_eq!(xml(lines), None, "{lines}");
        }
    }
}
