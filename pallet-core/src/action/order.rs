//! The order of a phase's actions: as declared, except for actions that must come before or after
//! others.

use super::{BlockRole, Declared};

/// Orders actions: `always_before` and `always_after` move an action before or after all actions
/// with the given names. A block of `on_failure` stays together: to move an action of it before or
/// after one outside moves the whole block.
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
    in_blocks(declared, 0)
}

/// Orders the actions of one part of a block, which is within so many others.
fn in_blocks(declared: Vec<Declared>, depth: usize) -> Result<Vec<Declared>, String> {
    let mut units: Vec<Vec<Declared>> = Vec::new();
    for one in declared {
        let block = one.blocks.get(depth).map(|block| block.id);
        match units.last_mut() {
            Some(unit)
                if block.is_some() && unit[0].blocks.get(depth).map(|block| block.id) == block =>
            {
                unit.push(one);
            }
            _ => units.push(vec![one]),
        }
    }
    let edges = edges(&units);
    let mut slots: Vec<Option<Vec<Declared>>> = units.into_iter().map(Some).collect();
    let mut ordered = Vec::new();
    let mut waits: Vec<usize> = edges.iter().map(Vec::len).collect();
    for _ in 0..slots.len() {
        // the first declared unit that waits for nothing
        let Some(next) =
            (0..slots.len()).find(|index| slots[*index].is_some() && waits[*index] == 0)
        else {
            return Err(circle(&slots, &edges));
        };
        ordered.extend(parts(slots[next].take().unwrap_or_default(), depth)?);
        for (index, before) in edges.iter().enumerate() {
            waits[index] -= before.iter().filter(|one| **one == next).count();
        }
    }
    Ok(ordered)
}

/// Orders each part of a block by itself.
fn parts(unit: Vec<Declared>, depth: usize) -> Result<Vec<Declared>, String> {
    if unit.iter().all(|one| one.blocks.len() <= depth) {
        return Ok(unit);
    }
    let mut parts: [Vec<Declared>; 3] = Default::default();
    for one in unit {
        let part = one.blocks.get(depth).map_or(BlockRole::Body, |block| block.role);
        parts[part as usize].push(one);
    }
    for (earlier, later) in [(0, 1), (0, 2), (1, 2)] {
        for (one, other) in
            parts[earlier].iter().flat_map(|one| parts[later].iter().map(move |other| (one, other)))
        {
            if comes_before(other, one) {
                return Err(format!(
                    "{} cannot come before {}: they are in two parts of one on_failure",
                    other.label(),
                    one.label()
                ));
            }
        }
    }
    let mut ordered = Vec::new();
    for part in parts {
        ordered.extend(in_blocks(part, depth + 1)?);
    }
    Ok(ordered)
}

/// Whether one action asks to come before the other, or that one asks to come after it.
fn comes_before(one: &Declared, other: &Declared) -> bool {
    let named = |names: &[String], it: &Declared| {
        names.iter().any(|name| *name == it.action.name() || *name == it.label())
    };
    named(&one.options.always_before, other) || named(&other.options.always_after, one)
}

/// For each unit, the units that must come before it.
fn edges(units: &[Vec<Declared>]) -> Vec<Vec<usize>> {
    let before = |index: usize| {
        let others = (0..units.len()).filter(move |other| *other != index);
        others
            .filter(|other| {
                let mut pairs = units[*other]
                    .iter()
                    .flat_map(|one| units[index].iter().map(move |other| (one, other)));
                pairs.any(|(one, other)| comes_before(one, other))
            })
            .collect()
    };
    (0..units.len()).map(before).collect()
}

fn circle(slots: &[Option<Vec<Declared>>], edges: &[Vec<usize>]) -> String {
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
    let names: Vec<_> = seen
        .iter()
        .filter_map(|index| slots[*index].as_ref()?.first())
        .map(Declared::label)
        .collect();
    format!("these actions each ask to come before the next, in a circle: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::{ExecScript, InBlock, Options, Package};
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

    fn within(blocks: &[(usize, BlockRole)], declared: Declared) -> Declared {
        let blocks =
            blocks.iter().map(|(id, role)| InBlock { id: *id, role: *role, rescued: true });
        Declared { blocks: blocks.collect(), ..declared }
    }

    #[test]
    fn a_block_stays_together() {
        use BlockRole::{Always, Body, Rescue};
        let plain = Options::new;
        let ordered = labels(vec![
            script("first", plain()),
            within(&[(0, Body)], script("a", plain())),
            within(&[(0, Body), (1, Body)], script("inner", plain())),
            within(&[(0, Body)], script("b", plain().always_before("exec_script a"))),
            within(&[(0, Rescue)], script("c", plain().always_before("exec_script first"))),
            within(&[(0, Always)], script("d", plain())),
            script("last", plain()),
        ]);
        assert_eq!(
            ordered.as_deref(),
            Ok("exec_script inner, exec_script b, exec_script a, exec_script c, exec_script d, \
                exec_script first, exec_script last")
        );
        let wrong = labels(vec![
            within(&[(0, Body)], script("a", plain())),
            within(&[(0, Always)], script("b", plain().always_before("exec_script a"))),
        ]);
        assert_eq!(
            wrong.unwrap_err(),
            "exec_script b cannot come before exec_script a: they are in two parts of one \
             on_failure"
        );
    }
}
