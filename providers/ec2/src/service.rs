//! A configured service.

use std::sync::Mutex;

use pallet_core::prelude::*;

use crate::api::Api;
use crate::options::Options;

/// A configured service.
#[derive(Debug)]
pub(crate) struct Ec2 {
    pub(crate) options: Options,
    pub(crate) context: ServiceContext,
    pub(crate) api: Api,
    /// Cached hardware types: many pages, which do not change while a program runs.
    pub(crate) hardware: Mutex<Option<Vec<Hardware>>>,
}
