//! The parts of a script: each is one change, or one package transaction, in a shell of its own;
//! neighbours that each only write one file share one.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::Range;

use super::blocks;
use super::turns::Turns;
use crate::action::{ActionError, Change, InBlock};
use crate::engine::node::phase_plan::{PhasePlan, PlannedAction};
use crate::model::PackageTransaction;
use crate::script::{flag_file, packages, shell};

/// A part of the script: usually one change, or several package changes in one transaction.
#[derive(Debug)]
pub(in crate::engine) struct Part {
    /// The positions of its actions in the plan.
    pub(in crate::engine) actions: Vec<usize>,
    /// The range of its commands in the whole script.
    pub(in crate::engine) text: Range<usize>,
}

/// Writes all parts, each in a shell of its own, or batches of them.
pub(super) fn run(
    script: &mut String,
    plan: &PhasePlan,
    token: &str,
    parts: &mut [Part],
    turns: &Turns<'_>,
) -> Result<(), ActionError> {
    let actions = &plan.actions;
    let runs = runs(parts, actions);
    let first = |run: &Range<usize>| &actions[parts[run.start].actions[0]];
    let firsts: Vec<&PlannedAction> = runs.iter().map(first).collect();
    let (mut looked, mut announced) = (BTreeSet::new(), false);
    let mut blocks: &[InBlock] = &[];
    for (at, run) in runs.iter().enumerate() {
        let (action, next) = (firsts[at], firsts.get(at + 1));
        blocks::enter(script, blocks, &action.blocks);
        let guard = blocks::guard(&action.blocks);
        if let Some(guard) = &guard {
            let _ = writeln!(script, "if {guard}; then");
        }
        for condition in run
            .clone()
            .flat_map(|number| &parts[number].actions)
            .flat_map(|position| &actions[*position].conditions)
        {
            if !looked.insert(condition.id) {
                continue;
            }
            let (yes, no) = if condition.unless { ("", "1") } else { ("1", "") };
            let look = shell(&condition.command, None);
            let _ = writeln!(
                script,
                "if {look} >/dev/null 2>&1; then when_{id}={yes}; else when_{id}={no}; fi",
                id = condition.id
            );
        }
        if !announced {
            let _ = writeln!(script, "printf '\\n%s begin {}\\n' {token}", run.start);
        }
        let sure = !blocks::may_go_on(action) && action.options.timeout.is_none();
        announced = sure && next.is_some_and(|next| next.blocks.is_empty());
        match run.len() > 1 {
            true => batch(script, plan, token, parts, run.clone(), announced, turns)?,
            false => {
                alone(script, plan, token, &mut parts[run.start], run.start, announced, turns)?
            }
        }
        if guard.is_some() {
            script.push_str("fi\n");
        }
        let after = next.map_or(&[][..], |next| &next.blocks);
        blocks::leave(script, token, &action.blocks, after);
        blocks = &action.blocks;
    }
    Ok(())
}

/// Writes several parts that share a shell.
fn batch(
    script: &mut String,
    plan: &PhasePlan,
    token: &str,
    parts: &mut [Part],
    run: Range<usize>,
    announced: bool,
    turns: &Turns<'_>,
) -> Result<(), ActionError> {
    script.push_str("(\nset -e\nbatch_begin\n");
    for number in run.clone() {
        parts[number].text = body(script, plan, &parts[number], number, true, turns)?;
        let next = announced || number + 1 < run.end;
        let _ = writeln!(script, "batch_say \"$told\"'{}'", end(token, number, next));
    }
    script.push_str("batch_end\n) 2>&1 9>&-\nresult=$?\n[ \"$result\" -eq 0 ] || exit 1\n");
    Ok(())
}

/// Writes a part with a shell of its own.
fn alone(
    script: &mut String,
    plan: &PhasePlan,
    token: &str,
    part: &mut Part,
    number: usize,
    announced: bool,
    turns: &Turns<'_>,
) -> Result<(), ActionError> {
    let action = &plan.actions[part.actions[0]];
    let (goes_on, flags) = (blocks::may_go_on(action), early_flags(plan, part).0);
    if goes_on {
        let _ = writeln!(script, "failed_{number}=");
        set_early(script, &flags);
    }
    if let Some(seconds) = action.options.timeout {
        let changes = || part.actions.iter().filter_map(|at| plan.actions[*at].change.as_ref());
        // a transaction that is killed halfway is worse than none at all
        let finish = match changes().any(Change::is_of_packages) {
            true => " finish",
            false => "",
        };
        let _ = writeln!(script, "limit {seconds} {number}{finish}");
    }
    script.push_str("(\nset -e\n");
    if action.options.timeout.is_some() {
        script.push_str("export PALLET_LIMIT=\"$limit_mark\"\n");
    }
    part.text = body(script, plan, part, number, !goes_on, turns)?;
    match action.options.timeout {
        // a part's messages go out in one write with the beginning of the next part, since each
        // write wakes the reader
        None => {
            let end = end(token, number, announced);
            let _ = writeln!(script, "printf %s \"$told\"'{end}'\n) 2>&1 9>&-\nresult=$?");
        }
        Some(_) => {
            let end = end(token, number, false);
            let _ = writeln!(
                script,
                "printf %s \"$told\"\n) 2>&1 9>&-\nresult=$?\nlimit_end\n\
                 [ \"$result\" -ne 0 ] || printf %s '{end}'"
            );
        }
    }
    let failed = blocks::failed(action, number, goes_on && !flags.is_empty());
    let _ = writeln!(
        script,
        "[ \"$result\" -eq 0 ] || {{\nprintf '\\n%s end {number} %s\\n' {token} \
         \"$result\"\n{failed}}}"
    );
    blocks::note_turn(script, action, number);
    Ok(())
}

/// Says that a part has ended, and that the next one begins if that is sure.
fn end(token: &str, number: usize, next: bool) -> String {
    let next = match next {
        true => format!("\n{token} begin {}\n", number + 1),
        false => String::new(),
    };
    format!("\n{token} end {number} 0\n{next}")
}

/// The flags that a part sets before and after its change: a flag is set before the change, so that
/// an abort between the two cannot lose it, and removed again if nothing changed.
fn early_flags<'a>(plan: &'a PhasePlan, part: &Part) -> (Vec<&'a String>, Vec<&'a String>) {
    let options = &plan.actions[part.actions[0]].options;
    let own = part.actions.iter().map(|position| &plan.actions[*position]);
    let flags = own.filter_map(|action| action.options.flag_on_change.as_ref());
    flags.partition(|flag| options.if_flag.as_ref() != Some(*flag))
}

fn set_early(script: &mut String, flags: &[&String]) {
    if !flags.is_empty() {
        script.push_str("early=\n");
    }
    for flag in flags.iter().map(|flag| flag_file(flag)) {
        let _ = writeln!(
            script,
            "[ -e \"$flags\"/{flag} ] || {{\n: > \"$flags\"/{flag}\nearly=\"$early {flag}\"\n}}"
        );
    }
}

/// Writes the commands of one part, which leave their messages in the variable `told`. Returns the
/// range of the commands in `script`. `sets_early`: its flags were not set before.
fn body(
    script: &mut String,
    plan: &PhasePlan,
    part: &Part,
    number: usize,
    sets_early: bool,
    turns: &Turns<'_>,
) -> Result<Range<usize>, ActionError> {
    let actions = &plan.actions;
    let own = || part.actions.iter().map(|position| &actions[*position]);
    let changes: Vec<&Change> = own().filter_map(|action| action.change.as_ref()).collect();
    let PlannedAction { options, conditions, waiting, .. } = &actions[part.actions[0]];
    let body = match changes.as_slice() {
        [one] => one.script.clone(),
        several => packages::transaction(plan.os.package_manager, &join(several))?,
    };
    // the previous content of the file may be a secret too
    let secret = own().any(|action| action.secret);
    let _ = writeln!(
        script,
        "change= drift= told= part={number} no_versions={}",
        if secret { "1" } else { "" }
    );
    if changes.iter().any(|change| change.packages.is_some()) {
        // a transaction that is killed halfway is worse than none at all
        script.push_str("trap '' TERM\nexport PALLET_TRANSACTION=1\n");
    }
    let flag = options.if_flag.iter().map(|flag| format!("[ -e \"$flags\"/{} ]", flag_file(flag)));
    let conditions =
        conditions.iter().map(|condition| format!("[ -n \"$when_{}\" ]", condition.id));
    let same = waiting.as_ref().and_then(|waiting| turns.had_not(waiting));
    let tests: Vec<String> = flag.chain(same).chain(conditions).collect();
    let had = waiting.as_ref().and_then(|waiting| turns.note(waiting)).unwrap_or_default();
    let (early, late) = early_flags(plan, part);
    if sets_early {
        set_early(script, &early);
    }
    let start = script.len();
    match tests.is_empty() {
        true => script.push_str(body.as_str()),
        false => {
            let _ = writeln!(script, "if {}; then\n{}{had}fi", tests.join(" && "), body.as_str());
        }
    }
    let text = start..script.len();
    let _ = writeln!(script, "[ -z \"$drift\" ] || told='\n'$token' drifted {number}\n'");
    script.push_str("if [ -n \"$change\" ]; then\n");
    turns.again(script, early.iter().chain(&late));
    for flag in late {
        let _ = writeln!(script, ": > \"$flags\"/{}", flag_file(flag));
    }
    let _ = writeln!(script, "told=$told'\n'$token' changed {number}\n'");
    if !early.is_empty() {
        script.push_str("elif [ -n \"$early\" ]; then\n(cd -- \"$flags\" && rm -f -- $early)\n");
    }
    script.push_str("fi\n");
    Ok(text)
}

/// The parts in runs: neighbours that each only write one file are batched, all others run alone.
fn runs(parts: &[Part], actions: &[PlannedAction]) -> Vec<Range<usize>> {
    let alone = |part: &Part| {
        let action = &actions[part.actions[0]];
        let options = &action.options;
        let decided = options.if_flag.is_some() || !action.conditions.is_empty();
        let limited = options.timeout.is_some() || blocks::may_go_on(action);
        decided
            || limited
            || !action.change.as_ref().is_some_and(|change| change.script.is_of_one_file())
    };
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    for (number, part) in parts.iter().enumerate() {
        let file = !alone(part);
        match runs.last_mut() {
            Some(run) if open && file => run.end = number + 1,
            _ => runs.push(number..number + 1),
        }
        open = file;
    }
    runs
}

/// Joins the transactions of these changes, which all have the same options.
fn join(changes: &[&Change]) -> PackageTransaction {
    let mut all = changes.iter().filter_map(|change| change.packages.clone());
    let mut joined = all.next().unwrap_or_default();
    all.for_each(|packages| joined.extend(packages));
    joined
}
