//! Writes HTML and SVG. Names of elements and attributes are literals of this program, and every
//! text and value is escaped: nothing that a node or a project says can become markup.

use pallet_core::model::acts;

use crate::terminal::short;

/// An attribute: its name and its value.
pub(super) type Attribute<'a> = (&'static str, &'a str);

/// How large a page may be, in bytes, before outputs and diffs are cut to a few lines.
const ROOM: usize = 2 << 20;
const FEW: usize = 5;

/// A document that is being written.
#[derive(Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Markup of this program.
    pub(super) fn fixed(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    /// Text, in which whatever would act on the page or hides is visible.
    pub(super) fn text(&mut self, text: &str) {
        escape(&mut self.0, text);
    }

    /// An element with what `inner` writes.
    pub(super) fn inside(
        &mut self,
        tag: &'static str,
        attributes: &[Attribute<'_>],
        inner: impl FnOnce(&mut Self),
    ) {
        self.begin(tag, attributes);
        inner(self);
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
    }

    /// An element with text.
    pub(super) fn element(&mut self, tag: &'static str, class: &'static str, text: &str) {
        let attributes = [("class", class)];
        let attributes = if class.is_empty() { &[][..] } else { &attributes[..] };
        self.inside(tag, attributes, |markup| markup.text(text));
    }

    /// An element that never has content.
    pub(super) fn empty(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        self.begin(tag, attributes);
    }

    /// Lines of a text, at most so many, and fewer if the page is large already. Returns how many
    /// are left out.
    pub(super) fn lines<'a>(
        &mut self,
        lines: impl Iterator<Item = &'a str>,
        most: usize,
        class: impl Fn(&str) -> &'static str,
    ) -> usize {
        let (mut written, mut left_out) = (0, 0);
        for line in lines {
            if written >= most || written >= FEW && self.0.len() > ROOM {
                left_out += 1;
                continue;
            }
            written += 1;
            match class(line) {
                "" => self.text(&short(line)),
                class => self.element("span", class, &short(line)),
            }
            self.0.push('\n');
        }
        left_out
    }

    /// A link to a part of the page.
    pub(super) fn link(&mut self, part: &str, text: &str) {
        self.inside("a", &[("href", &format!("#{part}"))], |markup| markup.text(text));
    }

    /// What was written.
    pub(super) fn finish(self) -> String {
        self.0
    }

    fn begin(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            escape(&mut self.0, value);
            self.0.push('"');
        }
        self.0.push('>');
    }
}

fn escape(out: &mut String, text: &str) {
    let special = |c: char| match c {
        '&' | '<' | '>' | '"' | '\'' | '`' => true,
        '\n' | '\t' => false,
        c => acts(c),
    };
    let mut rest = text;
    while let Some(at) = rest.find(special) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let mut characters = after.chars();
        match characters.next() {
            Some('&') => out.push_str("&amp;"),
            Some('<') => out.push_str("&lt;"),
            Some('>') => out.push_str("&gt;"),
            Some('"') => out.push_str("&quot;"),
            Some('\'') => out.push_str("&#39;"),
            Some('`') => out.push_str("&#96;"),
            character => out.extend(character.into_iter().flat_map(char::escape_unicode)),
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let mut markup = Markup::default();
        let hostile = "\"'><script>&amp;`</pre>]]>\u{1b}[1m\u{202e}\0\r\n\t\u{fc}";
        markup.inside("a", &[("href", hostile)], |markup| markup.text(hostile));
        let text = "&quot;&#39;&gt;&lt;script&gt;&amp;amp;&#96;&lt;/pre&gt;]]&gt;\
                    \\u{1b}[1m\\u{202e}\\u{0}\\u{d}\n\t\u{fc}";
        assert_eq!(markup.finish(), format!("<a href=\"{text}\">{text}</a>"));
    }
}
