//! What others are told about an operation when it has ended: traces, numbers, and notices. All of
//! it is configured, and none of it can fail an operation.

mod notices;
mod on_finish;
#[cfg(feature = "telemetry")]
mod otlp;
mod prometheus;
mod teller;
#[cfg_attr(not(feature = "telemetry"), allow(dead_code, reason = "only spans have all of it"))]
mod trace;

pub(crate) use teller::Teller;
