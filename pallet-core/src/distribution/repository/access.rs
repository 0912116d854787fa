//! How registries are reached.

use std::path::PathBuf;

/// How registries are reached.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Files with credentials, as docker's `config.json` has them; they need not exist. The first
    /// one that knows the registry wins.
    pub credentials: Vec<PathBuf>,
    /// Directories in which credential helpers, `docker-credential-*`, are looked for.
    pub helper_path: Vec<PathBuf>,
    /// Files of certificates (PEM) that are trusted besides the usual ones.
    pub certificates: Vec<PathBuf>,
    /// Registries, `HOST` or `HOST:PORT`, that are spoken to in plain HTTP. One on this machine is
    /// where it does not speak TLS.
    pub plain_http: Vec<String>,
    /// The proxy for `https://`, as a URL.
    pub https_proxy: Option<String>,
    /// The proxy for `http://`, as a URL.
    pub http_proxy: Option<String>,
    /// Hosts that are reached without a proxy, separated by commas.
    pub no_proxy: Option<String>,
}
