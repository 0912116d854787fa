//! A graph as a picture. A library lays it out; the picture is drawn here, so that it is the same everywhere and its text is safe.

use std::fmt::Write;

use layout::core::base::Orientation;
use layout::core::color::Color;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::Point;
use layout::core::style::{LineStyleKind, StyleAttr};
use layout::std_shapes::shapes::{Arrow, Element, LineEndKind, RecordDef, ShapeKind};
use layout::topo::layout::VisualGraph;

use super::{Does, Graph};

/// The layout takes a letter to be as wide and as high as its font; these are as wide as ours.
const LAYOUT_FONT: usize = 8;
/// In pixels.
const FONT: usize = 13;
const MARGIN: f64 = 12.0;

const GROUP: u32 = 0xe8f0_feff;
const FUNCTION: u32 = 0xe6f4_eaff;
const FACILITY: u32 = 0xfef7_e0ff;
const LINE: u32 = 0x5f63_68ff;
const SETTINGS: u32 = 0xb060_00ff;

impl Graph {
    /// The graph as a picture in SVG.
    pub fn svg(&self) -> String {
        let mut picture = Picture::default();
        if !self.groups.is_empty() {
            self.laid_out().do_it(false, false, false, &mut picture);
        }
        picture.finish()
    }

    fn laid_out(&self) -> VisualGraph {
        let direction = Orientation::LeftToRight;
        let mut graph = VisualGraph::new(direction);
        let mut add = |shape, fill| {
            let look = StyleAttr::new(Color::new(LINE), 1, Some(Color::new(fill)), 0, LAYOUT_FONT);
            graph.add_node(Element::create(shape, look, direction.flip(), Point::new(1.0, 1.0)))
        };
        let groups = self.groups.iter().map(|group| {
            let heading = group.heading().into_iter().map(|line| RecordDef::new_text(&line));
            let phases = group.phases.iter().enumerate();
            let phases = phases.map(|(number, phase)| RecordDef::new_text_with_port(&phase.line(), &format!("p{number}")));
            add(ShapeKind::Record(RecordDef::Array(heading.chain(phases).collect())), GROUP)
        });
        let groups: Vec<_> = groups.collect();
        let functions: Vec<_> = self.functions.iter().map(|function| add(ShapeKind::new_box(&function.name), FUNCTION)).collect();
        let facilities = self.facilities();
        let ellipses: Vec<_> = facilities.iter().map(|facility| add(ShapeKind::new_circle(facility), FACILITY)).collect();

        let mut edges = |from, port: Option<String>, does: &Does| {
            let mut add = |to, colour, ends: (LineEndKind, LineEndKind), style| {
                let look = StyleAttr::new(Color::new(colour), 1, None, 0, LAYOUT_FONT);
                graph.add_edge(Arrow::new(ends.0, ends.1, style, "", &look, &port, &None), from, to);
            };
            for called in &does.calls {
                if let Some(number) = self.functions.iter().position(|function| function.name == *called) {
                    add(functions[number], LINE, (LineEndKind::None, LineEndKind::Arrow), LineStyleKind::Normal);
                }
            }
            for (number, facility) in facilities.iter().enumerate() {
                let (writes, reads) = (does.writes.iter().any(|name| name == facility), does.reads.iter().any(|name| name == facility));
                // what is written and read is one line with two ends
                let (ends, style) = match (reads, writes) {
                    (false, false) => continue,
                    (false, true) => ((LineEndKind::None, LineEndKind::Arrow), LineStyleKind::Normal),
                    (true, false) => ((LineEndKind::Arrow, LineEndKind::None), LineStyleKind::Dashed),
                    (true, true) => ((LineEndKind::Arrow, LineEndKind::Arrow), LineStyleKind::Normal),
                };
                add(ellipses[number], SETTINGS, ends, style);
            }
        };
        for (group, drawn) in groups.iter().zip(&self.groups) {
            for (number, phase) in drawn.phases.iter().enumerate() {
                edges(*group, Some(format!("p{number}")), &phase.does);
            }
        }
        for (function, drawn) in functions.iter().zip(&self.functions) {
            edges(*function, None, &drawn.does);
        }
        graph
    }
}

/// What is drawn so far.
#[derive(Default)]
struct Picture {
    body: String,
    right: f64,
    bottom: f64,
}

impl Picture {
    fn cover(&mut self, x: f64, y: f64) {
        (self.right, self.bottom) = (self.right.max(x), self.bottom.max(y));
    }

    fn finish(self) -> String {
        let (width, height) = (self.right + 2.0 * MARGIN, self.bottom + 2.0 * MARGIN);
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n"
        );
        for (colour, name) in [(LINE, "line"), (SETTINGS, "settings")] {
            let _ = writeln!(
                out,
                "<marker id=\"{name}\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto-start-reverse\">\
                 <path d=\"M 0 1 L 8 4 L 0 7 z\" fill=\"{}\"/></marker>",
                web(Color::new(colour))
            );
        }
        let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
        let _ = write!(
            out,
            "<g transform=\"translate({MARGIN} {MARGIN})\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"{FONT}\">\n{}</g>\n</svg>\n",
            self.body
        );
        out
    }
}

impl RenderBackend for Picture {
    fn draw_rect(&mut self, at: Point, size: Point, look: &StyleAttr, _: Option<String>, _: Option<ClipHandle>) {
        self.cover(at.x + size.x, at.y + size.y);
        let _ = writeln!(
            self.body,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\" stroke=\"{}\"/>",
            at.x,
            at.y,
            size.x,
            size.y,
            look.fill_color.map_or("none".to_owned(), web),
            web(look.line_color),
        );
    }

    fn draw_line(&mut self, from: Point, to: Point, look: &StyleAttr, _: Option<String>) {
        let _ = writeln!(
            self.body,
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{}\"/>",
            from.x,
            from.y,
            to.x,
            to.y,
            web(look.line_color)
        );
    }

    fn draw_circle(&mut self, at: Point, size: Point, look: &StyleAttr, _: Option<String>) {
        self.cover(at.x + size.x / 2.0, at.y + size.y / 2.0);
        let _ = writeln!(
            self.body,
            "<ellipse cx=\"{:.1}\" cy=\"{:.1}\" rx=\"{:.1}\" ry=\"{:.1}\" fill=\"{}\" stroke=\"{}\"/>",
            at.x,
            at.y,
            size.x / 2.0,
            size.y / 2.0,
            look.fill_color.map_or("none".to_owned(), web),
            web(look.line_color),
        );
    }

    fn draw_text(&mut self, at: Point, text: &str, _: &StyleAttr) {
        // the middle of a letter is about a third of its font above its base
        let _ = writeln!(
            self.body,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            at.x,
            at.y + FONT as f64 / 3.0,
            escape(text)
        );
    }

    fn draw_arrow(&mut self, path: &[(Point, Point)], dashed: bool, head: (bool, bool), look: &StyleAttr, _: Option<String>, _: &str) {
        let [(start, leaves), (arrives, end), rest @ ..] = path else { return };
        let mut curve = format!(
            "M {:.1} {:.1} C {:.1} {:.1}, {:.1} {:.1}, {:.1} {:.1}",
            start.x, start.y, leaves.x, leaves.y, arrives.x, arrives.y, end.x, end.y
        );
        for (control, point) in rest {
            let _ = write!(curve, " S {:.1} {:.1}, {:.1} {:.1}", control.x, control.y, point.x, point.y);
        }
        for (one, other) in path {
            self.cover(one.x, one.y);
            self.cover(other.x, other.y);
        }
        let colour = web(look.line_color);
        let marker = if colour == web(Color::new(SETTINGS)) { "settings" } else { "line" };
        let mark = |there: bool, end: &str| if there { format!(" marker-{end}=\"url(#{marker})\"") } else { String::new() };
        let dash = if dashed { " stroke-dasharray=\"5 4\"" } else { "" };
        let _ = writeln!(
            self.body,
            "<path d=\"{curve}\" fill=\"none\" stroke=\"{colour}\"{dash}{}{}/>",
            mark(head.0, "start"),
            mark(head.1, "end")
        );
    }

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        // only rounded records are clipped, and there are none
        0
    }
}

/// A colour without its last part, which says how opaque it is: ours all are.
fn web(colour: Color) -> String {
    colour.to_web_color().chars().take(7).collect()
}

/// Text that is nothing but text in XML, and no character that XML does not know.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}
