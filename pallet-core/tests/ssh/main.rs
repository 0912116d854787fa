//! The ssh transport against real servers: an sshd of this machine on a loopback port for each
//! test.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod cost;
#[cfg(test)]
mod host_keys;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod login;
#[cfg(test)]
mod passwords;
#[cfg(test)]
mod route;
#[cfg(test)]
mod server;
#[cfg(test)]
mod shells;
#[cfg(test)]
mod trouble;
