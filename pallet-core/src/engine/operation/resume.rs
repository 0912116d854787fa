//! Goes on where an interrupted operation was.

use super::event::Event;
use super::member::Interrupted;
use super::options::{DoneAction, LiftOptions};
use super::run::Operation;
use crate::engine::selection::shortened;
use crate::engine::spec::{DRAIN, UNDRAIN};
use crate::engine::{Engine, EngineError};
use crate::model::Node;

impl Engine {
    /// Reports which operation is resumed, if one is.
    pub(in crate::engine) fn tell_resumed(&self, options: &LiftOptions) {
        if let Some(resume) = &options.resume {
            self.tell(Event::Resumed { resumes: resume.operation.clone() });
        }
    }
}

impl Operation {
    /// Leaves out the nodes that the interrupted operation finished, and tells those that it began
    /// what it did on them.
    pub(super) fn take_up(&mut self) {
        let Some(resume) = self.resume.clone() else { return };
        let mut skipped = Vec::new();
        for member in &mut self.members {
            let Node { id, connection, .. } = &member.session.node;
            // at another address there may be another machine, so what is there is looked at
            let is_done = resume
                .done
                .get(id)
                .is_some_and(|before| before.is_none() || *before == connection.address());
            if is_done {
                skipped.push(member.name().to_owned());
                member.skip();
            } else if let Some(actions) = resume.actions.get(id) {
                // nobody knows whether the node is out of service as far as it was
                let done = |action: &&DoneAction| ![DRAIN, UNDRAIN].contains(&&*action.phase);
                let actions = actions.iter().filter(done).cloned().collect();
                member.before = Some(Interrupted { actions });
            }
        }
        if !skipped.is_empty() {
            let names: Vec<_> = skipped.iter().map(String::as_str).collect();
            let message = format!("already done by the resumed operation: {}", shortened(&names));
            let level = "info".to_owned();
            self.engine.tell(Event::Message { node: None, level, message });
        }
    }

    /// Refuses to go on if local files have changed since the interruption.
    pub(super) fn check_files(&self) -> Result<(), EngineError> {
        let Some(resume) = self.resume.as_ref().filter(|resume| !resume.anyway) else {
            return Ok(());
        };
        let has_changed = |(path, digest): &(&String, &String)| {
            resume.files.get(*path).is_some_and(|before| before != *digest)
        };
        let changed = self.files.iter().filter(has_changed).map(|(path, _)| path.as_str());
        let changed: Vec<_> = changed.collect();
        if changed.is_empty() {
            return Ok(());
        }
        Err(EngineError::Refused(format!(
            "operation {} cannot be resumed: {} changed since; run a new operation, or resume it \
             with --resume-anyway",
            resume.operation,
            shortened(&changed)
        )))
    }
}
