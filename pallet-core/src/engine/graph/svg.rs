//! Draws a graph as SVG.

use std::fmt::Write;

use super::data::{Does, Graph};
use super::layout::{Line, Size, place};

/// The font size, in pixels.
const FONT: f64 = 13.0;
/// An upper bound for the average width of a letter.
const LETTER: f64 = 7.2;
/// The height of a line of text.
const ROW: f64 = 24.0;
const MARGIN: f64 = 16.0;

/// One box with its lines of text.
struct Drawn {
    shape: Shape,
    lines: Vec<String>,
    /// How many of the lines are its heading.
    heading: usize,
    size: Size,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Group,
    Function,
    Facility,
}

impl Shape {
    fn fill(self) -> &'static str {
        match self {
            Shape::Group => "#e8f0fe",
            Shape::Function => "#e6f4ea",
            Shape::Facility => "#fef7e0",
        }
    }
}

impl Drawn {
    fn new(shape: Shape, column: usize, lines: Vec<String>, heading: usize) -> Self {
        let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
        let margin = if shape == Shape::Facility { 3.0 * ROW } else { ROW };
        let size = Size {
            width: longest as f64 * LETTER + margin,
            height: lines.len() as f64 * ROW + 4.0,
            column,
        };
        Drawn { shape, lines, heading, size }
    }
}

/// The meaning of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Calls,
    Writes,
    Reads,
    /// Writes and reads.
    Both,
}

impl Graph {
    /// The graph as an SVG picture. The same graph always gives the same picture.
    pub fn svg(&self) -> String {
        let (drawn, lines) = self.drawn();
        let sizes: Vec<_> = drawn.iter().map(|drawn| drawn.size).collect();
        let layout = place(&sizes, &lines.iter().map(|(line, _)| *line).collect::<Vec<_>>());
        let mut body = String::new();
        for ((_, says), path) in lines.iter().zip(&layout.lines) {
            curve(&mut body, path, *says);
        }
        for (drawn, (x, y)) in drawn.iter().zip(&layout.boxes) {
            draw(&mut body, drawn, *x, *y);
        }
        let legend = "an arrow: calls; orange: settings, written (solid) and read (dashed)";
        let _ = writeln!(
            body,
            "<text x=\"0\" y=\"{:.1}\" font-size=\"11\" fill=\"#5f6368\">{legend}</text>",
            layout.height + ROW
        );
        let (width, height) = (
            layout.width.max(legend.len() as f64 * 6.0) + 4.0 * MARGIN,
            layout.height + ROW + 2.0 * MARGIN,
        );
        let marker = |name: &str, colour: &str| {
            format!(
                "<marker id=\"{name}\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
                 markerHeight=\"8\" orient=\"auto-start-reverse\">\
                 <path d=\"M 0 1 L 8 4 L 0 7 z\" fill=\"{colour}\"/></marker>\n"
            )
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\">\n\
             {}{}<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <g transform=\"translate({MARGIN} {MARGIN})\" font-family=\"Helvetica, Arial, \
             sans-serif\" font-size=\"{FONT}\">\n{body}</g>\n</svg>\n",
            marker("line", LINE),
            marker("settings", SETTINGS),
        )
    }

    /// All boxes and lines. From left to right: groups, functions to the right of their callers,
    /// and settings last.
    fn drawn(&self) -> (Vec<Drawn>, Vec<(Line, Says)>) {
        let mut drawn = Vec::new();
        for group in &self.groups {
            let heading = group.heading();
            let count = heading.len();
            let lines =
                heading.into_iter().chain(group.phases.iter().map(|phase| phase.line())).collect();
            drawn.push(Drawn::new(Shape::Group, 0, lines, count));
        }
        let depths = self.depths();
        let functions = drawn.len();
        for (function, depth) in self.functions.iter().zip(&depths) {
            drawn.push(Drawn::new(Shape::Function, 1 + depth, vec![function.name.clone()], 0));
        }
        let facilities = self.facilities();
        let (first, column) =
            (drawn.len(), depths.iter().map(|depth| depth + 2).max().unwrap_or(1));
        drawn.extend(
            facilities.iter().map(|facility| {
                Drawn::new(Shape::Facility, column, vec![(*facility).to_owned()], 0)
            }),
        );

        let mut lines = Vec::new();
        let mut add = |from: usize, port: f64, does: &Does| {
            for called in &does.calls {
                let to = self.functions.iter().position(|function| function.name == *called);
                lines.extend(to.map(|to| (Line { from, port, to: functions + to }, Says::Calls)));
            }
            for (number, facility) in facilities.iter().enumerate() {
                let has = |names: &[String]| names.iter().any(|name| name == facility);
                let says = match (has(&does.writes), has(&does.reads)) {
                    (false, false) => continue,
                    (true, false) => Says::Writes,
                    (false, true) => Says::Reads,
                    (true, true) => Says::Both,
                };
                lines.push((Line { from, port, to: first + number }, says));
            }
        };
        for (number, group) in self.groups.iter().enumerate() {
            let heading = group.heading().len();
            for (phase, does) in group.phases.iter().map(|phase| &phase.does).enumerate() {
                add(number, row(heading + phase), does);
            }
        }
        for (number, function) in self.functions.iter().enumerate() {
            add(functions + number, row(0), &function.does);
        }
        (drawn, lines)
    }

    /// The maximum number of calls on the way to each function; a cycle is followed once.
    fn depths(&self) -> Vec<usize> {
        fn visit(
            graph: &Graph,
            function: usize,
            depth: usize,
            open: &mut Vec<usize>,
            depths: &mut [usize],
        ) {
            if open.contains(&function) || (depths[function] >= depth && depth > 0) {
                return;
            }
            depths[function] = depths[function].max(depth);
            open.push(function);
            for called in &graph.functions[function].does.calls {
                if let Some(called) =
                    graph.functions.iter().position(|function| function.name == *called)
                {
                    visit(graph, called, depth + 1, open, depths);
                }
            }
            open.pop();
        }
        let mut depths = vec![0; self.functions.len()];
        for function in 0..self.functions.len() {
            visit(self, function, 0, &mut Vec::new(), &mut depths);
        }
        depths
    }
}

const LINE: &str = "#5f6368";
const SETTINGS: &str = "#b06000";

/// The vertical middle of a line of text in its box.
fn row(number: usize) -> f64 {
    (number as f64 + 0.5) * ROW + 2.0
}

fn draw(out: &mut String, drawn: &Drawn, x: f64, y: f64) {
    let Drawn { shape, lines, heading, size: Size { width, height, .. } } = drawn;
    let fill = shape.fill();
    let middle = x + width / 2.0;
    let _ = match shape {
        Shape::Facility => {
            let (rx, ry, cy) = (width / 2.0, height / 2.0, y + height / 2.0);
            writeln!(
                out,
                "<ellipse cx=\"{middle:.1}\" cy=\"{cy:.1}\" rx=\"{rx:.1}\" ry=\"{ry:.1}\" \
                 fill=\"{fill}\" stroke=\"{SETTINGS}\"/>"
            )
        }
        Shape::Group | Shape::Function => {
            writeln!(
                out,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
                 rx=\"3\" fill=\"{fill}\" stroke=\"{LINE}\"/>"
            )
        }
    };
    for (number, line) in lines.iter().enumerate() {
        if *shape == Shape::Group && number >= *heading {
            let (top, right) = (y + row(number) - ROW / 2.0, x + width);
            let _ = writeln!(
                out,
                "<line x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{right:.1}\" y2=\"{top:.1}\" \
                 stroke=\"{LINE}\" stroke-width=\"0.5\"/>"
            );
        }
        let weight =
            if *shape == Shape::Group && number == 0 { " font-weight=\"bold\"" } else { "" };
        // the middle of a letter is about a third of the font size above its baseline
        let base = y + row(number) + FONT / 3.0;
        let _ = writeln!(
            out,
            "<text x=\"{middle:.1}\" y=\"{base:.1}\" text-anchor=\"middle\"{weight}>{}</text>",
            escape(line)
        );
    }
}

fn curve(out: &mut String, path: &[(f64, f64)], says: Says) {
    let [(x, y), rest @ ..] = path else { return };
    let mut curve = format!("M {x:.1} {y:.1}");
    let (mut at, mut straight) = ((*x, *y), false);
    for (x, y) in rest {
        if straight {
            let _ = write!(curve, " L {x:.1} {y:.1}");
        } else {
            // a line to a box in the same or an earlier column swings out to the right
            let (out, back) = if *x > at.0 + 60.0 {
                ((at.0 + x) / 2.0, (at.0 + x) / 2.0)
            } else {
                (at.0 + 45.0, x + 45.0)
            };
            let _ = write!(curve, " C {out:.1} {:.1}, {back:.1} {y:.1}, {x:.1} {y:.1}", at.1);
        }
        (at, straight) = ((*x, *y), !straight);
    }
    let (colour, marker) =
        if says == Says::Calls { (LINE, "line") } else { (SETTINGS, "settings") };
    let mark = |there: bool, end: &str| {
        if there { format!(" marker-{end}=\"url(#{marker})\"") } else { String::new() }
    };
    let (start, end) =
        (mark(matches!(says, Says::Reads | Says::Both), "start"), mark(says != Says::Reads, "end"));
    let dash = if says == Says::Reads { " stroke-dasharray=\"5 4\"" } else { "" };
    let _ =
        writeln!(out, "<path d=\"{curve}\" fill=\"none\" stroke=\"{colour}\"{dash}{start}{end}/>");
}

/// Escapes text for XML, and replaces characters that XML does not allow with spaces.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                out.push(' ')
            }
            _ => out.push(character),
        }
    }
    out
}
