//! One configured service.

use std::sync::Mutex;

use pallet_core::prelude::*;

use crate::api::Api;
use crate::options::Options;

/// One configured service.
#[derive(Debug)]
pub(crate) struct Ec2 {
    pub(crate) options: Options,
    pub(crate) context: ServiceContext,
    pub(crate) api: Api,
    /// The kinds of machines: many pages, which stay the same while a program runs.
    pub(crate) hardware: Mutex<Option<Vec<Hardware>>>,
}
