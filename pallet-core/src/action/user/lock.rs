//! Locks or unlocks the password of a user.

use super::User;
use crate::action::claims::Account;
use crate::action::{ActionError, Change};
use crate::model::Known;
use crate::observe::{NodeState, UserState};
use crate::script::Script;

impl User {
    pub(super) fn plan_lock(
        &self,
        node: &mut NodeState,
        lock: bool,
    ) -> Result<Option<Change>, ActionError> {
        let (summary, call) = if lock {
            ("lock password", "ensure_locked")
        } else {
            ("unlock password", "ensure_unlocked")
        };
        let script = Script::new().call([call, &self.name]);
        let (change, state) = match node.user(&self.name).cloned() {
            Known::Known(None) => return Err(Account::User(self.name.clone()).missing()),
            Known::Known(Some(state)) if state.locked == Some(lock) => return Ok(None),
            Known::Known(Some(state)) if state.locked.is_some() => {
                (Change::will(summary, script), state)
            }
            Known::Known(Some(state)) => (Change::may(summary, script), state),
            Known::Unknown => (Change::may(summary, script), UserState::default()),
        };
        node.set_user(&self.name, Some(UserState { locked: Some(lock), ..state }));
        Ok(Some(change))
    }
}
