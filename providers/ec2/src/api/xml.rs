//! Parses answers into trees of elements, without namespaces and attributes, which EC2 does not
//! use.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The root of a document.
    pub(crate) fn parse(text: &str) -> Result<Element, String> {
        let mut reader = Reader::from_str(text);
        // the document itself is the bottom of the stack
        let mut open = vec![Element::default()];
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => open.push(Element::named(start.local_name().as_ref())),
                Event::Empty(start) => {
                    close(&mut open, Element::named(start.local_name().as_ref()))
                }
                Event::End(_) => {
                    let done = open
                        .pop()
                        .filter(|_| !open.is_empty())
                        .ok_or("an end without a beginning")?;
                    close(&mut open, done);
                }
                Event::Text(text) => append(&mut open, &text.xml10_content()),
                Event::CData(text) => append(&mut open, &text),
                Event::GeneralRef(reference) => {
                    let character =
                        reference.resolve_char_ref().map_err(|error| error.to_string())?;
                    match (character, resolve_predefined_entity(&reference)) {
                        (Some(character), _) => {
                            append(&mut open, character.encode_utf8(&mut [0; 4]))
                        }
                        (None, Some(text)) => append(&mut open, text),
                        (None, None) => return Err(format!("the unknown entity {}", &*reference)),
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match open
            .pop()
            .filter(|_| open.is_empty())
            .and_then(|mut document| document.children.pop())
        {
            Some(root) => Ok(root),
            None => Err("it ends too early".to_owned()),
        }
    }

    fn named(name: &str) -> Element {
        Element { name: name.to_owned(), ..Element::default() }
    }

    /// The element at a path of names: `instanceState/name`.
    pub(crate) fn get(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |element, name| {
            element.children.iter().find(|child| child.name == name)
        })
    }

    /// The text of the element at a path; empty if there is none.
    pub(crate) fn text(&self, path: &str) -> &str {
        self.get(path).map_or("", |element| element.text.trim())
    }

    /// The text of the element at a path, if it has any.
    pub(crate) fn some(&self, path: &str) -> Option<String> {
        Some(self.text(path)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The text of this element.
    pub(crate) fn own_text(&self) -> &str {
        self.text.trim()
    }

    /// The items of the list at a path.
    pub(crate) fn items(&self, path: &str) -> impl Iterator<Item = &Element> {
        self.get(path)
            .into_iter()
            .flat_map(|list| list.children.iter().filter(|child| child.name == "item"))
    }

    /// The items of a list of keys and values, such as tags.
    pub(crate) fn tags(&self) -> std::collections::BTreeMap<String, String> {
        self.items("tagSet")
            .map(|tag| (tag.text("key").to_owned(), tag.text("value").to_owned()))
            .collect()
    }
}

fn close(open: &mut [Element], done: Element) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(done);
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_tree() {
        let text = "<?xml version=\"1.0\"?>\n\
            <r xmlns=\"http://x/\"><set><item><a>1 &amp; \
            &#50;</a></item><item><a><![CDATA[<3>]]></a><b/></item></set></r>";
        let root = Element::parse(text).unwrap();
        let all: Vec<_> = root.items("set").map(|item| item.text("a")).collect();
        assert_eq!(all, ["1 & 2", "<3>"]);
        assert_eq!(root.items("none").count(), 0);
        assert_eq!(root.items("set").nth(1).unwrap().some("b"), None);
        assert_eq!(root.text("set/item/a"), "1 & 2");
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in ["", "<a>", "<a></b>", "plain", "<a>&unknown;</a>"] {
            assert!(Element::parse(text).is_err(), "{text}");
        }
    }
}
