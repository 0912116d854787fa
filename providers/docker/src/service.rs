//! A configured service.

use pallet_core::prelude::*;

use crate::answer::Answer;
use crate::engine::Engine;
use crate::options::Options;

/// A configured service.
pub(crate) struct Docker {
    pub(crate) options: Options,
    pub(crate) context: ServiceContext,
}

impl Docker {
    /// Runs `work` with the engine. It is looked up each time, because its socket may appear and
    /// disappear.
    pub(crate) fn run<T>(&self, work: impl AsyncFnOnce(&Engine) -> Answer<T>) -> Answer<T> {
        let engine = Engine::new(&self.options, &self.context)?;
        engine.run(work(&engine))
    }
}
