//! Protects the reading of archives from names that fill the memory: the library reads names that
//! are longer than a header as a whole.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// How many bytes there may be between the contents of two entries: headers, and names that are too
/// long for them.
const BETWEEN: u64 = 1 << 20;

/// The reader of an archive, with a limit.
pub(crate) struct Bounded<R> {
    reader: R,
    left: Bound,
}

/// The limit, switched by the caller.
#[derive(Clone)]
pub(crate) struct Bound(Rc<Cell<Option<u64>>>);

impl Bound {
    /// Limits what is read next: the header of an entry.
    pub(crate) fn between(&self) {
        self.0.set(Some(BETWEEN));
    }

    /// Lifts the limit: the content of an entry follows.
    pub(crate) fn content(&self) {
        self.0.set(None);
    }
}

impl<R: Read> Bounded<R> {
    pub(crate) fn new(reader: R) -> (Self, Bound) {
        let bound = Bound(Rc::new(Cell::new(Some(BETWEEN))));
        (Bounded { reader, left: bound.clone() }, bound)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left.0.get() else { return self.reader.read(buffer) };
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other("the archive has a name that is longer than any"));
        }
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = self.reader.read(&mut buffer[..most])?;
        self.left.0.set(Some(left - count as u64));
        Ok(count)
    }
}
