//! The channels that a server opens to the agent of this machine. libssh2 has them and its Rust
//! package has no words for them, so they are handled here as C does it; what is carried through
//! them is the affair of `agent_forward`.
//!
//! Why this is sound: libssh2 lets nobody but its session free a channel that `close` has not
//! freed, and whoever has one here has the session too, so that it lives as long. A channel, and
//! the callback, are used under the session's lock alone: `Session::raw` holds it, and libssh2
//! calls the callback from within a call that holds it. What the callback is given is taken away
//! from the session before it goes.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, PoisonError};

use libssh2_sys as raw;
use ssh2::{Error, ErrorCode, Session};

/// `LIBSSH2_CALLBACK_AUTHAGENT`.
const OPENED: c_int = 7;

/// `LIBSSH2_AUTHAGENT_FUNC`: a channel was opened; the last is where what was given to the session
/// stands.
type Opened =
    unsafe extern "C" fn(*mut raw::LIBSSH2_SESSION, *mut raw::LIBSSH2_CHANNEL, *mut *mut c_void);

unsafe extern "C" {
    fn libssh2_session_callback_set2(
        session: *mut raw::LIBSSH2_SESSION,
        kind: c_int,
        callback: Option<Opened>,
    ) -> Option<Opened>;
}

/// A channel of a session that is not freed.
struct Raw(NonNull<raw::LIBSSH2_CHANNEL>);

// SAFETY: it belongs to no thread; only whoever has the session's lock uses it
unsafe impl Send for Raw {}

type Arrived = Mutex<Vec<Raw>>;

/// Takes the channels that the server opens to the agent. While there is none, libssh2 refuses
/// them.
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

    /// Gives the session a callback and what that is for, or takes both away.
    fn hang(&self, context: *mut c_void, callback: Option<Opened>) {
        let mut session = self.session.raw();
        // SAFETY: the session is locked; whoever logs in puts something else there meanwhile, and
        // nobody logs in any more
        unsafe {
            *raw::libssh2_session_abstract(&raw mut *session) = context;
            libssh2_session_callback_set2(&raw mut *session, OPENED, callback);
        }
    }

    /// How many channels have come that nobody took.
    pub(super) fn waiting(&self) -> usize {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The channels that have come.
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

/// Takes a channel in. It may call nothing of libssh2, which is in the middle of reading.
unsafe extern "C" fn opened(
    _session: *mut raw::LIBSSH2_SESSION,
    channel: *mut raw::LIBSSH2_CHANNEL,
    context: *mut *mut c_void,
) {
    // SAFETY: it stands there as long as this is the callback, and is shared
    let arrived =
        unsafe { context.as_ref().and_then(|context| context.cast::<Arrived>().as_ref()) };
    if let (Some(arrived), Some(channel)) = (arrived, NonNull::new(channel)) {
        arrived.lock().unwrap_or_else(PoisonError::into_inner).push(Raw(channel));
    }
}

/// A channel to the agent. Its calls need room to write, as those of every channel do. One that is
/// dropped stays until its session ends.
pub(super) struct AgentChannel {
    session: Session,
    raw: Raw,
}

impl AgentChannel {
    /// Reads what has come; `None` if nothing has.
    pub(super) fn read(&mut self, space: &mut [u8]) -> Result<Option<usize>, Error> {
        let _locked = self.session.raw();
        // SAFETY: the session is locked, the channel not freed, and the space as long as is said
        done(unsafe {
            raw::libssh2_channel_read_ex(
                self.raw.0.as_ptr(),
                0,
                space.as_mut_ptr().cast(),
                space.len(),
            )
        })
    }

    /// Writes some of this; `None` if nothing could be. Then it may be half sent, and the same must
    /// be written before anything else is.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Error> {
        let _locked = self.session.raw();
        // SAFETY: the session is locked, the channel not freed, and the bytes as many as is said
        done(unsafe {
            raw::libssh2_channel_write_ex(
                self.raw.0.as_ptr(),
                0,
                bytes.as_ptr().cast(),
                bytes.len(),
            )
        })
    }

    /// How much the server takes.
    pub(super) fn window(&self) -> usize {
        let _locked = self.session.raw();
        // SAFETY: the session is locked, and the channel not freed
        let window =
            unsafe { raw::libssh2_channel_window_write_ex(self.raw.0.as_ptr(), ptr::null_mut()) };
        usize::try_from(window).unwrap_or(usize::MAX)
    }

    /// How much has come that was not read.
    pub(super) fn unread(&self) -> usize {
        let _locked = self.session.raw();
        let mut available = 0;
        // SAFETY: the session is locked, and the channel not freed
        unsafe {
            raw::libssh2_channel_window_read_ex(
                self.raw.0.as_ptr(),
                &raw mut available,
                ptr::null_mut(),
            )
        };
        usize::try_from(available).unwrap_or(usize::MAX)
    }

    /// Whether all was read, and nothing more will come.
    pub(super) fn eof(&self) -> bool {
        let _locked = self.session.raw();
        // SAFETY: the session is locked, and the channel not freed
        unsafe { raw::libssh2_channel_eof(self.raw.0.as_ptr()) != 0 }
    }

    /// Closes and frees it; it is given back while that is under way.
    pub(super) fn close(self) -> Option<Self> {
        let closed = {
            let _locked = self.session.raw();
            // SAFETY: the session is locked; once it is freed, nobody has it any more
            done(unsafe { raw::libssh2_channel_free(self.raw.0.as_ptr()) } as isize)
        };
        matches!(closed, Ok(None)).then_some(self)
    }
}

/// What libssh2 gave; `None` if it would block.
fn done(given: isize) -> Result<Option<usize>, Error> {
    match usize::try_from(given) {
        Ok(count) => Ok(Some(count)),
        Err(_) if given == raw::LIBSSH2_ERROR_EAGAIN as isize => Ok(None),
        Err(_) => {
            Err(Error::from_errno(ErrorCode::Session(i32::try_from(given).unwrap_or(i32::MIN))))
        }
    }
}
