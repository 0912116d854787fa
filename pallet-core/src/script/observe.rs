//! The observing script: asks all that an [`Observation`] wants in one go, and reads the answer.
