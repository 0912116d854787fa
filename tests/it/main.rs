//! Tests that need several packages, the built program, or real nodes. They are one binary, so that
//! it is linked once.

// `cfg` for the sake of clippy, which lets tests unwrap
#[cfg(test)]
mod abi;
#[cfg(test)]
mod ad_hoc;
#[cfg(test)]
mod author;
#[cfg(test)]
mod bed;
#[cfg(test)]
mod book;
#[cfg(test)]
mod capabilities;
#[cfg(test)]
mod choosing;
#[cfg(test)]
mod ci;
#[cfg(test)]
mod completion;
#[cfg(test)]
mod contradictions;
#[cfg(test)]
mod crates;
#[cfg(test)]
mod dist;
#[cfg(test)]
mod docker;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod document;
#[cfg(test)]
mod ec2;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod history;
#[cfg(test)]
mod install;
#[cfg(test)]
mod jinja;
#[cfg(test)]
mod lift;
#[cfg(test)]
mod lsp;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod plugins;
#[cfg(test)]
mod portable;
#[cfg(test)]
mod projects;
#[cfg(test)]
mod publish;
#[cfg(test)]
mod qemu;
#[cfg(test)]
mod quickstart;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod repl;
#[cfg(test)]
mod report;
#[cfg(test)]
mod rolling;
#[cfg(test)]
mod rollout;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod services;
#[cfg(test)]
mod stages;
#[cfg(test)]
mod starlark_crates;
#[cfg(test)]
mod systemd_nodes;
#[cfg(test)]
mod systems;
#[cfg(test)]
mod telemetry;
#[cfg(test)]
mod tidy;
