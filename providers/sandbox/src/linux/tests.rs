//! Tests with real nodes: they need root, and do nothing without it. Each has its own bridge,
//! network and directory.

mod bed;
mod elsewhere;
mod life;
mod network;
mod root;
