//! An archive of which no name fills the memory: the library reads names that are longer than a
//! header as a whole.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// So much in bytes may stand between the content of one entry and that of the next: headers, and
/// what is too long for them.
const BETWEEN: u64 = 1 << 20;

/// What an archive is read from.
pub(crate) struct Bounded<R> {
    reader: R,
    left: Bound,
}

/// Tells what is read now.
#[derive(Clone)]
pub(crate) struct Bound(Rc<Cell<Option<u64>>>);

impl Bound {
    /// The next entry is looked for.
    pub(crate) fn between(&self) {
        self.0.set(Some(BETWEEN));
    }

    /// Its content is read.
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
