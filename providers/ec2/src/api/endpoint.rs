//! Where calls go.

/// Where calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) region: String,
    pub(crate) endpoint: String,
}
