//! The reference of actions and of crates' functions: from the schemas of their parameters, for a
//! person or as a page.

use std::fmt::Write;

use pallet_core::action::{Options, TABLE};
use pallet_core::model::{FunctionManifest, Manifest};
use pallet_core::schemars::schema_for;
use serde_json::{Value, json};

use super::documented::documented;
use crate::project::schema::Schema;
use crate::project::star::{Kind, Signature};

/// One action or function.
#[derive(Debug, Clone)]
pub(crate) struct DocEntry {
    /// Its name: `remote_file`, `nginx.site`.
    pub(crate) name: String,
    doc: String,
    parameters: Value,
    takes: Takes,
}

/// A parameter: name, whether it is required, what it takes, what it means.
pub(crate) type Listed = (String, bool, String, String);

/// What stands around its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// A request, and what every action takes.
    Request,
    /// A request.
    RequestAlone,
    /// Nothing.
    Nothing,
    /// Nothing: they are the options of a service.
    Options,
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

    /// A function as it is called in Starlark. What its parameters take that is no plain data
    /// stands in `x-takes`.
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

    /// Whether it takes what every action takes.
    pub(crate) fn is_action(&self) -> bool {
        self.takes == Takes::Request
    }

    /// What it does, in one sentence.
    pub(crate) fn summary(&self) -> String {
        let line = self.doc.lines().next().unwrap_or_default();
        line.split_inclusive(". ").next().unwrap_or_default().trim().to_owned()
    }

    /// The same as data.
    pub(crate) fn json(&self) -> Value {
        json!({"name": self.name, "doc": self.doc, "parameters": self.parameters})
    }

    /// The paragraphs of its documentation, and the code of its examples.
    fn parts(&self) -> (Vec<String>, Vec<String>) {
        let (mut paragraphs, mut examples) = (Vec::new(), Vec::new());
        for paragraph in self.doc.split("\n\n") {
            match paragraph.trim().strip_prefix("Example: ") {
                Some(example) => examples.push(example.trim().trim_matches('`').replace('\n', " ")),
                None => paragraphs.push(paragraph.trim().replace('\n', " ")),
            }
        }
        (paragraphs, examples)
    }

    /// Its parameters: name, whether it is required, what it takes, what it means.
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

    /// How it is called: `remote_file(request, path, ...)`.
    pub(crate) fn call(&self) -> String {
        if self.takes == Takes::Options {
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

/// An entry for a person at a terminal.
pub(crate) fn text(entry: &DocEntry) -> String {
    let (paragraphs, examples) = entry.parts();
    let mut out = format!("{}\n", entry.call());
    for paragraph in paragraphs {
        let _ = write!(out, "\n{}", wrapped(&paragraph, ""));
    }
    if !entry.parameters().is_empty() {
        out.push_str(if entry.takes == Takes::Options {
            "\nOptions:\n"
        } else {
            "\nParameters:\n"
        });
    }
    for (name, required, takes, doc) in entry.parameters() {
        let _ = write!(
            out,
            "  {name}: {takes}{}\n{}",
            if required { ", required" } else { "" },
            wrapped(&doc, "      ")
        );
    }
    if entry.takes == Takes::Request {
        let names: Vec<_> = options().into_iter().map(|(name, ..)| name).collect();
        let _ = write!(
            out,
            "\n{}",
            wrapped(&format!("Every action takes {} too.", names.join(", ")), "")
        );
    }
    for example in examples {
        let _ = write!(out, "\nExample:\n  {example}\n");
    }
    out.push('\n');
    out
}

/// An entry in Markdown, for an editor: what [`text`] says.
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
        let _ = write!(out, "\nEvery action takes {} too.\n", names.join(", "));
    }
    for example in examples {
        let _ = write!(out, "\n```python\n{example}\n```\n");
    }
    out
}

/// The reference page of these entries.
pub(crate) fn page(entries: &[DocEntry]) -> String {
    let mut out =
        "# Actions\n\n<!-- made by `pallet-cli doc --markdown`; a test compares -->\n\n".to_owned();
    out.push_str(
        "What a phase function can ask for. The request comes first; required parameters can be \
         given by position, all others by name.\n\n",
    );
    out.push_str("| action | what it ensures |\n|---|---|\n");
    for entry in entries {
        let _ = writeln!(out, "| [`{0}`](#{0}) | {1} |", entry.name, cell(&entry.summary()));
    }
    out.push_str("\n## Every action takes too\n\n| parameter | takes | |\n|---|---|---|\n");
    for (name, _, takes, doc) in options() {
        let _ = writeln!(out, "| `{name}` | {} | {} |", cell(&takes), cell(&doc));
    }
    for entry in entries {
        let (paragraphs, examples) = entry.parts();
        let _ = write!(out, "\n## {}\n\n{}\n", entry.name, paragraphs.join("\n\n"));
        out.push_str("\n| parameter | takes | |\n|---|---|---|\n");
        for (name, required, takes, doc) in entry.parameters() {
            let name = if required { format!("**`{name}`**") } else { format!("`{name}`") };
            let _ = writeln!(out, "| {name} | {} | {} |", cell(&takes), cell(&doc));
        }
        for example in examples {
            let _ = write!(out, "\n```python\n{example}\n```\n");
        }
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

/// The text in lines of at most 100 characters, each behind `indent`.
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
