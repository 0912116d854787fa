//! Nodes are made for real: these tests need root, and do nothing without it. Each has a bridge, a
//! network and a directory of its own.

mod bed;
mod elsewhere;
mod life;
mod network;
mod root;
