//! How much of the output of an action a journal keeps: it may never end, and the disk does.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::engine::{Event, Record};

/// How many bytes of an action's output are kept.
const MOST: usize = 10 << 20;

/// The output of each node's latest action that was kept so far.
#[derive(Default)]
pub(super) struct KeptOutput(BTreeMap<String, Kept>);

struct Kept {
    phase: String,
    action: String,
    bytes: usize,
}

impl KeptOutput {
    /// What is kept of a record, if anything is.
    pub(super) fn of<'a>(&mut self, record: &'a Record) -> Option<Cow<'a, Record>> {
        let Event::Output { node, phase, action, line } = &record.event else {
            return Some(Cow::Borrowed(record));
        };
        let new = || Kept { phase: phase.clone(), action: action.clone(), bytes: 0 };
        let kept = self.0.entry(node.clone()).or_insert_with(new);
        if kept.phase != *phase || kept.action != *action {
            *kept = new();
        }
        let before = kept.bytes;
        kept.bytes = before.saturating_add(line.len() + 1);
        match (before > MOST, kept.bytes > MOST) {
            (false, false) => Some(Cow::Borrowed(record)),
            (true, _) => None,
            (false, true) => {
                let mut record = record.clone();
                if let Event::Output { line, .. } = &mut record.event {
                    *line = format!("... all after {} MiB is left out", MOST >> 20);
                }
                Some(Cow::Owned(record))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn output_without_end_is_not_kept_to_its_end() {
        let mut output = KeptOutput::default();
        let mut kept = |node: &str, action: &str, line: &str| {
            let (node, phase) = (node.to_owned(), "configure".to_owned());
            let (action, line) = (action.to_owned(), line.to_owned());
            let event = Event::Output { node, phase, action, line };
            let record =
                Record { operation: String::new(), sequence: 1, time: SystemTime::now(), event };
            output.of(&record).map(|record| match record.into_owned().event {
                Event::Output { line, .. } => line.len(),
                _ => 0,
            })
        };
        let long = "y".repeat(4 << 20);
        assert_eq!(kept("web-1", "exec a", &long), Some(4 << 20));
        assert_eq!(kept("web-2", "exec a", &long), Some(4 << 20));
        assert_eq!(kept("web-1", "exec a", &long), Some(4 << 20));
        assert_eq!(kept("web-1", "exec a", &long), Some("... all after 10 MiB is left out".len()));
        assert_eq!(kept("web-1", "exec a", "y"), None);
        assert_eq!(kept("web-2", "exec a", "y"), Some(1));
        assert_eq!(kept("web-1", "exec b", "y"), Some(1));
    }
}
