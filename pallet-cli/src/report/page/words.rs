//! Numbers and names of nodes in words.

use pallet_core::engine::compact;

use super::super::model::Report;
use super::markup::Markup;

/// How many links to lanes, and how many characters of names, are shown without being opened.
const LINKS: usize = 8;
const NAMES: usize = 120;

/// A duration or a time of the timeline.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole / 3600 {
        0 => format!("{} min {:02} s", whole / 60, whole % 60),
        hours => format!("{hours} h {:02} min", whole % 3600 / 60),
    }
}

/// `1.0 s to 2.5 s (1.5 s)`.
pub(super) fn times(from: f64, to: f64) -> String {
    format!("{} to {} ({})", seconds(from), seconds(to), seconds(to - from))
}

/// `1,000`.
pub(super) fn number(number: usize) -> String {
    let mut digits = number.to_string();
    let mut at = digits.len();
    while at > 3 {
        at -= 3;
        digits.insert(at, ',');
    }
    digits
}

/// `1 node`, `1,000 nodes`.
pub(super) fn count(of: usize, what: &str) -> String {
    format!("{} {what}{}", number(of), if of == 1 { "" } else { "s" })
}

/// Names in few words, of which long lists are cut.
pub(super) fn short_names<'a>(nodes: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    let all = compact(nodes);
    for (number, word) in all.iter().enumerate() {
        if text.len() + word.len() > NAMES && number > 0 {
            text.push_str(&format!(" and {} more", all.len() - number));
            break;
        }
        text.push_str(if number > 0 { ", " } else { "" });
        text.push_str(word);
    }
    text
}

/// Names of nodes, with links to their lanes.
pub(super) fn names(markup: &mut Markup, report: &Report<'_>, nodes: &[&str]) {
    let mut lanes: Vec<(Option<usize>, Vec<&str>)> = Vec::new();
    for node in nodes {
        let lane = report.lane_of.get(node).copied();
        match lanes.iter_mut().find(|(known, _)| *known == lane) {
            Some((_, names)) => names.push(node),
            None => lanes.push((lane, vec![node])),
        }
    }
    let link = |markup: &mut Markup, (lane, nodes): &(Option<usize>, Vec<&str>)| {
        let text = short_names(nodes.iter().copied());
        match lane {
            Some(lane) => markup.link(&format!("lane-{lane}"), &text),
            None => markup.text(&text),
        }
    };
    markup.inside("span", &[("class", "nodes")], |markup| {
        for (number, lane) in lanes.iter().take(LINKS).enumerate() {
            markup.text(if number > 0 { ", " } else { "" });
            link(markup, lane);
        }
        if let Some(more @ 1..) = lanes.len().checked_sub(LINKS) {
            markup.text(&format!(" and {more} more lanes"));
        }
    });
}

/// A line with the names of nodes.
pub(super) fn on(markup: &mut Markup, report: &Report<'_>, nodes: &[&str]) {
    if !nodes.is_empty() {
        markup.inside("p", &[("class", "on")], |markup| names(markup, report, nodes));
    }
}

/// The lanes of nodes, for the filter.
pub(super) fn lanes_of(report: &Report<'_>, nodes: &[&str]) -> String {
    let mut lanes: Vec<usize> =
        nodes.iter().filter_map(|node| report.lane_of.get(node).copied()).collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes.iter().map(usize::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        let text = |number| seconds(number);
        assert_eq!([text(0.04), text(59.94), text(59.96)], ["0.0 s", "59.9 s", "1 min 00 s"]);
        assert_eq!([text(125.4), text(3725.0)], ["2 min 05 s", "1 h 02 min"]);
        assert_eq!([count(1, "node"), count(0, "node")], ["1 node", "0 nodes"]);
        assert_eq!(count(1234567, "node"), "1,234,567 nodes");
    }

    #[test]
    fn long_lists_are_cut() {
        let nodes: Vec<String> = (1..100).map(|number| format!("node-{}", number * 2)).collect();
        let text = short_names(nodes.iter().map(String::as_str));
        assert!(text.len() < 150 && text.ends_with(" more"), "{text}");
        let nodes: Vec<String> = (1..100).map(|number| format!("node-{number}")).collect();
        assert_eq!(short_names(nodes.iter().map(String::as_str)), "node-[1:99]");
    }
}
