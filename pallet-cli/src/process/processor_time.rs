//! The time that the processor worked. Limits count it: on a busy machine an evaluation also waits,
//! and that is no endless loop.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time that the processor worked for this thread.
pub(crate) fn of_thread() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// The time that the processor worked for all threads of this process.
pub(crate) fn of_process() -> Duration {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let part = |part: i64| u64::try_from(part).unwrap_or_default();
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}
