//! Equal results of several nodes, together.

/// The nodes whose results are alike, together; in the order of the first of each.
pub(super) fn grouped<'a, R>(
    results: &'a [R],
    node: fn(&R) -> &str,
    alike: fn(&R, &R) -> bool,
) -> Vec<(Vec<&'a str>, &'a R)> {
    let mut groups: Vec<(Vec<&'a str>, &'a R)> = Vec::new();
    for result in results {
        match groups.iter_mut().find(|(_, known)| alike(known, result)) {
            Some((nodes, _)) => nodes.push(node(result)),
            None => groups.push((vec![node(result)], result)),
        }
    }
    groups
}
