//! ssh, with libssh2. Each session is owned by one task, which also answers the server while no
//! command runs.

mod agent_channel;
mod agent_forward;
mod auth;
mod cache;
mod carrier;
mod channel;
mod config;
mod config_file;
mod config_options;
mod config_reader;
mod connect;
mod destination;
mod file_cache;
mod host_config;
mod host_key;
mod host_query;
mod key;
mod known_hosts;
mod link;
mod openssh;
mod pipe;
mod proxy;
mod proxy_command;
mod session;
mod tokens;

pub(super) use cache::SshCache;
pub use session::Ssh;
pub(super) use session::login_user;
