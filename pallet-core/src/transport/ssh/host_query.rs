//! Which host a connection is for.

use crate::model::SshConnection;

/// Which host to configure. The user and port here override all files.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostQuery<'a> {
    pub(super) host: &'a str,
    pub(super) user: Option<&'a str>,
    pub(super) port: Option<u16>,
}

impl<'a> HostQuery<'a> {
    pub(super) fn of(connection: &'a SshConnection) -> Self {
        let user = connection.user.as_deref();
        HostQuery { host: &connection.host, user, port: connection.port }
    }
}
