//! Compiles the changes of one phase on one node into one script.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::Range;

use super::phase_plan::{PhasePlan, PlannedAction, Present};
use crate::action::{ActionError, Certainty, Change, Upload};
use crate::model::{Os, PackageTransaction};
use crate::script::{FLAGS, Library, flag_file, packages, quote, shell};

/// The directory of uploads on a node; each is named by its digest.
pub(in crate::engine) const INCOMING: &str = "/var/lib/pallet/incoming";

/// The directory on a node of the marks of applied actions, one file per phase.
const APPLIED: &str = "/var/lib/pallet/applied";

/// A script, and its uploads.
#[derive(Debug)]
pub(in crate::engine) struct Compiled {
    pub(in crate::engine) script: String,
    pub(in crate::engine) uploads: Vec<Upload>,
    /// The parts of the script, each with the positions of its actions in the plan.
    pub(in crate::engine) parts: Vec<Part>,
    /// Whether a part uses the ssh agent of this machine.
    pub(in crate::engine) agent: bool,
}

/// A part of the script: usually one change, or several package changes in one transaction.
#[derive(Debug)]
pub(in crate::engine) struct Part {
    /// The positions of its actions in the plan.
    pub(in crate::engine) actions: Vec<usize>,
    /// The range of its commands in the whole script.
    pub(in crate::engine) text: Range<usize>,
}

/// The file on a node that records that it was bootstrapped, if its provider keeps no tags.
const BOOTSTRAPPED: &str = "/var/lib/pallet/bootstrapped";

/// Only one operation at a time changes a node; another one waits for it. While the lock is held,
/// temporary entries are listed in a file before they are created.
const LOCK: &str = r#"temporaries=
if { [ -d /var/lib/pallet ] || mkdir -p "$flags"; } 2>/dev/null && command -v flock >/dev/null 2>&1; then
  # nobody else can hold what nobody else can open
  umask 077
  if { : >>/var/lib/pallet/lock; } 2>/dev/null; then
    exec 9>>/var/lib/pallet/lock
    if ! flock -n 9; then
      printf '\n%s waiting\n' "$token"
      flock -w 900 9 || fail 'another operation has been changing this node for 15 minutes'
    fi
    temporaries=/var/lib/pallet/temporaries
    { : >>"$temporaries"; } 2>/dev/null
  fi
  umask 022
fi
"#;

/// Clears the list of temporary entries at the end of a script if all of them are gone. Otherwise
/// the list is kept, and the next run removes them.
const FORGET: &str = r#"  [ ! -s "$temporaries" ] || {
    left=
    while IFS= read -r entry; do if [ -e "$entry" ] || [ -L "$entry" ]; then left=1; fi; done <"$temporaries"
    [ -n "$left" ] || : >"$temporaries"
  }
"#;

/// A script that removes what killed runs left behind, unless another operation is changing the
/// node right now.
pub(in crate::engine) fn cleaning(library: &Library<'_>, user: &str) -> String {
    let script = format!(
        "incoming={INCOMING}\nflags={FLAGS}\ntemporaries=/var/lib/pallet/temporaries\n\
         command -v flock >/dev/null 2>&1 || exit 0\n\
         exec 9>>/var/lib/pallet/lock\nflock -n 9 || exit 0\nclean_leftovers\nexit 0\n\
         }} </dev/null\n"
    );
    format!("{{\nuid={}\n{}\n{script}", uid(user), library.part_for(&script))
}

/// The numeric ID of a user, if known without asking.
fn uid(user: &str) -> &'static str {
    if user == "root" { "0" } else { "" }
}

/// Compiles a plan; `token` marks the lines that the script prints for Pallet.
pub(in crate::engine) fn compile(
    plan: &PhasePlan,
    token: &str,
    library: &Library<'static>,
) -> Result<Compiled, ActionError> {
    let PhasePlan { flags, later, os, user, present, actions, .. } = plan;
    let mut script = format!("token={token}\nframes=1\nincoming={INCOMING}\nflags={FLAGS}\n{LOCK}");
    let changes = || actions.iter().filter_map(|action| action.change.as_ref());
    let agent = changes().any(|change| change.agent);
    if agent {
        // only the parts that need the agent see it
        script.push_str("agent=${SSH_AUTH_SOCK-}\nunset SSH_AUTH_SOCK\n");
    }
    let mut parts = group(actions);
    let mut uploads = uploads(changes());
    let digests: String =
        uploads.iter().map(|upload| format!(" {}", quote(&upload.digest))).collect();
    if plan.leftovers {
        let _ = writeln!(script, "[ -z \"$temporaries\" ] || clean_leftovers{digests}");
    }
    let _ = writeln!(
        script,
        "[ -d \"$flags\" ] || mkdir -p \"$flags\" 2>/dev/null\n\
         [ -w \"$flags\" ] || flags=$(mktemp -d) || fail 'cannot write in \
         /var/lib/pallet or in the directory for temporary files'\n\
         logs=$flags"
    );
    let incoming: String =
        uploads.iter().map(|upload| format!(" {INCOMING}/{}", quote(&upload.digest))).collect();
    let _ = writeln!(
        script,
        "finish() \
         {{\n[ \"$flags\" = {FLAGS} ] || rm -rf \"$flags\"\nrm -f \"$logs\"/.log.*{incoming}\n\
         {FORGET}}}\ntrap finish EXIT\ntrap 'exit 129' HUP\n\
         trap 'exit 143' TERM\ntrap 'exit 130' INT"
    );
    for Present { path, digest } in present {
        // a copy, since an earlier action may replace the original file
        let (path, copy) = (quote(path), format!("{INCOMING}/{}", quote(digest)));
        let _ =
            writeln!(script, "(umask 077; mkdir -p {INCOMING} && cp -- {path} {copy}) || exit 1");
        uploads.retain(|upload| upload.digest != *digest);
    }
    for upload in &uploads {
        // the run that this one waited for may have used the same upload and removed it
        let _ = writeln!(
            script,
            "[ -e {INCOMING}/{} ] || {{\nprintf '\\n%s missing\\n' {token}\nexit 1\n}}",
            quote(&upload.digest)
        );
    }
    let looked_at: BTreeSet<&String> =
        actions.iter().filter_map(|action| action.options.if_flag.as_ref()).collect();
    let set: BTreeSet<&String> =
        actions.iter().filter_map(|action| action.options.flag_on_change.as_ref()).collect();
    for flag in looked_at.iter().filter(|flag| flags.get(**flag) == Some(&Certainty::Will)) {
        let _ = writeln!(script, ": > \"$flags\"/{}", flag_file(flag));
    }
    let mut looked = BTreeSet::new();
    for run in runs(&parts, actions) {
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
        if run.start == 0 {
            let _ = writeln!(script, "printf '\\n%s begin 0\\n' {token}");
        }
        let together = run.len() > 1;
        script.push_str(if together { "(\nset -e\nbatch_begin\n" } else { "(\nset -e\n" });
        for number in run.clone() {
            parts[number].text = body(&mut script, actions, &parts[number], number, os)?;
            let next = match number + 1 < parts.len() {
                true => format!("\n{token} begin {}\n", number + 1),
                false => String::new(),
            };
            let say = if together { "batch_say" } else { "printf %s" };
            // a part's messages go out in one write with the beginning of the next part, since each
            // write wakes the reader
            let _ = writeln!(script, "{say} \"$told\"'\n{token} end {number} 0\n{next}'");
        }
        script.push_str(if together { "batch_end\n" } else { "" });
        let _ = writeln!(script, ") 2>&1 9>&-\nresult=$?");
        match together {
            true => script.push_str("[ \"$result\" -eq 0 ] || exit 1\n"),
            false => {
                let _ = writeln!(
                    script,
                    "[ \"$result\" -eq 0 ] || \
                        {{\nprintf '\\n%s end {} %s\\n' {token} \"$result\"\nexit 1\n}}",
                    run.start
                );
            }
        }
    }
    // remove flags that no later action reads
    for flag in looked_at.union(&set).filter(|flag| !later.contains(**flag)) {
        let _ = writeln!(script, "rm -f \"$flags\"/{}", flag_file(flag));
    }
    script.push_str(&applied(plan));
    if plan.mark_bootstrapped {
        let _ = writeln!(script, "mkdir -p /var/lib/pallet && : > {BOOTSTRAPPED}");
    }
    let _ = writeln!(script, "printf '\\n%s done\\n' {token}\nexit 0\n}} </dev/null");
    // root's ID needs no look-up
    let head = format!("{{\nuid={}\n{}\n", uid(user), library.part_for(&script));
    for part in &mut parts {
        part.text = part.text.start + head.len()..part.text.end + head.len();
    }
    let script = head + &script;
    Ok(Compiled { script, uploads, parts, agent })
}

/// Writes the commands of one part, which leave their messages in the variable `told`. Returns the
/// range of the commands in `script`.
fn body(
    script: &mut String,
    actions: &[PlannedAction],
    part: &Part,
    number: usize,
    os: &Os,
) -> Result<Range<usize>, ActionError> {
    let own = || part.actions.iter().map(|position| &actions[*position]);
    let changes: Vec<&Change> = own().filter_map(|action| action.change.as_ref()).collect();
    let PlannedAction { options, conditions, .. } = &actions[part.actions[0]];
    let body = match changes.as_slice() {
        [one] => one.script.clone(),
        several => packages::transaction(os.package_manager, &join(several))?,
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
    let tests: Vec<String> = flag.chain(conditions).collect();
    // a flag is set before the change, so that an abort between the two cannot lose it, and removed
    // again if nothing changed
    let flags = own().filter_map(|action| action.options.flag_on_change.as_ref());
    let (early, late): (Vec<_>, Vec<_>) =
        flags.partition(|flag| options.if_flag.as_ref() != Some(*flag));
    if !early.is_empty() {
        script.push_str("early=\n");
    }
    for flag in early.iter().map(|flag| flag_file(flag)) {
        let _ = writeln!(
            script,
            "[ -e \"$flags\"/{flag} ] || {{\n: > \"$flags\"/{flag}\nearly=\"$early {flag}\"\n}}"
        );
    }
    let start = script.len();
    match tests.is_empty() {
        true => script.push_str(body.as_str()),
        false => {
            let _ = writeln!(script, "if {}; then\n{}fi", tests.join(" && "), body.as_str());
        }
    }
    let text = start..script.len();
    let _ = writeln!(script, "[ -z \"$drift\" ] || told='\n'$token' drifted {number}\n'");
    script.push_str("if [ -n \"$change\" ]; then\n");
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
        let decided = action.options.if_flag.is_some() || !action.conditions.is_empty();
        decided || !action.change.as_ref().is_some_and(|change| change.script.is_of_one_file())
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

/// Records which actions were applied, so that a later run can detect drift. What is done for
/// another node is not part of this node's phases.
fn applied(plan: &PhasePlan) -> String {
    if plan.on_behalf_of.is_some() {
        return String::new();
    }
    let marks: String =
        plan.actions.iter().filter_map(|action| Some(action.mark.clone()? + "\n")).collect();
    let file = format!("{APPLIED}/{}", flag_file(&plan.phase));
    let into = if plan.continues { ">>" } else { ">" };
    format!(
        "if [ -w /var/lib/pallet ]; then\n[ -d {APPLIED} ] || mkdir -m 700 {APPLIED}\numask 077\n\
         printf %s {marks} {into}{file}\numask 022\nfi\n",
        marks = quote(&marks)
    )
}

/// Joins neighbouring package changes with the same package options into one part. Actions without
/// a change in between do not separate them; flags and conditions do.
fn group(actions: &[PlannedAction]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut open = None;
    for (position, action) in actions.iter().enumerate() {
        let Some(change) = &action.change else { continue };
        let options = &action.options;
        let plain = options.flag_on_change.is_none()
            && options.if_flag.is_none()
            && action.conditions.is_empty();
        let joins = change.packages.as_ref().filter(|_| plain).map(|packages| &packages.options);
        match parts.last_mut() {
            Some(part) if joins.is_some() && open == joins => part.actions.push(position),
            _ => parts.push(Part { actions: vec![position], text: 0..0 }),
        }
        open = joins;
    }
    parts
}

/// The uploads that these changes need, without duplicates.
fn uploads<'a>(changes: impl Iterator<Item = &'a Change>) -> Vec<Upload> {
    let mut uploads: Vec<Upload> = Vec::new();
    for upload in changes.flat_map(|change| &change.uploads) {
        if !uploads.iter().any(|known| known.digest == upload.digest) {
            uploads.push(upload.clone());
        }
    }
    uploads
}

/// Joins the transactions of these changes, which all have the same options.
fn join(changes: &[&Change]) -> PackageTransaction {
    let mut all = changes.iter().filter_map(|change| change.packages.clone());
    let mut joined = all.next().unwrap_or_default();
    all.for_each(|packages| joined.extend(packages));
    joined
}

#[cfg(test)]
mod tests;
