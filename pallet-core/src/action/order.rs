//! The order of a phase's actions: as declared, except for actions that must come before or after
//! others.

use super::Declared;

/// Orders actions: `always_before` and `always_after` move an action before or after all actions
/// with the given names.
///
/// A name is that of the action (`package`), optionally with its subject (`service nginx`). The
/// error names two actions that each ask to come before the other.
pub fn order(declared: Vec<Declared>) -> Result<Vec<Declared>, String> {
    if declared
        .iter()
        .all(|one| one.options.always_before.is_empty() && one.options.always_after.is_empty())
    {
        return Ok(declared);
    }
    let edges = edges(&declared);
    let mut slots: Vec<Option<Declared>> = declared.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(slots.len());
    let mut waits: Vec<usize> = edges.iter().map(Vec::len).collect();
    while ordered.len() < slots.len() {
        // the first declared action that waits for nothing
        let Some(next) =
            (0..slots.len()).find(|index| slots[*index].is_some() && waits[*index] == 0)
        else {
            return Err(circle(&slots, &edges));
        };
        ordered.extend(slots[next].take());
        for (index, before) in edges.iter().enumerate() {
            waits[index] -= before.iter().filter(|one| **one == next).count();
        }
    }
    Ok(ordered)
}

/// For each action, the actions that must come before it.
fn edges(declared: &[Declared]) -> Vec<Vec<usize>> {
    let mut edges: Vec<Vec<usize>> = declared.iter().map(|_| Vec::new()).collect();
    let named = |names: &[String], one: &Declared| {
        names.iter().any(|name| *name == one.action.name() || *name == one.label())
    };
    for (index, one) in declared.iter().enumerate() {
        for (other, it) in declared.iter().enumerate().filter(|(other, _)| *other != index) {
            if named(&one.options.always_before, it) {
                edges[other].push(index);
            }
            if named(&one.options.always_after, it) {
                edges[index].push(other);
            }
        }
    }
    edges
}

fn circle(slots: &[Option<Declared>], edges: &[Vec<usize>]) -> String {
    // every remaining action waits for another remaining one, so following these links leads around
    // the cycle
    let left = |index: &usize| slots[*index].is_some();
    let Some(mut at) = (0..slots.len()).find(left) else { return String::new() };
    let mut seen = Vec::new();
    while !seen.contains(&at) {
        seen.push(at);
        let Some(next) = edges[at].iter().copied().find(left) else { break };
        at = next;
    }
    let names: Vec<_> =
        seen.iter().filter_map(|index| slots[*index].as_ref()).map(Declared::label).collect();
    format!("these actions each ask to come before the next, in a circle: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::{ExecScript, Options, Package};
    use super::*;

    fn script(name: &str, options: Options) -> Declared {
        Declared {
            action: Box::new(ExecScript::new(name)),
            options,
            ..Declared::of(Package::install("x"))
        }
    }

    fn labels(declared: Vec<Declared>) -> Result<String, String> {
        order(declared)
            .map(|declared| declared.iter().map(Declared::label).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn as_declared_unless_asked_otherwise() {
        let plain = || Options::new();
        let first = labels(vec![
            script("a", plain()),
            Declared::of(Package::install("p")),
            script("b", plain()),
        ]);
        assert_eq!(first.as_deref(), Ok("exec_script a, package p, exec_script b"));
        let before = labels(vec![
            script("a", plain()),
            Declared::of(Package::install("p")),
            script("b", plain().always_before("package")),
        ]);
        assert_eq!(before.as_deref(), Ok("exec_script a, exec_script b, package p"));
        let after = labels(vec![
            script("a", plain().always_after("exec_script b")),
            Declared::of(Package::install("p")),
            script("b", plain()),
        ]);
        assert_eq!(after.as_deref(), Ok("package p, exec_script b, exec_script a"));
        let nothing =
            labels(vec![script("a", plain().always_after("nothing")), script("b", plain())]);
        assert_eq!(nothing.as_deref(), Ok("exec_script a, exec_script b"));
    }

    #[test]
    fn a_circle_is_an_error_that_names_it() {
        let circle = labels(vec![
            script("a", Options::new().always_before("exec_script b")),
            script("b", Options::new().always_before("exec_script a")),
        ]);
        let error = circle.expect_err("neither can be first");
        assert!(error.contains("exec_script a") && error.contains("exec_script b"), "{error}");
    }
}
