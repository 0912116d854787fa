//! Files of this machine by handles of directories: what comes from elsewhere is written so, and
//! what is written takes its place at once.

mod atomic;
mod beside;
mod bounded;
mod walk;

pub use atomic::{remove_leftovers, write_atomically};
pub(crate) use beside::{Beside, remove_dead};
pub(crate) use bounded::Bounded;
pub(crate) use walk::{Walk, entries, kind, open, open_in};
