//! Groups equal results of several nodes.

/// Groups the nodes with equal results, in the order of each group's first node.
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
