//! Files on this machine, by directory handles: how untrusted content is written, and how files are
//! replaced atomically.

mod atomic;
mod beside;
mod bounded;
mod mode;
mod private;
mod walk;

pub use atomic::{remove_leftovers, write_atomically};
pub(crate) use beside::{Beside, remove_dead};
pub(crate) use bounded::Bounded;
pub(crate) use mode::set_mode;
pub use private::{write_private, write_public};
pub(crate) use walk::{Walk, entries, kind, open, open_in};
