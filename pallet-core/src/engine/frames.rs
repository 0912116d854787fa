//! Reads what an applying script prints: which part begins, what it prints, whether it changed anything, how it ended.

/// What one line of the script's output means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    /// A part begins.
    Begin(usize),
    /// A part says that it changed something.
    Changed(usize),
    /// A part says that it kept what was changed by hand.
    Drifted(usize),
    /// A part ended with this code.
    End(usize, i32),
    /// Another operation is changing the node; the script waits for it.
    Waiting,
    /// The whole script ran to its end.
    Done,
    /// A line that a command of the current part printed.
    Line(String),
}

/// Splits output that comes in pieces into frames.
#[derive(Debug)]
pub(super) struct Frames {
    token: String,
    rest: Vec<u8>,
    /// The framing prints an empty line before each of its own: one is owed.
    blank: bool,
}

impl Frames {
    pub(super) fn new(token: &str) -> Self {
        Frames { token: token.to_owned(), rest: Vec::new(), blank: false }
    }

    /// Takes a piece of output and gives the frames that it completes.
    pub(super) fn push(&mut self, piece: &[u8]) -> Vec<Frame> {
        self.rest.extend_from_slice(piece);
        let mut frames = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            self.line(&String::from_utf8_lossy(&line[..end]), &mut frames);
        }
        frames
    }

    fn line(&mut self, line: &str, frames: &mut Vec<Frame>) {
        let frame = line.strip_prefix(&self.token).and_then(|rest| parse(rest.trim_start()));
        match frame {
            Some(frame) => {
                self.blank = false;
                frames.push(frame);
            }
            None => {
                if std::mem::take(&mut self.blank) {
                    frames.push(Frame::Line(String::new()));
                }
                if line.is_empty() {
                    self.blank = true;
                } else {
                    frames.push(Frame::Line(line.to_owned()));
                }
            }
        }
    }
}

fn parse(text: &str) -> Option<Frame> {
    let mut words = text.split(' ');
    let frame = match (words.next()?, words.next().map(str::parse), words.next().map(str::parse)) {
        ("begin", Some(Ok(part)), None) => Frame::Begin(part),
        ("changed", Some(Ok(part)), None) => Frame::Changed(part),
        ("drifted", Some(Ok(part)), None) => Frame::Drifted(part),
        ("end", Some(Ok(part)), Some(Ok(code))) => Frame::End(part, code),
        ("waiting", None, None) => Frame::Waiting,
        ("done", None, None) => Frame::Done,
        _ => return None,
    };
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_in_any_pieces_gives_the_same_frames() {
        let output = b"\nT begin 0\nhello\n\nworld\nno newline\nT changed 0\n\nT end 0 7\n\nT done\n";
        let wanted = [
            Frame::Begin(0),
            Frame::Line("hello".into()),
            Frame::Line(String::new()),
            Frame::Line("world".into()),
            Frame::Line("no newline".into()),
            Frame::Changed(0),
            Frame::End(0, 7),
            Frame::Done,
        ];
        for size in [1, 3, output.len()] {
            let mut frames = Frames::new("T");
            let seen: Vec<_> = output.chunks(size).flat_map(|piece| frames.push(piece)).collect();
            assert_eq!(seen, wanted, "in pieces of {size}");
        }
    }

    #[test]
    fn what_only_looks_like_a_frame_is_a_line() {
        assert_eq!(Frames::new("T").push(b"T end x\n"), [Frame::Line("T end x".into())]);
    }
}
