//! Writes a graph in Graphviz' language DOT.

use std::fmt::Write;

use super::data::{Does, Graph};

impl Graph {
    /// The graph in Graphviz' language DOT. The same graph always gives the same text.
    pub fn dot(&self) -> String {
        let mut out = String::from(
            "digraph pallet \
             {\n  rankdir=LR;\n  node [fontname=\"sans-serif\", fontsize=12, shape=box];\n  \
               edge [fontname=\"sans-serif\", fontsize=10];\n",
        );
        for (number, group) in self.groups.iter().enumerate() {
            let heading =
                group.heading().iter().map(|line| field(line)).collect::<Vec<_>>().join("\\n");
            let phases = group
                .phases
                .iter()
                .enumerate()
                .map(|(phase, drawn)| format!("|<p{phase}> {}", field(&drawn.line())));
            let _ = writeln!(
                out,
                "  g{number} [shape=record, style=filled, fillcolor=\"#e8f0fe\", \
                 label=\"{heading}{}\"];",
                phases.collect::<String>()
            );
        }
        for (number, function) in self.functions.iter().enumerate() {
            let _ = writeln!(
                out,
                "  f{number} [style=filled, fillcolor=\"#e6f4ea\", label=\"{}\"];",
                text(&function.name)
            );
        }
        let facilities = self.facilities();
        for (number, facility) in facilities.iter().enumerate() {
            let _ = writeln!(
                out,
                "  s{number} [shape=ellipse, style=filled, fillcolor=\"#fef7e0\", label=\"{}\"];",
                text(facility)
            );
        }
        let mut edges = |from: &str, does: &Does| {
            for called in &does.calls {
                if let Some(number) =
                    self.functions.iter().position(|function| function.name == *called)
                {
                    let _ = writeln!(out, "  {from} -> f{number};");
                }
            }
            let number = |name: &String| {
                facilities.iter().position(|facility| facility == name).unwrap_or_default()
            };
            for written in &does.writes {
                let _ = writeln!(
                    out,
                    "  {from} -> s{} [color=\"#b06000\", label=\"writes\"];",
                    number(written)
                );
            }
            for read in &does.reads {
                let _ = writeln!(
                    out,
                    "  {from} -> s{} [dir=back, style=dashed, color=\"#b06000\", label=\"reads\"];",
                    number(read)
                );
            }
        };
        for (number, group) in self.groups.iter().enumerate() {
            for (phase, drawn) in group.phases.iter().enumerate() {
                edges(&format!("g{number}:p{phase}"), &drawn.does);
            }
        }
        for (number, function) in self.functions.iter().enumerate() {
            edges(&format!("f{number}"), &function.does);
        }
        out.push_str("}\n");
        out
    }
}

/// Quoted text.
fn text(text: &str) -> String {
    let visible =
        text.chars().map(|character| if character.is_control() { ' ' } else { character });
    visible.collect::<String>().replace('\\', "\\\\").replace('"', "\\\"")
}

/// Text in a field of a record, with special characters escaped.
fn field(line: &str) -> String {
    let mut out = String::new();
    for character in text(line).chars() {
        if matches!(character, '{' | '}' | '|' | '<' | '>') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
