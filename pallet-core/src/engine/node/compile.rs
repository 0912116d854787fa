//! Compiles the changes of one phase on one node into one script.

mod blocks;
mod parts;
mod record;
mod turns;

use std::collections::BTreeSet;
use std::fmt::Write;

pub(in crate::engine) use parts::Part;

use self::turns::Turns;
use super::phase_plan::{PhasePlan, PlannedAction, Present};
use crate::action::{ActionError, Certainty, Change, Upload};
use crate::script::{FLAGS, Library, flag_file, quote};

/// The directory of uploads on a node; each is named by its digest.
pub(in crate::engine) const INCOMING: &str = "/var/lib/pallet/incoming";

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

/// A script that removes what killed runs left behind, and these flags, unless another operation is
/// changing the node right now.
pub(in crate::engine) fn cleaning(
    library: &Library<'_>,
    user: &str,
    flags: &BTreeSet<&String>,
) -> String {
    let flags: String =
        flags.iter().map(|flag| format!("rm -f \"$flags\"/{}\n", flag_file(flag))).collect();
    let script = format!(
        "incoming={INCOMING}\nflags={FLAGS}\ntemporaries=/var/lib/pallet/temporaries\n\
         command -v flock >/dev/null 2>&1 || exit 0\n\
         exec 9>>/var/lib/pallet/lock\nflock -n 9 || exit 0\nclean_leftovers\n{flags}exit 0\n\
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
    let PhasePlan { flags, user, present, actions, .. } = plan;
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
    for flag in looked_at.iter().filter(|flag| flags.get(**flag) == Some(&Certainty::Will)) {
        let _ = writeln!(script, ": > \"$flags\"/{}", flag_file(flag));
    }
    let turns = Turns::of(plan);
    turns.begin(&mut script);
    parts::run(&mut script, plan, token, &mut parts, &turns)?;
    record::forget_flags(&mut script, plan, &parts, &turns);
    record::applied(&mut script, plan, &parts);
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

/// Joins neighbouring package changes with the same package options into one part. Actions without
/// a change in between do not separate them; flags, conditions and blocks do.
fn group(actions: &[PlannedAction]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut open = None;
    for (position, action) in actions.iter().enumerate() {
        let Some(change) = &action.change else { continue };
        let options = &action.options;
        let plain = options.flag_on_change.is_none()
            && options.if_flag.is_none()
            && options.timeout.is_none()
            && !blocks::may_go_on(action)
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

#[cfg(test)]
mod tests;
