//! Channels that the server opens to this machine's ssh agent. libssh2 supports them but the `ssh2`
//! package does not, so this module calls the C functions directly. `agent_forward` handles the
//! data.
//!
//! Why this is sound: libssh2 frees a channel only with its session, or in `close`. Each channel
//! here holds its session, so it cannot outlive it. Channels and the callback are used only under
//! the session's lock: `Session::raw` takes the lock, and libssh2 calls the callback only from
//! calls that hold it. The callback's context is removed from the session before it is dropped.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, PoisonError};

use libssh2_sys as raw;
use ssh2::{Error, ErrorCode, Session};

/// `LIBSSH2_CALLBACK_AUTHAGENT`.
const OPENED: c_int = 7;

/// `LIBSSH2_AUTHAGENT_FUNC`: called for each opened channel. The last argument points to the
/// session's context pointer.
type Opened =
    unsafe extern "C" fn(*mut raw::LIBSSH2_SESSION, *mut raw::LIBSSH2_CHANNEL, *mut *mut c_void);

unsafe extern "C" {
    fn libssh2_session_callback_set2(
        session: *mut raw::LIBSSH2_SESSION,
        kind: c_int,
        callback: Option<Opened>,
    ) -> Option<Opened>;
}

/// A channel that is not freed.
struct Raw(NonNull<raw::LIBSSH2_CHANNEL>);

// SAFETY: a channel is not bound to a thread, and is used only under the session's lock
unsafe impl Send for Raw {}

type Arrived = Mutex<Vec<Raw>>;

/// Accepts channels that the server opens to the agent. Without a door, libssh2 refuses them.
pub(super) struct Door {
    session: Session,
    arrived: Arc<Arrived>,
}

impl Door {
    pub(super) fn open(session: &Session) -> Self {
        let arrived = Arc::new(Arrived::default());
        let door = Door { session: session.clone(), arrived };
        door.hang(Arc::as_ptr(&door.arrived).cast_mut().cast(), Some(opened));
        door
    }

    /// Sets the callback and its context in the session, or removes both.
    fn hang(&self, context: *mut c_void, callback: Option<Opened>) {
        let mut session = self.session.raw();
        // SAFETY: the session is locked; only a login uses this context pointer for anything else,
        // and the login is complete
        unsafe {
            *raw::libssh2_session_abstract(&raw mut *session) = context;
            libssh2_session_callback_set2(&raw mut *session, OPENED, callback);
        }
    }

    /// The number of channels that wait to be taken.
    pub(super) fn waiting(&self) -> usize {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes the waiting channels.
    pub(super) fn take(&self) -> Vec<AgentChannel> {
        let arrived =
            std::mem::take(&mut *self.arrived.lock().unwrap_or_else(PoisonError::into_inner));
        arrived.into_iter().map(|raw| AgentChannel { session: self.session.clone(), raw }).collect()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.hang(ptr::null_mut(), None);
    }
}

/// Stores a new channel. It must not call libssh2, which is in the middle of a read.
unsafe extern "C" fn opened(
    _session: *mut raw::LIBSSH2_SESSION,
    channel: *mut raw::LIBSSH2_CHANNEL,
    context: *mut *mut c_void,
) {
    // SAFETY: the context is valid and shared as long as this callback is set
    let arrived =
        unsafe { context.as_ref().and_then(|context| context.cast::<Arrived>().as_ref()) };
    if let (Some(arrived), Some(channel)) = (arrived, NonNull::new(channel)) {
        arrived.lock().unwrap_or_else(PoisonError::into_inner).push(Raw(channel));
    }
}

/// A channel to the agent. Like every channel, it needs room to write before each call. A dropped
/// channel stays open until its session ends.
pub(super) struct AgentChannel {
    session: Session,
    raw: Raw,
}

impl AgentChannel {
    /// Reads the bytes that have arrived; `None` if there are none.
    pub(super) fn read(&mut self, space: &mut [u8]) -> Result<Option<usize>, Error> {
        let _locked = self.session.raw();
        // SAFETY: the session is locked, the channel is not freed, and the length is that of the
        // buffer
        done(unsafe {
            raw::libssh2_channel_read_ex(
                self.raw.0.as_ptr(),
                0,
                space.as_mut_ptr().cast(),
                space.len(),
            )
        })
    }

    /// Writes some of the bytes; `None` if it would block. Then a packet may be half sent, and the
    /// same bytes must be written before anything else.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Error> {
        let _locked = self.session.raw();
        // SAFETY: the session is locked, the channel is not freed, and the length is that of the
        // buffer
        done(unsafe {
            raw::libssh2_channel_write_ex(
                self.raw.0.as_ptr(),
                0,
                bytes.as_ptr().cast(),
                bytes.len(),
            )
        })
    }

    /// The number of bytes that the server accepts now.
    pub(super) fn window(&self) -> usize {
        let _locked = self.session.raw();
        // SAFETY: the session is locked, and the channel is not freed
        let window =
            unsafe { raw::libssh2_channel_window_write_ex(self.raw.0.as_ptr(), ptr::null_mut()) };
        usize::try_from(window).unwrap_or(usize::MAX)
    }

    /// The number of bytes that have arrived but are not read.
    pub(super) fn unread(&self) -> usize {
        let _locked = self.session.raw();
        let mut available = 0;
        // SAFETY: the session is locked, and the channel is not freed
        unsafe {
            raw::libssh2_channel_window_read_ex(
                self.raw.0.as_ptr(),
                &raw mut available,
                ptr::null_mut(),
            )
        };
        usize::try_from(available).unwrap_or(usize::MAX)
    }

    /// Whether the other side has ended and everything is read.
    pub(super) fn eof(&self) -> bool {
        let _locked = self.session.raw();
        // SAFETY: the session is locked, and the channel is not freed
        unsafe { raw::libssh2_channel_eof(self.raw.0.as_ptr()) != 0 }
    }

    /// Closes and frees the channel. Returns the channel if that would block; then call it again.
    pub(super) fn close(self) -> Option<Self> {
        let closed = {
            let _locked = self.session.raw();
            // SAFETY: the session is locked; `self` is consumed, so nobody uses the channel once it
            // is freed
            done(unsafe { raw::libssh2_channel_free(self.raw.0.as_ptr()) } as isize)
        };
        matches!(closed, Ok(None)).then_some(self)
    }
}

/// Converts a return value of libssh2; `None` if the call would block.
fn done(given: isize) -> Result<Option<usize>, Error> {
    match usize::try_from(given) {
        Ok(count) => Ok(Some(count)),
        Err(_) if given == raw::LIBSSH2_ERROR_EAGAIN as isize => Ok(None),
        Err(_) => {
            Err(Error::from_errno(ErrorCode::Session(i32::try_from(given).unwrap_or(i32::MIN))))
        }
    }
}
