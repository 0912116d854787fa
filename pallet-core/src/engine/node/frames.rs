//! Parses the output of an apply script: where each part begins, what it prints, whether it changed
//! anything, and how it ended.

use crate::engine::excerpt::{Lines, Piece};

/// The meaning of one line of the script's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) enum Frame {
    /// The part with this number begins.
    Begin(usize),
    /// The part changed something.
    Changed(usize),
    /// The part kept a change made by hand.
    Drifted(usize),
    /// The part ended with this exit code.
    End(usize, i32),
    /// What failed in the block with this number was rescued.
    Rescued(usize),
    /// Why the script is about to fail.
    Reason(String),
    /// The script waits for another operation that is changing the node.
    Waiting,
    /// An upload is missing on the node; nothing was changed.
    Missing,
    /// The script ran to its end.
    Done,
    /// A line that a command of the current part printed, or a piece of a long line.
    Line {
        /// The text, without the line end.
        text: String,
        /// It is the beginning of the line.
        begins: bool,
        /// It is the end of the line.
        ends: bool,
    },
}

/// Splits arriving output into frames.
#[derive(Debug)]
pub(in crate::engine) struct Frames {
    token: String,
    lines: Lines,
    /// An empty line is held back: the script prints one before each frame line.
    blank: bool,
}

impl Frames {
    pub(in crate::engine) fn new(token: &str) -> Self {
        Frames { token: token.to_owned(), lines: Lines::default(), blank: false }
    }

    /// Takes output, and passes on the frames that it completes.
    pub(in crate::engine) fn push(&mut self, read: &[u8], give: &mut dyn FnMut(Frame)) {
        let Frames { token, lines, blank } = self;
        lines.push(read, &mut |piece| take(token, blank, piece, give));
    }

    /// Passes on the rest of a line without a line end.
    pub(in crate::engine) fn end(&mut self, give: &mut dyn FnMut(Frame)) {
        let Frames { token, lines, blank } = self;
        lines.end(&mut |piece| take(token, blank, piece, give));
    }
}

fn take(token: &str, blank: &mut bool, piece: Piece<'_>, give: &mut dyn FnMut(Frame)) {
    let whole = piece.begins && piece.ends;
    match piece.text.strip_prefix(token).filter(|_| whole).and_then(|rest| parse(rest.trim_start()))
    {
        Some(frame) => {
            *blank = false;
            give(frame);
        }
        None => {
            let Piece { text, begins, ends } = piece;
            if std::mem::take(blank) {
                give(Frame::Line { text: String::new(), begins: true, ends: true });
            }
            if text.is_empty() && whole {
                *blank = true;
            } else {
                give(Frame::Line { text: text.to_owned(), begins, ends });
            }
        }
    }
}

fn parse(text: &str) -> Option<Frame> {
    if let Some(reason) = text.strip_prefix("reason ") {
        return Some(Frame::Reason(reason.to_owned()));
    }
    let mut words = text.split(' ');
    let frame = match (words.next()?, words.next().map(str::parse), words.next().map(str::parse)) {
        ("begin", Some(Ok(part)), None) => Frame::Begin(part),
        ("changed", Some(Ok(part)), None) => Frame::Changed(part),
        ("drifted", Some(Ok(part)), None) => Frame::Drifted(part),
        ("rescued", Some(Ok(block)), None) => Frame::Rescued(block),
        ("end", Some(Ok(part)), Some(Ok(code))) => Frame::End(part, code),
        ("waiting", None, None) => Frame::Waiting,
        ("missing", None, None) => Frame::Missing,
        ("done", None, None) => Frame::Done,
        _ => return None,
    };
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Frame {
        Frame::Line { text: text.to_owned(), begins: true, ends: true }
    }

    fn frames<'a>(token: &str, output: impl IntoIterator<Item = &'a [u8]>) -> Vec<Frame> {
        let (mut frames, mut seen) = (Frames::new(token), Vec::new());
        output.into_iter().for_each(|read| frames.push(read, &mut |frame| seen.push(frame)));
        frames.end(&mut |frame| seen.push(frame));
        seen
    }

    #[test]
    fn output_in_any_pieces_gives_the_same_frames() {
        let output = b"\nT begin 0\nhello\n\nworld\nno newline\nT changed 0\n\n\
            T reason the disk is full\n\nT end 0 7\n\nT done\n";
        let wanted = [
            Frame::Begin(0),
            line("hello"),
            line(""),
            line("world"),
            line("no newline"),
            Frame::Changed(0),
            Frame::Reason("the disk is full".to_owned()),
            Frame::End(0, 7),
            Frame::Done,
        ];
        for size in [1, 3, output.len()] {
            assert_eq!(frames("T", output.chunks(size)), wanted, "in pieces of {size}");
        }
    }

    #[test]
    fn what_only_looks_like_a_frame_is_a_line() {
        assert_eq!(frames("T", [b"T end x\n".as_slice()]), [line("T end x")]);
    }

    #[test]
    fn a_line_without_end_is_never_held_as_a_whole() {
        let mut frames = Frames::new("T");
        let (mut most, mut all) = (0, 0);
        for _ in 0..1000 {
            frames.push(&[b'x'; 32 << 10], &mut |frame| {
                let Frame::Line { text, .. } = frame else { panic!("{frame:?}") };
                most = most.max(text.len());
                all += text.len();
            });
        }
        frames.push(b"\nT done\n", &mut |frame| match frame {
            Frame::Line { text, begins: false, ends: true } => all += text.len(),
            frame => assert_eq!(frame, Frame::Done),
        });
        assert!(most <= 64 << 10 && all == 1000 * (32 << 10), "{most} {all}");
    }
}
