//! What happens in the script when an action fails: it is ignored, its block is rescued, or the
//! script ends.
//!
//! A part of a block that failed has a variable, such as `stop_0_body`. Each action in it begins
//! with a look at that.

use std::fmt::Write;

use crate::action::{BlockRole, InBlock};
use crate::engine::node::phase_plan::PlannedAction;

/// Whether the script may go on after this action failed.
pub(super) fn may_go_on(action: &PlannedAction) -> bool {
    action.options.ignore_errors || !action.blocks.is_empty()
}

/// The variable that is set when this part of the block failed.
fn stop(block: InBlock) -> String {
    format!("stop_{}_{}", block.id, block.role.as_str())
}

fn body_of(block: InBlock) -> InBlock {
    InBlock { role: BlockRole::Body, ..block }
}

/// The test whether an action's turn has come; `None`: always.
pub(super) fn guard(blocks: &[InBlock]) -> Option<String> {
    let tests: Vec<_> = blocks
        .iter()
        .flat_map(|block| {
            let rescues = block.role == BlockRole::Rescue;
            let failed = rescues.then(|| format!("[ -n \"${}\" ]", stop(body_of(*block))));
            failed.into_iter().chain([format!("[ -z \"${}\" ]", stop(*block))])
        })
        .collect();
    (!tests.is_empty()).then(|| tests.join(" && "))
}

/// Begins the blocks of an action that were not begun before it.
pub(super) fn enter(script: &mut String, from: &[InBlock], to: &[InBlock]) {
    for block in to.iter().filter(|block| !from.iter().any(|other| other.id == block.id)) {
        let id = block.id;
        let _ = writeln!(
            script,
            "lost=${{lost-}} caught_{id}= stop_{id}_body= stop_{id}_rescue= stop_{id}_always="
        );
    }
}

/// What follows the failure of an action. `early`: its flags were set before its change, and are
/// removed again, because an action that failed sets none.
pub(super) fn failed(action: &PlannedAction, number: usize, early: bool) -> String {
    let mut script = String::new();
    if early {
        script.push_str("(cd -- \"$flags\" && rm -f -- $early)\n");
    }
    match action.blocks.last() {
        _ if action.options.ignore_errors => {
            let _ = writeln!(script, "failed_{number}=1");
        }
        None => script.push_str("exit 1\n"),
        Some(block) => {
            if early {
                script.push_str("lost=\"$lost $early\"\n");
            }
            let _ = writeln!(script, "{}=1", stop(*block));
        }
    }
    script
}

/// Ends the parts of blocks between an action and the next one: says what was rescued, and ends
/// the script, or the part around it, if a block has failed.
pub(super) fn leave(script: &mut String, token: &str, from: &[InBlock], to: &[InBlock]) {
    for (depth, block) in from.iter().enumerate().rev() {
        let next = to.iter().find(|next| next.id == block.id).map(|next| next.role);
        if next == Some(block.role) {
            continue;
        }
        let (id, body) = (block.id, stop(body_of(*block)));
        let settled = next.is_none_or(|next| next == BlockRole::Always);
        if block.rescued && block.role != BlockRole::Always && settled {
            let _ = writeln!(
                script,
                "[ -z \"${body}\" ] || [ -n \"$stop_{id}_rescue\" ] || {{\n\
                 printf '\\n%s rescued {id}\\n' {token}\n{body}= caught_{id}=1\n}}"
            );
        }
        if next.is_none() {
            let then = match depth.checked_sub(1).map(|around| from[around]) {
                Some(around) => format!("{}=1\n", stop(around)),
                // the next run does what waits for these
                None => "for flag in $lost; do : >\"$flags/$flag\"; done\nexit 1\n".to_owned(),
            };
            let _ = writeln!(
                script,
                "[ -z \"${body}$stop_{id}_rescue$stop_{id}_always\" ] || {{\n{then}}}"
            );
        }
    }
}

/// Whether the turn of an action that waits for a flag is noted: a rescue may follow, after which
/// nobody could tell whether it came.
fn is_noted(action: &PlannedAction) -> bool {
    action.waiting.is_some() && action.blocks.iter().any(|block| block.catches())
}

/// Notes that the turn of an action came, and that it did not fail.
pub(super) fn note_turn(script: &mut String, action: &PlannedAction, number: usize) {
    if is_noted(action) {
        let _ = writeln!(script, "[ \"$result\" -ne 0 ] || had_{number}=1");
    }
}

/// The test whether that was noted.
pub(super) fn had_turn(number: usize) -> String {
    format!("[ -n \"${{had_{number}-}}\" ]")
}

/// The test whether an action was done, as far as it may not have been; `None`: it always was when
/// the script has come to its end. `number`: the part that it is in, if any.
pub(super) fn was_done(action: &PlannedAction, number: Option<usize>) -> Option<String> {
    let failed = number.filter(|_| action.options.ignore_errors);
    let failed = failed.map(|number| format!("$failed_{number}"));
    let caught = action.blocks.iter().filter(|block| block.catches());
    let caught = caught.map(|block| format!("$caught_{}", block.id));
    let all: String = failed.into_iter().chain(caught).collect();
    (!all.is_empty()).then(|| format!("[ -z \"{all}\" ]"))
}
