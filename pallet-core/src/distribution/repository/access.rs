//! How to connect to registries.

use std::path::PathBuf;

/// How to connect to registries.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Files with credentials, like docker's `config.json`; they need not exist. The first file
    /// that has the registry wins.
    pub credentials: Vec<PathBuf>,
    /// Directories to search for credential helpers, `docker-credential-*`.
    pub helper_path: Vec<PathBuf>,
    /// Files with additional trusted certificates (PEM).
    pub certificates: Vec<PathBuf>,
    /// Registries, `HOST` or `HOST:PORT`, that use plain HTTP. A registry on this machine is
    /// detected automatically.
    pub plain_http: Vec<String>,
    /// The proxy for `https://`, as a URL.
    pub https_proxy: Option<String>,
    /// The proxy for `http://`, as a URL.
    pub http_proxy: Option<String>,
    /// Hosts that do not use the proxy, separated by commas.
    pub no_proxy: Option<String>,
}
