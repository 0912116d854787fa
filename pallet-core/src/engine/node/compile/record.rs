//! What is recorded on the node at the end of a script: which flags are still set, and which
//! actions were applied.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::blocks;
use super::parts::Part;
use super::turns::Turns;
use crate::action::BlockRole;
use crate::engine::node::phase_plan::{PhasePlan, PlannedAction};
use crate::script::{flag_file, quote};

/// The directory on a node of the marks of applied actions, one file per phase.
const APPLIED: &str = "/var/lib/pallet/applied";

/// The part of the action at a position.
fn part_of(parts: &[Part], position: usize) -> Option<usize> {
    parts.iter().position(|part| part.actions.contains(&position))
}

/// Removes the flags that no later action reads. A flag stays if an action that waits for it
/// failed, or was skipped because another one failed before it: the next run continues.
pub(super) fn forget_flags(
    script: &mut String,
    plan: &PhasePlan,
    parts: &[Part],
    turns: &Turns<'_>,
) {
    let options = plan.actions.iter().map(|action| &action.options);
    let flags: BTreeSet<&String> = options
        .flat_map(|options| options.if_flag.iter().chain(&options.flag_on_change))
        .filter(|flag| !plan.later.contains(*flag))
        .collect();
    for flag in flags {
        let reads = |action: &PlannedAction| action.options.if_flag.as_ref() == Some(flag);
        let readers = plan.actions.iter().enumerate();
        let readers = readers.filter(|(_, action)| reads(action) && action.change.is_some());
        let tests: BTreeSet<String> = readers
            .filter_map(|(at, action)| {
                let done = blocks::was_done(action, None)?;
                // where the block was rescued, its turn may have come before
                let had = part_of(parts, at).map(|part| format!(" || {}", blocks::had_turn(part)));
                let same = action.waiting.as_ref().and_then(|waiting| turns.had(waiting));
                let same = same.map(|test| format!(" || {test}"));
                let rest: String = had.into_iter().chain(same).collect();
                Some(format!("{{ {done}{rest}; }}"))
            })
            .collect();
        let tests: String = tests.iter().map(|test| format!("{test} && ")).collect();
        let _ = match tests.is_empty() {
            true => writeln!(script, "rm -f \"$flags\"/{}", flag_file(flag)),
            false => writeln!(script, "{tests}rm -f \"$flags\"/{}", flag_file(flag)),
        };
    }
}

/// Records which actions were applied, so that a later run can detect drift. An action that failed,
/// or one of a body that was rescued, was not. A rescue is never: it is only for this run.
pub(super) fn applied(script: &mut String, plan: &PhasePlan, parts: &[Part]) {
    // what is done for another node is not part of this node's phases
    if plan.on_behalf_of.is_some() {
        return;
    }
    let into = if plan.continues { ">>" } else { ">" };
    let (mut marks, mut unsure) = (String::new(), String::new());
    for (position, action) in plan.actions.iter().enumerate() {
        let rescues = action.blocks.iter().any(|block| block.role == BlockRole::Rescue);
        let Some(mark) = action.mark.as_ref().filter(|_| !rescues) else { continue };
        match blocks::was_done(action, part_of(parts, position)) {
            None => marks += &format!("{mark}\n"),
            Some(test) => unsure += &format!("if {test}; then printf '%s\\n' {mark}; fi\n"),
        }
    }
    let file = format!("{APPLIED}/{}", flag_file(&plan.phase));
    let marks = match unsure.is_empty() {
        true => format!("printf %s {}", quote(&marks)),
        false => format!("{{\nprintf %s {}\n{unsure}}}", quote(&marks)),
    };
    let _ = write!(
        script,
        "if [ -w /var/lib/pallet ]; then\n[ -d {APPLIED} ] || mkdir -m 700 {APPLIED}\numask 077\n\
         {marks} {into}{file}\numask 022\nfi\n"
    );
}
