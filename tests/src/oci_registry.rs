//! A real OCI registry, Debian's docker-registry, on a free port of the loopback device.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Process;

/// The user of a registry with a password.
pub const REGISTRY_USER: &str = "publisher";
/// The password.
pub const REGISTRY_PASSWORD: &str = "right horse";
/// Both, in the format of `htpasswd -nB`.
const HTPASSWD: &str = r"publisher:$2y$05$eRiGz5j8z6qrZ2eU3gMNZ.WnY6KWFtRVfcfUw0ZPBkvN0aH9rT5Gq";

/// A running registry. Dropping it ends it and deletes its content.
#[derive(Debug)]
pub struct OciRegistry {
    process: Option<Process>,
    directory: TempDir,
    port: u16,
}

/// The kind of registry.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegistryOptions {
    /// Requires [`REGISTRY_USER`] and [`REGISTRY_PASSWORD`].
    pub password: bool,
    /// Uses TLS, with a certificate signed by [`OciRegistry::authority`].
    pub tls: bool,
}

impl OciRegistry {
    /// Starts an empty registry with plain HTTP and without a password.
    pub fn start() -> Self {
        OciRegistry::start_with(RegistryOptions::default())
    }

    /// Starts an empty registry.
    pub fn start_with(options: RegistryOptions) -> Self {
        let directory = tempfile::Builder::new().prefix("pallet-registry-").tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let mut config = format!(
            "version: 0.1\nlog:\n  level: warn\n\
             storage:\n  delete:\n    enabled: true\n  filesystem:\n    rootdirectory: {}\n\
             http:\n  addr: 127.0.0.1:{port}\n",
            path("content")
        );
        if options.tls {
            certificates(directory.path());
            config += &format!(
                "  tls:\n    certificate: {}\n    key: {}\n",
                path("server.pem"),
                path("server.key")
            );
        }
        if options.password {
            std::fs::write(path("htpasswd"), HTPASSWD).unwrap();
            config +=
                &format!("auth:\n  htpasswd:\n    realm: pallet\n    path: {}\n", path("htpasswd"));
        }
        std::fs::write(path("config.yml"), config).unwrap();
        let mut registry = OciRegistry { process: None, directory, port };
        registry.resume();
        registry
    }

    /// Stops the registry; its content stays.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it again, at the same address and with the same content.
    pub fn resume(&mut self) {
        // its process ends with the thread of its test, in any case
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "docker-registry", "serve"])
            .arg(self.directory.path().join("config.yml"));
        let process = Process::start(command, Duration::from_secs(3600));
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < end, "docker-registry does not start: {}", process.errors());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.process = Some(process);
    }

    /// `127.0.0.1:PORT`
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A source in it: `oci://127.0.0.1:PORT/PATH`.
    pub fn source(&self, path: &str) -> String {
        format!("oci://{}/{path}", self.host())
    }

    /// The directory of everything that was pushed.
    pub fn content(&self) -> PathBuf {
        self.directory.path().join("content/docker/registry/v2")
    }

    /// The file of a blob or manifest, by its digest.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        self.content().join("blobs/sha256").join(&hex[..2]).join(hex).join("data")
    }

    /// The tags of a repository, sorted.
    pub fn tags(&self, path: &str) -> Vec<String> {
        let tags = self.content().join("repositories").join(path).join("_manifests/tags");
        let entries = std::fs::read_dir(tags).into_iter().flatten();
        let mut tags: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        tags.sort();
        tags
    }

    /// The digest that a tag points to.
    pub fn tag(&self, path: &str, tag: &str) -> String {
        let link = self
            .content()
            .join("repositories")
            .join(path)
            .join("_manifests/tags")
            .join(tag)
            .join("current/link");
        std::fs::read_to_string(&link).unwrap_or_else(|error| panic!("{}: {error}", link.display()))
    }

    /// The certificate of the authority of a registry with TLS.
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }
}

/// Creates an authority, and a certificate for 127.0.0.1 signed by it.
fn certificates(directory: &Path) {
    std::fs::write(
        directory.join("names"),
        "subjectAltName=IP:127.0.0.1,DNS:localhost\n\
        extendedKeyUsage=serverAuth\n",
    )
    .unwrap();
    let openssl = |line: &str| {
        let mut command = Command::new("openssl");
        command.args(line.split(' ')).current_dir(directory);
        Process::start(command, Duration::from_secs(60)).wait().exits(0);
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!(
        "req -x509 {key} -keyout authority.key -out authority.pem -days 2 -subj /CN=authority"
    ));
    openssl(&format!("req -new {key} -keyout server.key -out server.csr -subj /CN=registry"));
    openssl(
        "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -out \
        server.pem -days 2 -extfile names",
    );
}
