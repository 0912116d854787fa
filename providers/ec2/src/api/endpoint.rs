//! The destination of calls.

/// The destination of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) region: String,
    pub(crate) endpoint: String,
}
