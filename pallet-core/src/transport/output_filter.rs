//! Tells the output of a script from what comes before and after it.

use super::markers::MARKER;

/// How much of what stands before the marker is kept to explain why none came.
pub(super) const NOISE: usize = 64 * 1024;
/// How much may stand before the marker.
const FLOOD: usize = 1 << 20;

/// Lets through what comes after the marker, but for what is said at the end.
#[derive(Default)]
pub(super) struct OutputFilter {
    /// The marker has come.
    pub(super) open: bool,
    /// What came before it, or the end of that.
    pub(super) noise: Vec<u8>,
    /// How much came before the marker.
    before: usize,
    /// What is said at the end, before the exit code.
    end: Vec<u8>,
    /// What may be the beginning of it, or what comes after it.
    held: Vec<u8>,
    ended: bool,
    /// The exit code that was said at the end.
    pub(super) code: Option<i32>,
}

impl OutputFilter {
    pub(super) fn new(end: Option<&str>) -> Self {
        OutputFilter { end: end.unwrap_or_default().into(), ..OutputFilter::default() }
    }

    /// Whether more came before the marker than may.
    pub(super) fn is_flooded(&self) -> bool {
        !self.open && self.before > FLOOD
    }

    pub(super) fn pass(&mut self, bytes: &[u8], to: &mut dyn FnMut(&[u8])) {
        if self.open {
            return self.pass_to_the_end(bytes, to);
        }
        self.before += bytes.len();
        self.noise.extend_from_slice(bytes);
        if let Some(at) =
            self.noise.windows(MARKER.len()).position(|window| window == MARKER.as_bytes())
        {
            self.open = true;
            let rest = self.noise.split_off(at + MARKER.len());
            self.pass_to_the_end(&rest, to);
        } else if self.noise.len() > NOISE {
            self.noise.drain(..self.noise.len() - NOISE / 2);
        }
    }

    fn pass_to_the_end(&mut self, bytes: &[u8], to: &mut dyn FnMut(&[u8])) {
        if bytes.is_empty() {
            return;
        }
        if self.end.is_empty() || self.code.is_some() {
            return to(bytes);
        }
        self.held.extend_from_slice(bytes);
        if !self.ended {
            let end = self.end.as_slice();
            // where the whole of it stands, or at the very end of what has come, its beginning
            let found = (0..self.held.len()).filter(|at| self.held[*at] == end[0]).find(|at| {
                let rest = &self.held[*at..];
                rest.starts_with(end) || end.starts_with(rest)
            });
            let at = found.unwrap_or(self.held.len());
            if at > 0 {
                to(&self.held[..at]);
                self.held.drain(..at);
            }
            self.ended = self.held.starts_with(end);
            if self.ended {
                self.held.drain(..end.len());
            }
        }
        if self.ended
            && let Some(at) = self.held.iter().position(|byte| *byte == b'\n')
        {
            self.code = Some(String::from_utf8_lossy(&self.held[..at]).trim().parse().unwrap_or(1));
            let rest = self.held.split_off(at + 1);
            self.held.clear();
            if !rest.is_empty() {
                to(&rest);
            }
        }
    }

    /// Lets through what was held back.
    pub(super) fn flush(&mut self, to: &mut dyn FnMut(&[u8])) {
        if !self.ended && !self.held.is_empty() {
            to(&std::mem::take(&mut self.held));
        }
    }
}
