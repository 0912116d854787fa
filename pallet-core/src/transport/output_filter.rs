//! Separates the output of a script from whatever comes before and after it.

use super::markers::MARKER;

/// How many bytes before the marker are kept, to explain a missing marker.
pub(super) const NOISE: usize = 64 * 1024;
/// How many bytes may come before the marker.
const FLOOD: usize = 1 << 20;

/// Passes on what follows the marker, without the end line.
#[derive(Default)]
pub(super) struct OutputFilter {
    /// Whether the marker has arrived.
    pub(super) open: bool,
    /// The bytes before the marker, or the last of them.
    pub(super) noise: Vec<u8>,
    /// The number of bytes before the marker.
    before: usize,
    /// The start of the end line, before the exit code.
    end: Vec<u8>,
    /// Bytes that may be the start of the end line, or that follow it.
    held: Vec<u8>,
    ended: bool,
    /// The exit code from the end line.
    pub(super) code: Option<i32>,
}

impl OutputFilter {
    pub(super) fn new(end: Option<&str>) -> Self {
        OutputFilter { end: end.unwrap_or_default().into(), ..OutputFilter::default() }
    }

    /// Whether too many bytes came before the marker.
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
            // the whole end line, or the start of it at the end of the data so far
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

    /// Passes on the bytes that were held back.
    pub(super) fn flush(&mut self, to: &mut dyn FnMut(&[u8])) {
        if !self.ended && !self.held.is_empty() {
            to(&std::mem::take(&mut self.held));
        }
    }
}
