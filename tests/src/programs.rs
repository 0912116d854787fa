//! Programs from PyPI, of `bed/programs.sh`: OpenBao, sops, and moto as AWS, which keep secrets;
//! and a Python with libraries that read what Pallet sends.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Bed, Output, Process};

/// The directory of the programs. The first use installs them.
#[derive(Debug)]
pub struct Programs(PathBuf);

impl Programs {
    /// The programs.
    pub fn installed() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bed/programs.sh");
        let output = Command::new(script).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "the programs cannot be installed");
        Programs(String::from_utf8(output.stdout).unwrap().trim().into())
    }

    /// `PATH` with the programs.
    pub fn path(&self) -> String {
        format!("{}:{}", self.0.display(), std::env::var("PATH").unwrap_or_default())
    }

    /// One of the programs, in the network of a bed.
    pub fn command(&self, bed: &Bed, words: &[&str]) -> Command {
        let mut all = bed.prefix();
        let (program, arguments) = words.split_first().unwrap();
        all.extend(["setpriv", "--pdeathsig", "KILL"].map(str::to_owned));
        all.push(self.0.join(program).to_str().unwrap().to_owned());
        all.extend(arguments.iter().map(|word| (*word).to_owned()));
        let mut command = Command::new(&all[0]);
        command.args(&all[1..]);
        command
    }
}

/// A server in the network of a bed. It ends when it is dropped.
#[derive(Debug)]
pub struct SecretServer {
    process: Process,
}

impl SecretServer {
    /// Starts it, and waits until `ready`, which asks it something, succeeds.
    pub fn start(command: Command, mut ready: impl FnMut() -> Command) -> Self {
        let process = Process::start(command, Duration::from_secs(3600));
        let end = Instant::now() + Duration::from_secs(60);
        while !ready().output().unwrap().status.success() {
            assert!(Instant::now() < end, "the server does not start: {}", process.errors());
            std::thread::sleep(Duration::from_millis(50));
        }
        SecretServer { process }
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        self.process.stdout() + &self.process.errors()
    }
}

/// OpenBao's server, with an empty version 2 of the key-value engine at `secret/`.
#[derive(Debug)]
pub struct OpenBao<'a> {
    bed: &'a Bed,
    programs: &'a Programs,
    home: tempfile::TempDir,
    _server: SecretServer,
}

impl<'a> OpenBao<'a> {
    /// Its address in the network of the bed. Its certificate is signed by
    /// [`authority`](Self::authority).
    pub const ADDRESS: &'static str = "https://127.0.0.1:8200";
    /// The token that may do everything.
    pub const ROOT: &'static str = "root-8Kd2xQ";

    /// Starts it on a bed.
    pub fn on(bed: &'a Bed, programs: &'a Programs) -> Self {
        let home = tempfile::Builder::new().prefix("pallet-bao-").tempdir().unwrap();
        let certificates = format!("-dev-tls-cert-dir={}", home.path().display());
        let root = format!("-dev-root-token-id={}", Self::ROOT);
        let words = ["bao", "server", "-dev", "-dev-no-store-token", "-dev-tls"];
        let mut server = programs.command(bed, &[&words[..], &[&certificates, &root]].concat());
        server.env("HOME", home.path()).stderr(Stdio::null());
        let server = SecretServer::start(server, || {
            Self::client(bed, programs, home.path(), &["secrets", "list"])
        });
        OpenBao { bed, programs, home, _server: server }
    }

    /// The certificate of its authority.
    pub fn authority(&self) -> PathBuf {
        self.home.path().join("vault-ca.pem")
    }

    /// Runs its own client.
    #[track_caller]
    pub fn ask(&self, words: &[&str]) -> Output {
        let command = Self::client(self.bed, self.programs, self.home.path(), words);
        Process::start(command, Duration::from_secs(60)).wait().exits(0)
    }

    fn client(bed: &Bed, programs: &Programs, home: &Path, words: &[&str]) -> Command {
        let words: Vec<_> = ["bao"].into_iter().chain(words.iter().copied()).collect();
        let mut command = programs.command(bed, &words);
        command.env_clear().envs([("BAO_ADDR", Self::ADDRESS), ("BAO_TOKEN", Self::ROOT)]);
        command.env("BAO_CACERT", home.join("vault-ca.pem")).env("HOME", home);
        command
    }
}
