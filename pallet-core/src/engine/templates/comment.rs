//! Ansible's filter `comment`.

use minijinja::Error;
use minijinja::value::{Rest, ValueOrKwargs};

use super::arguments::{Given, bounded, text, wrong};

/// Turns text into a comment.
pub(super) fn comment(given: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let names = [
        "style",
        "decoration",
        "beginning",
        "end",
        "prefix",
        "prefix_count",
        "postfix",
        "postfix_count",
        "newline",
    ];
    let given = Given::read(given, &names)?;
    let (beginning, decoration, end) = match given.text(0, "plain").as_str() {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        other => {
            return Err(wrong(format!(
                "there is no style {other:?} of comments; there are \
            plain, erlang, c, cblock and xml"
            )));
        }
    };
    let decoration = given.text(1, decoration);
    let (beginning, end) = (given.text(2, beginning), given.text(3, end));
    let bare = decoration.trim_end();
    let (prefix, postfix, newline) =
        (given.text(4, bare), given.text(6, bare), given.text(8, "\n"));
    let content = text(&given.value);
    let lines = content
        .split(newline.as_str())
        .map(|line| if line.is_empty() { bare.to_owned() } else { format!("{decoration}{line}") });
    let mut lines: Vec<String> = lines.collect();
    // only the last line keeps trailing spaces of its decoration
    if content.ends_with(newline.as_str()) || content.is_empty() {
        lines.pop();
        lines.push(decoration.clone());
    }
    let mut made = String::new();
    if !beginning.is_empty() {
        made += &format!("{beginning}{newline}");
    }
    if !prefix.is_empty() {
        let line = if prefix == newline { newline.clone() } else { format!("{prefix}{newline}") };
        made += &line.repeat(bounded(given.number(5, 1)?)?);
    }
    made += &lines.join(&newline);
    made += &format!("{newline}{postfix}").repeat(bounded(given.number(7, 1)?)?);
    if !end.is_empty() {
        made += &format!("{newline}{end}");
    }
    Ok(made)
}
