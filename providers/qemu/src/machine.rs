//! A virtual machine: the command line of its process, its start, and its console.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pallet_core::prelude::*;

use crate::image::{complaint, missing};
use crate::options::Options;
use crate::process;
use crate::store::Record;

/// Timeout for the program to start the machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// QEMU's message if a port of this machine is in use.
const PORT_TAKEN: &str = "Could not set up host forwarding rule";

/// A machine whose files are in `directory`.
pub(crate) struct Machine<'a> {
    pub(crate) program: &'a Path,
    pub(crate) arch: &'a str,
    pub(crate) options: &'a Options,
    pub(crate) directory: &'a Path,
}

/// Why a machine was not started.
pub(crate) enum NotStarted {
    /// One of its ports is in use.
    PortTaken,
    Failed(PluginError),
}

impl Machine<'_> {
    /// The node's disk.
    pub(crate) fn disk(&self) -> PathBuf {
        self.directory.join("disk.qcow2")
    }

    /// The disk with cloud-init's data.
    pub(crate) fn seed(&self) -> PathBuf {
        self.directory.join("seed.img")
    }

    /// The output of the machine's first serial port.
    fn console(&self) -> PathBuf {
        self.directory.join("console.log")
    }

    fn arguments(&self, record: &Record, kvm: bool) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        let mut add = |name: &str, value: &dyn AsRef<std::ffi::OsStr>| {
            words.extend([name.into(), value.as_ref().to_owned()])
        };
        add("-name", &record.name);
        add("-machine", &if matches!(self.arch, "x86_64" | "i386") { "q35" } else { "virt" });
        add("-accel", &if kvm { "kvm" } else { "tcg" });
        add("-cpu", &if kvm { "host" } else { "max" });
        add("-smp", &record.cores.to_string());
        add("-m", &format!("{}M", record.ram));
        add("-display", &"none");
        add("-chardev", &with_path("file,id=console,path=", &self.console(), ""));
        add("-serial", &"chardev:console");
        add("-drive", &with_path("file=", &self.disk(), ",format=qcow2,if=virtio,discard=unmap"));
        add("-drive", &with_path("file=", &self.seed(), ",format=raw,if=virtio,readonly=on"));
        add("-netdev", &self.network(record));
        // no network boot, so no boot ROM
        add("-device", &"virtio-net-pci,netdev=net,romfile=");
        add("-device", &"virtio-rng-pci");
        if let Some(kernel) = &record.kernel {
            add("-kernel", &kernel.kernel);
            if let Some(initrd) = &kernel.initrd {
                add("-initrd", initrd);
            }
            add("-append", &kernel.append);
        }
        add("-pidfile", &process::pid_file(self.directory));
        words.extend(["-nodefaults", "-no-user-config", "-daemonize"].map(OsString::from));
        words.extend(self.options.arguments.iter().map(OsString::from));
        words
    }

    fn network(&self, record: &Record) -> String {
        let mut network =
            format!("user,id=net,restrict={}", if self.options.restrict { "on" } else { "off" });
        if let Some(own) = &self.options.network {
            network += &format!(",net={}", own.replace(',', ",,"));
        }
        for (inside, outside) in &record.ports {
            network += &format!(",hostfwd=tcp:127.0.0.1:{outside}-:{inside}");
        }
        network
    }

    /// Starts the machine. Its process continues after this one ends.
    pub(crate) fn start(&self, record: &Record, kvm: bool) -> Result<(), NotStarted> {
        let log = self.directory.join("qemu.log");
        let failed = |message: String| NotStarted::Failed(PluginError::failed(message));
        let error =
            |error: std::io::Error| failed(format!("cannot write {}: {error}", log.display()));
        let mut command = Command::new(self.program);
        command.args(self.arguments(record, kvm)).current_dir(self.directory);
        // the console and the process id of an earlier run would be misleading
        let _ =
            (fs::remove_file(self.console()), fs::remove_file(process::pid_file(self.directory)));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).map_err(error)?);
        let mut child =
            command.spawn().map_err(|error| NotStarted::Failed(missing(self.program, &error)))?;
        let start = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(_)) => break,
                Ok(None) if start.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(10))
                }
                other => {
                    let _ = (child.kill(), child.wait());
                    let why = other
                        .err()
                        .map_or_else(|| "it hangs".to_owned(), |error| error.to_string());
                    return Err(failed(format!(
                        "{} does not start a machine: {why}",
                        self.program.display()
                    )));
                }
            }
        }
        let said = complaint(&fs::read(&log).unwrap_or_default());
        if said.contains(PORT_TAKEN) {
            return Err(NotStarted::PortTaken);
        }
        Err(failed(format!("{} does not start a machine: {said}", self.program.display())))
    }

    /// The size of the machine's console output since it was started.
    pub(crate) fn said(&self) -> u64 {
        fs::metadata(self.console()).map_or(0, |meta| meta.len())
    }

    /// The last line of the machine's console output.
    pub(crate) fn last_words(&self) -> Option<String> {
        last_line(&fs::read(self.console()).ok()?)
    }
}

/// The last nonempty line of a console, without control sequences.
fn last_line(console: &[u8]) -> Option<String> {
    let tail = console.get(console.len().saturating_sub(4096)..).unwrap_or_default();
    let text = strip_ansi_escapes::strip_str(String::from_utf8_lossy(tail));
    let plain = |line: &str| {
        let plain: String = line.chars().filter(|c| !c.is_control()).collect();
        plain.trim().chars().take(160).collect::<String>()
    };
    text.lines().map(plain).rfind(|line| !line.is_empty())
}

/// Whether an sshd answers at this port.
pub(crate) fn has_sshd(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let greet = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        let mut banner = [0; 4];
        stream.read_exact(&mut banner)?;
        Ok(&banner == b"SSH-")
    };
    greet().unwrap_or(false)
}

/// An option's value with a path in it; QEMU escapes a comma by doubling it.
fn with_path(before: &str, path: &Path, after: &str) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let path = path
        .as_os_str()
        .as_bytes()
        .iter()
        .flat_map(|byte| std::iter::repeat_n(*byte, if *byte == b',' { 2 } else { 1 }));
    OsString::from_vec(before.bytes().chain(path).chain(after.bytes()).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;
    use crate::image::Kernel;

    fn record() -> Record {
        Record {
            id: "i".into(),
            name: "web-1".into(),
            group: "web".into(),
            tags: BTreeMap::new(),
            created: 1,
            login_user: None,
            os: None,
            cores: 2,
            ram: 512,
            kernel: Some(Kernel {
                kernel: "/k".into(),
                initrd: None,
                append: "root=/dev/vda".into(),
            }),
            ports: BTreeMap::from([(22, 20_000), (80, 20_001)]),
            host_key: String::new(),
            complete: true,
            answered: true,
        }
    }

    fn options(options: Value) -> Options {
        serde_json::from_value(options).unwrap()
    }

    #[test]
    fn the_command_line_says_all_of_the_machine() {
        let options = options(json!({
            "images": {}, "restrict": true, "network": "10.9.0.0/24",
            "arguments": ["-cpu", "max"],
        }));
        let machine = Machine {
            program: Path::new("qemu"),
            arch: "x86_64",
            options: &options,
            directory: Path::new("/data/a,b"),
        };
        let words: Vec<_> = machine
            .arguments(&record(), true)
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect();
        let line = words.join(" ");
        for part in [
            "-machine q35 -accel kvm -cpu host -smp 2 -m 512M",
            "path=/data/a,,b/console.log",
            "file=/data/a,,b/disk.qcow2,format=qcow2,if=virtio",
            "file=/data/a,,b/seed.img,format=raw,if=virtio,readonly=on",
            "user,id=net,restrict=on,net=10.9.0.0/24,hostfwd=tcp:127.0.0.1:20000-:22,\
             hostfwd=tcp:127.0.0.1:20001-:80",
            "-kernel /k -append root=/dev/vda -pidfile /data/a,b/pid",
        ] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
        assert!(line.ends_with("-daemonize -cpu max"), "the user's arguments come last: {line}");
        let emulated = Machine { arch: "aarch64", ..machine }
            .arguments(&Record { kernel: None, ..record() }, false);
        assert!(
            emulated.iter().any(|word| word == "virt") && emulated.iter().any(|word| word == "tcg")
        );
        assert!(!emulated.iter().any(|word| word == "-kernel" || word == "-append"));
    }

    #[test]
    fn what_does_not_start_says_why_in_one_line() {
        let directory = tempfile::tempdir().unwrap();
        let start = |program: &str| {
            let options = options(json!({"images": {}}));
            let machine = Machine {
                program: Path::new(program),
                arch: "x86_64",
                options: &options,
                directory: directory.path(),
            };
            match machine.start(&record(), false) {
                Ok(()) => "it started".to_owned(),
                Err(NotStarted::PortTaken) => "port taken".to_owned(),
                Err(NotStarted::Failed(error)) => error.to_string(),
            }
        };
        let script = |text: &str| {
            use std::os::unix::fs::PermissionsExt;
            let path = directory.path().join("qemu");
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path.to_str().unwrap().to_owned()
        };
        assert!(start("/nowhere/qemu-system-x86_64").contains("on Debian: qemu-system-x86"));
        let no_memory = script(
            "echo \"qemu-system-x86_64: cannot set up guest memory 'pc.ram': \
            Cannot allocate memory\" >&2; exit 1",
        );
        assert!(start(&no_memory).ends_with(
            "does not start a machine: cannot set up guest memory 'pc.ram': Cannot allocate memory"
        ));
        let taken = script(
            "echo \"qemu-system-x86_64: -netdev user: Could not set up host \
            forwarding rule 'tcp:1-:22'\" >&2; exit 1",
        );
        assert_eq!(start(&taken), "port taken");
        assert_eq!(start(&script("exit 0")), "it started");
    }

    #[test]
    fn an_sshd_is_known_by_its_banner() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = std::thread::spawn(move || {
            for banner in ["SSH-2.0-x\r\n", "HTTP/1.1\r\n", ""] {
                let (mut stream, _) = listener.accept().unwrap();
                stream.write_all(banner.as_bytes()).unwrap();
            }
        });
        assert!(has_sshd(port));
        assert!(!has_sshd(port) && !has_sshd(port));
        serving.join().unwrap();
        assert!(!has_sshd(port), "nobody listens any more");
    }

    #[test]
    fn the_last_words_are_plain() {
        assert_eq!(
            last_line(b"a\r\n\x1b[0;32m  OK \x1b[0m started\r\n\r\n\x1b[2J\r\n").as_deref(),
            Some("OK  started")
        );
        // an operating system command, such as systemd's context, ends with BEL or ESC \\
        assert_eq!(
            last_line(b"\x1b]3008;start=7;type=boot\x1b\\[  OK  ] Reached target\r\n").as_deref(),
            Some("[  OK  ] Reached target")
        );
        assert_eq!(last_line(b"\r\n"), None);
    }
}
