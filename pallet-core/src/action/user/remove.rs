//! Removes a user.

use super::User;
use crate::action::Change;
use crate::model::Known;
use crate::observe::{NodeState, UserState};
use crate::script::Script;

impl User {
    pub(super) fn plan_remove(&self, node: &mut NodeState) -> Option<Change> {
        let home = if self.remove_home { "with its home" } else { "" };
        let script = Script::new().call(
            ["ensure_no_user", &self.name, home].into_iter().chain(self.force.then_some("force")),
        );
        let change = match node.user(&self.name) {
            Known::Known(None) => return None,
            Known::Known(Some(_)) => Change::will("remove user", script),
            Known::Unknown => Change::may("ensure there is no such user", script),
        };
        // its files no longer have a named owner, and the user's own group is removed too
        let home = match node.user(&self.name) {
            Known::Known(Some(UserState { home: Some(home), .. })) => home.clone(),
            _ => format!("/home/{}", self.name),
        };
        node.forget_owner(&self.name);
        node.forget_membership(&self.name);
        if !matches!(node.group(&self.name), Known::Known(None)) {
            node.forget_group(&self.name);
        }
        let name = &self.name;
        let spools =
            ["/var/mail", "/var/spool/mail", "/var/spool/cron", "/var/spool/cron/crontabs"];
        spools.iter().for_each(|spool| node.forget_files_below(&format!("{spool}/{name}")));
        if self.remove_home {
            node.forget_files_below(&home);
        }
        if self.force {
            // the user's processes end
            node.forget_services();
        }
        node.set_user(&self.name, None);
        Some(change)
    }
}
