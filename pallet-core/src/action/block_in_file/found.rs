//! Edits of the lines between two markers. `ensure_lines` of the library does the same on a node.

use super::super::edit::{LinesWithEndings, bare};
use super::super::ere::Ere;
use super::super::text::Text;

/// The lines around a block.
pub(super) struct Markers {
    pub(super) begin: String,
    pub(super) end: String,
}

/// Where a new block goes.
#[derive(Debug)]
pub(super) enum Place {
    End,
    Begin,
    After(Ere),
    Before(Ere),
}

impl Place {
    /// The number of lines before it.
    fn before(&self, text: &str, lines: usize) -> usize {
        let last = |ere: &Ere| {
            let all: Vec<&str> = text.lines_with_endings().collect();
            all.iter().rposition(|line| ere.matches(bare(line)))
        };
        match self {
            Place::End => lines,
            Place::Begin => 0,
            Place::After(ere) => last(ere).map_or(lines, |at| at + 1),
            Place::Before(ere) => last(ere).unwrap_or(lines),
        }
    }
}

/// The edited text, in which the block has these lines, or is absent. `None` if a block does not
/// end.
pub(super) fn edited(
    text: &str,
    markers: &Markers,
    lines: Option<&[&str]>,
    place: &Place,
) -> Option<String> {
    let mut file = Text::of(text);
    // the lines of blocks, and the content of the first one
    let (mut own, mut first, mut blocks, mut inside) = (Vec::new(), Vec::new(), 0, false);
    for (at, line) in file.lines.iter().enumerate() {
        if *line == markers.begin {
            own.push(at);
            (inside, blocks) = (true, blocks + 1);
        } else if inside {
            own.push(at);
            inside = *line != markers.end;
            if inside && blocks == 1 {
                first.push(*line);
            }
        }
    }
    if inside {
        return None;
    }
    if let Some(lines) = lines {
        if blocks == 1 && first == lines {
            return Some(text.to_owned());
        }
        let at = own.first().copied().unwrap_or_else(|| place.before(text, file.lines.len()));
        let all = [&[markers.begin.as_str()], lines, &[markers.end.as_str()]].concat();
        all.into_iter().for_each(|line| file.add(at, line));
    }
    own.into_iter().for_each(|at| file.drop(at));
    Some(file.edited())
}

#[cfg(test)]
mod tests {
    use super::super::super::text::tests::same_in_every_shell;
    use super::*;

    fn markers() -> Markers {
        Markers { begin: "# begin x".to_owned(), end: "# end x".to_owned() }
    }

    #[test]
    fn here_and_in_the_shell_it_comes_out_the_same() {
        let texts = [
            "",
            "\n",
            "a",
            "# begin x\none\n# end x\n",
            "a\n# begin x\n# end x\nb\n# end x\n",
            "\u{feff}a\r\n# begin x\r\none\r\n\r\n# end x\r\nb",
            "# begin x\n# begin x\none\n# end x\n# begin y\n# end y\na\n# begin x\none\n# end x\n",
            "\u{feff}# begin x\none\ntwo\n# end x",
            "# begin x\none\ntwo\nit's &\\1 $HOME\n# end x\na\nb\na\nb\n",
            "# end x\na\\n\n 1\n",
        ];
        let ere = |text| Ere::new("block_in_file", "after", text).expect("it is one");
        for (place, words, lines) in [
            (Place::End, ["after", ""], Some(vec!["one"])),
            (Place::Begin, ["before", ""], Some(vec!["", "1"])),
            (Place::After(ere("^a")), ["after", "^a"], Some(vec!["one"])),
            (
                Place::Before(ere("^a")),
                ["before", "^a"],
                Some(vec!["one", "two", "it's &\\1 $HOME"]),
            ),
            (Place::Before(ere("^no")), ["before", "^no"], Some(vec!["one"])),
            (Place::End, ["after", ""], None),
        ] {
            let how = if lines.is_some() { "present" } else { "absent" };
            let mut all = vec![how, "# begin x", "# end x", words[0], words[1], ""];
            all.extend(lines.iter().flatten());
            same_in_every_shell("ensure_lines", &all, &texts, |text| {
                edited(text, &markers(), lines.as_deref(), &place).expect("it ends")
            });
        }
    }

    #[test]
    fn a_block_that_does_not_end_is_none() {
        for text in ["# begin x", "a\n# begin x\n# end x\n# begin x\nb\n# end y\n"] {
            assert_eq!(edited(text, &markers(), None, &Place::End), None);
            assert_eq!(edited(text, &markers(), Some(&["a"]), &Place::End), None);
        }
    }
}
