//! Summarizes many nodes and many similar errors in few lines.

use pallet_core::engine::compact_counted;

/// Up to this many different errors are shown individually; beyond that, similar ones are grouped.
const TOLD: usize = 10;
/// Maximum number of names in a line.
const NAMES: usize = 10;

/// Similar errors; the first one represents them.
#[derive(Debug, PartialEq)]
pub(super) struct ErrorGroup<'a, E> {
    pub(super) error: &'a E,
    pub(super) nodes: Vec<&'a str>,
    /// How many of the nodes have an error that is only similar to the first.
    pub(super) alike: usize,
}

/// Groups errors, each with its nodes. If there are many, errors that differ only in numbers and
/// node names are shown as one. Also returns how many nodes have errors that are left out. `all`
/// disables both.
pub(super) fn fold<'a, E>(
    errors: Vec<(&'a E, Vec<&'a str>)>,
    text: impl Fn(&E) -> String,
    all: bool,
) -> (Vec<ErrorGroup<'a, E>>, usize) {
    if all || errors.len() <= TOLD {
        return (
            errors
                .into_iter()
                .map(|(error, nodes)| ErrorGroup { error, nodes, alike: 0 })
                .collect(),
            0,
        );
    }
    let mut places = std::collections::HashMap::new();
    let (mut told, mut left_out): (Vec<ErrorGroup<'a, E>>, _) = (Vec::new(), 0);
    for (error, nodes) in errors {
        let shape = shape(&text(error), nodes.first().copied().unwrap_or_default());
        match places.get(&shape) {
            Some(place) => {
                let told: &mut ErrorGroup<'a, E> = &mut told[*place];
                told.alike += nodes.len();
                told.nodes.extend(nodes);
            }
            None if told.len() >= TOLD => left_out += nodes.len(),
            None => {
                places.insert(shape, told.len());
                told.push(ErrorGroup { error, nodes, alike: 0 });
            }
        }
    }
    (told, left_out)
}

/// The part of an error that similar errors share: digits become `#`, and the node's own name
/// becomes `NODE`.
pub(super) fn shape(text: &str, node: &str) -> String {
    let text = if node.is_empty() { text.to_owned() } else { text.replace(node, "NODE") };
    let mut shape = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_ascii_digit() {
            shape.push(character);
        } else if !shape.ends_with('#') {
            shape.push('#');
        }
    }
    shape
}

/// Names of nodes in one line: as few patterns as possible, of which a long list is cut.
pub(super) fn names(nodes: &[&str]) -> String {
    let words = compact_counted(nodes.iter().copied());
    let some: Vec<&str> = words.iter().take(NAMES).map(|(word, _)| word.as_str()).collect();
    let some = some.join(", ");
    match words.iter().skip(NAMES).map(|(_, count)| count).sum::<usize>() {
        0 => some,
        1 => format!("{some} and 1 more"),
        more => format!("{some} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_like_errors_are_one() {
        let nodes: Vec<String> = (1..=10_000).map(|number| format!("web-{number}")).collect();
        let errors: Vec<String> = (0..10_000)
            .map(|number| {
                format!("cannot connect to 10.0.{}.{}:22: no route", number / 256, number % 256)
            })
            .collect();
        let found = || {
            errors
                .iter()
                .zip(&nodes)
                .map(|(error, node)| (error, vec![node.as_str()]))
                .collect::<Vec<_>>()
        };
        let (told, left_out) = fold(found(), Clone::clone, false);
        assert_eq!(
            (told.len(), told[0].nodes.len(), told[0].alike, left_out),
            (1, 10_000, 9_999, 0)
        );
        assert_eq!(names(&told[0].nodes), "web-[1:10000]");
        assert_eq!(fold(found(), Clone::clone, true).0.len(), 10_000);
        assert_eq!(fold(found()[..TOLD].to_vec(), Clone::clone, false).0.len(), TOLD);
    }

    #[test]
    fn of_errors_that_have_nothing_in_common_some_are_told() {
        let errors: Vec<String> = (0..40).map(|number| "x".repeat(number)).collect();
        let (told, left_out) =
            fold(errors.iter().map(|error| (error, vec!["a", "b"])).collect(), Clone::clone, false);
        assert_eq!((told.len(), left_out), (TOLD, 60));
        let many: Vec<String> = (0..30).map(|number| format!("n{}", number * 2)).collect();
        assert_eq!(
            names(&many.iter().map(String::as_str).collect::<Vec<_>>()),
            "n0, n2, n4, n6, n8, n10, n12, n14, n16, n18 and 20 more"
        );
    }
}
