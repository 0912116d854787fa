//! The reference of actions and crate functions, from the schemas of their parameters, as text or
//! as a page.

use std::fmt::Write;

use pallet_core::action::{Options, TABLE};
use pallet_core::model::{FunctionManifest, Manifest};
use pallet_core::schemars::schema_for;
use serde_json::{Value, json};

use super::documented::documented;
use crate::project::schema::Schema;
use crate::project::star::{Kind, Signature};

/// The reference of one action or function.
#[derive(Debug, Clone)]
pub(crate) struct DocEntry {
    /// Its name: `remote_file`, `nginx.site`.
    pub(crate) name: String,
    doc: String,
    parameters: Value,
    takes: Takes,
}

/// The titles of a table of parameters or options.
pub(crate) const PARAMETER: [&str; 2] = ["parameter", "takes"];
pub(crate) const OPTION: [&str; 2] = ["option", "takes"];

/// A parameter: its name, whether it is required, its type, its description.
pub(crate) type Listed = (String, bool, String, String);

/// What the parameters belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// A function with a request that takes the options of every action.
    Request,
    /// A function with a request.
    RequestAlone,
    /// A function without a request.
    Nothing,
    /// The options of a service.
    Options,
    /// The keys of a table in pallet.toml.
    Keys,
    /// The members of a value.
    Members,
}

impl Takes {
    /// The heading above the parameters.
    fn heading(self) -> &'static str {
        match self {
            Takes::Options => "Options",
            Takes::Keys => "Keys",
            Takes::Members => "Members",
            Takes::Request | Takes::RequestAlone | Takes::Nothing => "Parameters",
        }
    }

    /// The titles of the table of parameters.
    fn titles(self) -> [&'static str; 2] {
        match self {
            Takes::Options => OPTION,
            Takes::Keys => ["key", "takes"],
            Takes::Members => ["member", "type"],
            Takes::Request | Takes::RequestAlone | Takes::Nothing => PARAMETER,
        }
    }

    /// Whether this is a function.
    fn is_call(self) -> bool {
        matches!(self, Takes::Request | Takes::RequestAlone | Takes::Nothing)
    }
}

/// All actions, by name.
pub(crate) fn actions() -> Vec<DocEntry> {
    let entry = |entry: &pallet_core::action::ActionEntry| {
        let parameters = (entry.parameters)();
        let doc = parameters["description"].as_str().unwrap_or_default().to_owned();
        DocEntry { name: entry.name.to_owned(), doc, parameters, takes: Takes::Request }
    };
    let mut entries: Vec<DocEntry> = TABLE.iter().map(entry).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

impl DocEntry {
    /// A function of a crate.
    pub(crate) fn of_function(of: &str, function: &FunctionManifest) -> Self {
        let name = format!("{of}.{}", function.name);
        DocEntry {
            name,
            doc: function.doc.clone(),
            parameters: function.parameters.clone(),
            takes: Takes::RequestAlone,
        }
    }

    /// The options of a provider's service.
    pub(crate) fn of_options(manifest: &Manifest) -> Self {
        let doc = manifest.options["description"].as_str().unwrap_or_default().to_owned();
        DocEntry {
            name: format!("provider = \"{}\"", manifest.name),
            doc,
            parameters: manifest.options.clone(),
            takes: Takes::Options,
        }
    }

    /// A table of pallet.toml, such as `[connect]`.
    pub(crate) fn of_keys(name: &str, doc: &str, parameters: Value) -> Self {
        let (name, doc) = (name.to_owned(), doc.to_owned());
        DocEntry { name, doc, parameters, takes: Takes::Keys }
    }

    /// A Starlark value with its members, such as `request.target`.
    pub(crate) fn of_value(name: &str, doc: &str, parameters: Value) -> Self {
        let (name, doc) = (name.to_owned(), doc.to_owned());
        DocEntry { name, doc, parameters, takes: Takes::Members }
    }

    /// A method of a Starlark value, such as `request.settings`.
    pub(crate) fn of_method(name: &str, doc: &str, parameters: Value) -> Self {
        let (name, doc) = (name.to_owned(), doc.to_owned());
        DocEntry { name, doc, parameters, takes: Takes::Nothing }
    }

    /// A Starlark function. `x-takes` describes its parameters that do not take plain data.
    pub(crate) fn of_signature(signature: &Signature) -> Self {
        let request =
            signature.parameters.first().is_some_and(|parameter| parameter.kind == Kind::Request);
        let takes = if request { Takes::RequestAlone } else { Takes::Nothing };
        DocEntry {
            name: signature.function.clone(),
            doc: signature.doc.clone(),
            parameters: documented(signature),
            takes,
        }
    }

    /// Whether it takes the options of every action.
    pub(crate) fn is_action(&self) -> bool {
        self.takes == Takes::Request
    }

    /// The first sentence of its documentation.
    pub(crate) fn summary(&self) -> String {
        let paragraph = self.doc.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        paragraph.split_inclusive(". ").next().unwrap_or_default().trim().to_owned()
    }

    /// The entry as JSON.
    pub(crate) fn json(&self) -> Value {
        json!({"name": self.name, "doc": self.doc, "parameters": self.parameters})
    }

    /// The paragraphs of its documentation, and the code of its examples.
    fn parts(&self) -> (Vec<String>, Vec<String>) {
        let (mut paragraphs, mut examples) = (Vec::new(), Vec::new());
        for paragraph in self.doc.split("\n\n") {
            match paragraph.trim().strip_prefix("Example: ") {
                Some(example) => examples.push(example.trim().trim_matches('`').replace('\n', " ")),
                // code keeps its line breaks
                None if paragraph.contains("```") => paragraphs.push(paragraph.trim().to_owned()),
                None => paragraphs.push(paragraph.trim().replace('\n', " ")),
            }
        }
        (paragraphs, examples)
    }

    /// Its parameters.
    pub(crate) fn parameters(&self) -> Vec<Listed> {
        let schema = Schema::new(&self.parameters);
        let nodes = self.parameters.get("properties").and_then(Value::as_object);
        let described = |name: &str| {
            let node = nodes.and_then(|nodes| nodes.get(name));
            node.and_then(|node| node.get("description"))
                .and_then(Value::as_str)
                .unwrap_or_default()
                .replace('\n', " ")
        };
        let in_words = |name: &str| nodes?.get(name)?.get("x-takes")?.as_str().map(str::to_owned);
        schema
            .properties()
            .map(|(name, part)| {
                (
                    name.to_owned(),
                    schema.requires(name),
                    in_words(name).unwrap_or_else(|| part.allowed()),
                    described(name),
                )
            })
            .collect()
    }

    /// Its parameters, including the keys of those that are tables: `image.os_family`.
    pub(crate) fn rows(&self) -> Vec<Listed> {
        let schema = Schema::new(&self.parameters);
        let mut rows = Vec::new();
        for (listed, (_, part)) in self.parameters().into_iter().zip(schema.properties()) {
            let name = listed.0.clone();
            let table = part.table().map(|table| (name.clone(), table));
            let table =
                table.or_else(|| part.named_table().map(|table| (format!("{name}.NAME"), table)));
            rows.push(listed);
            if let Some((name, mut parameters)) = table {
                parameters["$defs"] = self.parameters["$defs"].clone();
                let keys = DocEntry { parameters, ..self.clone() }.parameters();
                rows.extend(keys.into_iter().map(|(key, required, takes, doc)| {
                    (format!("{name}.{key}"), required, takes, doc)
                }));
            }
        }
        rows
    }

    /// Its call: `remote_file(request, path, ...)`.
    pub(crate) fn call(&self) -> String {
        if !self.takes.is_call() {
            return self.name.clone();
        }
        let required = self
            .parameters()
            .into_iter()
            .filter(|(_, required, ..)| *required)
            .map(|(name, ..)| name);
        let more = if self.parameters().iter().any(|(_, required, ..)| !required) {
            vec!["...".to_owned()]
        } else {
            Vec::new()
        };
        let request = (self.takes != Takes::Nothing).then(|| "request".to_owned());
        let words: Vec<String> = request.into_iter().chain(required).chain(more).collect();
        format!("{}({})", self.name, words.join(", "))
    }
}

/// An entry for a terminal.
pub(crate) fn text(entry: &DocEntry) -> String {
    let (paragraphs, examples) = entry.parts();
    let mut out = format!("{}\n", entry.call());
    for paragraph in paragraphs {
        match paragraph.contains("```") {
            true => {
                let code = paragraph.lines().filter(|line| !line.starts_with("```"));
                out.push('\n');
                out.extend(code.map(|line| format!("  {line}\n")));
            }
            false => drop(write!(out, "\n{}", wrapped(&paragraph, ""))),
        }
    }
    let rows = entry.rows();
    if !rows.is_empty() {
        let _ = write!(out, "\n{}:\n", entry.takes.heading());
    }
    for (name, required, takes, doc) in rows {
        let required = if required { ", required" } else { "" };
        let _ = write!(out, "  {name}: {takes}{required}\n{}", wrapped(&doc, "      "));
    }
    if entry.takes == Takes::Request {
        let names: Vec<_> = options().into_iter().map(|(name, ..)| name).collect();
        let all = format!("Every action also takes {}.", names.join(", "));
        let _ = write!(out, "\n{}", wrapped(&all, ""));
    }
    for example in examples {
        let _ = write!(out, "\nExample:\n  {example}\n");
    }
    out.push('\n');
    out
}

/// An entry in Markdown, for an editor: the same content as [`text`].
pub(crate) fn markdown(entry: &DocEntry) -> String {
    let (paragraphs, examples) = entry.parts();
    let mut out = format!("```python\n{}\n```\n\n{}\n", entry.call(), paragraphs.join("\n\n"));
    for (number, (name, required, takes, doc)) in entry.parameters().into_iter().enumerate() {
        let gap = if number == 0 { "\n" } else { "" };
        let _ = writeln!(
            out,
            "{gap}- `{name}`: {takes}{}. {doc}",
            if required { ", required" } else { "" }
        );
    }
    if entry.takes == Takes::Request {
        let names: Vec<_> = options().into_iter().map(|(name, ..)| format!("`{name}`")).collect();
        let _ = write!(out, "\nEvery action also takes {}.\n", names.join(", "));
    }
    for example in examples {
        let _ = write!(out, "\n```python\n{example}\n```\n");
    }
    out
}

/// Entries as a part of a Markdown page: a table of contents, then a section for each.
pub(crate) fn sections(entries: &[DocEntry], titles: [&str; 2], level: &str) -> String {
    let mut out = format!("| {} | {} |\n|---|---|\n", titles[0], titles[1]);
    for entry in entries {
        let (name, summary) = (&entry.name, cell(&entry.summary()));
        let _ = writeln!(out, "| [`{name}`](#{}) | {summary} |", anchor(name));
    }
    for entry in entries {
        out.push_str(&section(entry, level));
    }
    out
}

/// An entry as a section of a Markdown page.
pub(crate) fn section(entry: &DocEntry, level: &str) -> String {
    let (paragraphs, examples) = entry.parts();
    let name = &entry.name;
    // other characters could be read as markup
    let name = if anchor(name) == *name { name.clone() } else { format!("`{name}`") };
    let mut out = format!("\n{level} {name}\n\n{}\n", paragraphs.join("\n\n"));
    out.push_str(&rows(entry.takes.titles(), &entry.rows()));
    for example in examples {
        let _ = write!(out, "\n```python\n{example}\n```\n");
    }
    out
}

/// The anchor that GitHub and mdBook create for a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// A table of parameters in Markdown; empty if there are none.
pub(crate) fn rows(titles: [&str; 2], rows: &[Listed]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!("\n| {} | {} | |\n|---|---|---|\n", titles[0], titles[1]);
    for (name, required, takes, doc) in rows {
        let name = if *required { format!("**`{name}`**") } else { format!("`{name}`") };
        let _ = writeln!(out, "| {name} | {} | {} |", cell(takes), cell(doc));
    }
    out
}

/// The parameters that every action takes.
pub(crate) fn options() -> Vec<Listed> {
    DocEntry {
        name: String::new(),
        doc: String::new(),
        parameters: schema_for!(Options).to_value(),
        takes: Takes::Options,
    }
    .parameters()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Wraps a text at 100 characters, with `indent` before each line.
fn wrapped(text: &str, indent: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > 100 {
            out.push('\n');
            width = 0;
        }
        let gap = if width == 0 { indent } else { " " };
        out.push_str(gap);
        out.push_str(word);
        width += gap.len() + length;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}
