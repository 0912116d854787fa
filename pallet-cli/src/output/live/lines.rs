//! The state of an operation as lines.

use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthStr;

use super::state::{Node, State};
use crate::terminal::visible;

/// Up to this many nodes have a line of their own.
const NODES: usize = 12;
/// What is estimated earlier is wrong.
const EARLIEST: Duration = Duration::from_secs(3);
/// How many nodes are named of those that are being waited for.
const WAITED: usize = 5;

impl State {
    /// The lines to show.
    pub(super) fn lines(&self, now: Instant) -> Vec<String> {
        let mut lines = match (self.nodes.len() <= NODES, self.phases.is_empty()) {
            (true, _) => self.node_lines(now),
            (false, true) => Vec::new(),
            (false, false) => self.phase_lines(now),
        };
        lines.push(self.last_line(now));
        lines
    }

    /// A line for each node that is not done, with a column for each phase.
    fn node_lines(&self, now: Instant) -> Vec<String> {
        let open: Vec<&Node> = self.nodes.values().filter(|node| !node.ended).collect();
        let mut rows = Vec::new();
        if !self.phases.is_empty() {
            let names = self.phases.iter().map(|phase| visible(&phase.name).into_owned());
            rows.push([String::new()].into_iter().chain(names).collect::<Vec<_>>());
        }
        for node in &open {
            let mut row = vec![visible(&node.name).into_owned()];
            for at in 0..self.phases.len() {
                row.push(match node.cells.get(&at) {
                    Some(&"running") => format!("{}/{}", node.done, node.actions),
                    Some(cell) => (*cell).to_owned(),
                    None => "·".to_owned(),
                });
            }
            row.push(node.doing(now));
            rows.push(row);
        }
        if open.is_empty() { Vec::new() } else { aligned(rows) }
    }

    /// A line for each phase, with counts and the node that takes longest.
    fn phase_lines(&self, now: Instant) -> Vec<String> {
        let titles = ["", "NODES", "CHANGED", "FAILED", "SLOWEST"].map(str::to_owned).to_vec();
        let mut rows = vec![titles];
        for (at, phase) in self.phases.iter().enumerate() {
            let running = self.nodes.values().filter(|node| node.runs(at));
            let slowest = running.min_by_key(|node| node.phase.map(|(_, since)| since));
            let slowest = slowest.map(|node| {
                let (name, doing) = (visible(&node.name), node.doing(now));
                if doing.is_empty() { name.into_owned() } else { format!("{name}: {doing}") }
            });
            rows.push(vec![
                visible(&phase.name).into_owned(),
                format!("{}/{}", phase.finished, phase.nodes),
                phase.changed.to_string(),
                phase.failed.to_string(),
                slowest.unwrap_or_default(),
            ]);
        }
        aligned(rows)
    }

    /// Counts and times.
    pub(super) fn last_line(&self, now: Instant) -> String {
        let elapsed = now.duration_since(self.began);
        let ended = self.nodes.values().filter(|node| node.ended).count();
        let failed = self.nodes.values().filter(|node| node.failed).count();
        let mut parts = vec![format!("{} elapsed", clock(elapsed))];
        if let Some(left) = self.left(now) {
            parts.push(format!("about {} left", clock(left)));
        }
        if let Some((wave, waves)) = self.wave {
            parts.push(format!("wave {wave} of {waves}"));
        }
        let total = self.nodes.len();
        if self.phases.is_empty() {
            parts.push(format!("{} of {total} nodes reached", self.connected.min(total)));
        }
        if ended > 0 {
            parts.push(format!("{ended} of {total} nodes done"));
        }
        if failed > 0 {
            parts.push(format!("{failed} failed"));
        }
        parts.join(", ")
    }

    /// How long it may take from now on.
    fn left(&self, now: Instant) -> Option<Duration> {
        let spent = now.duration_since(self.phases_began?);
        let total: usize = self.phases.iter().map(|phase| phase.nodes).sum();
        let finished: usize = self.phases.iter().map(|phase| phase.finished).sum();
        let running = self.nodes.values().filter(|node| node.phase.is_some() && node.actions > 0);
        let parts: f64 = running.map(|node| node.done as f64 / node.actions as f64).sum();
        let share = (finished as f64 + parts.max(0.0)) / total.max(1) as f64;
        (spent >= EARLIEST && share > 0.05 && share < 1.0)
            .then(|| spent.mul_f64((1.0 - share) / share))
    }

    pub(super) fn waits_for(&self, now: Instant) -> Option<String> {
        let open = self.nodes.values().filter(|node| !node.ended && !node.doing(now).is_empty());
        let mut open: Vec<&Node> = open.collect();
        open.sort_by_key(|node| node.phase.map(|(_, since)| since));
        let told = open.iter().take(WAITED);
        let told: Vec<_> =
            told.map(|node| format!("{} ({})", visible(&node.name), node.doing(now))).collect();
        let more = match open.len().saturating_sub(WAITED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!told.is_empty()).then(|| format!("{}{more}", told.join(", ")))
    }
}

impl Node {
    fn runs(&self, phase: usize) -> bool {
        self.phase.is_some_and(|(at, _)| at == phase)
    }

    /// What it does, and for how long.
    fn doing(&self, now: Instant) -> String {
        let since = self.phase.map(|(_, since)| now.duration_since(since).as_secs());
        match (self.now.is_empty(), since.filter(|seconds| *seconds > 0)) {
            (true, None) => String::new(),
            (false, None) => self.now.clone(),
            (true, Some(seconds)) => format!("{seconds} s"),
            (false, Some(seconds)) => format!("{}, {seconds} s", self.now),
        }
    }
}

/// Rows with cells of equal width.
fn aligned(rows: Vec<Vec<String>>) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{:1$}", "", width.saturating_sub(cell.width())));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Minutes and seconds: `1:05`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use pallet_core::engine::{Event, PhaseNodes};

    use super::*;

    fn started(node: &str, phase: &str) -> Event {
        Event::PhaseStarted { node: node.to_owned(), phase: phase.to_owned(), actions: 4 }
    }

    fn finished(node: &str, phase: &str, changes: usize, ok: bool) -> Event {
        let (node, phase) = (node.to_owned(), phase.to_owned());
        Event::PhaseFinished { node, phase, changes, ok }
    }

    fn state(count: usize, now: Instant) -> State {
        let nodes: Vec<String> = (1..=count).map(|number| format!("web-{number}")).collect();
        let mut state = State::new(&nodes, now);
        let phases = [("configure", count), ("restart", count)];
        let phases = phases.map(|(phase, nodes)| PhaseNodes { phase: phase.to_owned(), nodes });
        state.take(&Event::Phases { phases: phases.to_vec() }, now);
        state
    }

    #[test]
    fn few_nodes_have_a_line_each() {
        let now = Instant::now();
        let mut state = state(3, now);
        state.take(&started("web-1", "configure"), now);
        let action = Event::ActionStarted {
            node: "web-1".to_owned(),
            phase: "configure".to_owned(),
            action: "package nginx\u{1b}[31m".to_owned(),
        };
        state.take(&action, now);
        let output = Event::Output {
            node: "web-1".to_owned(),
            phase: "configure".to_owned(),
            action: "exec \u{1b}]52;c;x\u{7}".to_owned(),
            line: "\u{1b}[2J".to_owned(),
        };
        state.take(&output, now);
        assert!(!state.lines(now).concat().contains('\u{1b}'));
        state.take(&action, now);
        state.take(&started("web-2", "configure"), now);
        state.take(&finished("web-2", "configure", 2, true), now);
        state.take(&started("web-3", "configure"), now);
        state.take(&finished("web-3", "configure", 0, false), now);
        expect_test::expect![[r#"
                   configure  restart
            web-1  0/4        ·        package nginx\u{1b}[31m
            web-2  changed    ·
            web-3  failed     ·
            0:00 elapsed, 1 failed"#]]
        .assert_eq(&state.lines(now).join("\n"));
    }

    #[test]
    fn many_nodes_are_counted() {
        let now = Instant::now();
        let mut state = state(200, now);
        for number in 1..=60 {
            state.take(&started(&format!("web-{number}"), "configure"), now);
        }
        for number in 1..=50 {
            state.take(
                &finished(&format!("web-{number}"), "configure", number % 2, number > 2),
                now,
            );
        }
        let later = now + Duration::from_secs(10);
        let lines = state.lines(later);
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert_eq!(lines[1], "configure  50/200  25       2       web-51: 10 s");
        assert_eq!(lines[2], "restart    0/200   0        0");
        // an eighth is done
        assert_eq!(lines[3], "0:10 elapsed, about 1:10 left, 2 failed");
        let waits = state.waits_for(later).unwrap();
        assert!(waits.starts_with("web-51 (10 s), "), "{waits}");
        assert!(waits.ends_with(" and 5 more"), "{waits}");
    }
}
