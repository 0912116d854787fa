//! What is released: packaged from the results of this build, and installed.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pallet_tests::{ContainerEngine, Output, Process, Project, image, root, workspace};

/// Runs a program.
fn run(program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments);
    Process::start(command, Duration::from_secs(300)).wait()
}

/// The programs of this build without the symbols that only debuggers need, as releases are.
fn stripped(to: &Path) {
    let files = workspace().plugins().map(|plugin| plugin.file.as_path());
    for file in files.chain([workspace().cli()]) {
        let stripped = to.join(file.file_name().unwrap());
        run("strip", &["-o", stripped.to_str().unwrap(), file.to_str().unwrap()]).exits(0);
    }
}

fn xtask(arguments: &[&str]) -> Output {
    let tool = workspace().artifacts.iter().find(|artifact| artifact.name == "xtask").unwrap();
    let mut command = Command::new(&tool.file);
    command.args(arguments).current_dir(root()).env("SOURCE_DATE_EPOCH", "1700000000");
    Process::start(command, Duration::from_secs(300)).wait()
}

/// Installs a package in a clean root of Debian, uses it, upgrades and removes it. `$1`: the root,
/// `$2`: the package, `$3`: a directory to mount it in.
const IN_DEBIAN: &str = r#"
set -eu
base=$1 package=$2 top=$3
mount -t tmpfs tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root" "$top/next"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$top/upper,workdir=$top/work" "$top/root"
root=$top/root
mount -t proc proc "$root/proc"
files() { (cd "$root" && find . -xdev \( -path ./proc -o -path ./var/lib/dpkg -o -path ./var/log -o -path ./root \) -prune -o -print | sort); }
install() { cp "$1" "$root/root/pallet.deb"; chroot "$root" dpkg -i /root/pallet.deb; rm "$root/root/pallet.deb"; }
pallet() { chroot "$root" env -i HOME=/root PATH=/usr/bin:/bin sh -c 'cd "$1" && shift && exec "$@"' sh "$@"; }
files >"$top/before"
install "$package"
pallet /tmp pallet-cli version
ln -s /usr/bin/pallet-cli "$root/root/linked"
for from in / /tmp /usr/lib; do
  echo "plugins $from $(pallet $from pallet-cli crates --output json | tr -d '\n' | grep -o '"bundled with pallet-cli"' | wc -l)"
  echo "providers $from $(pallet $from /root/linked providers | grep -c .)"
done
# the next version replaces every file of this one
dpkg-deb -R "$package" "$top/next/tree"
sed -i 's/^Version: .*/Version: 99.0.0/' "$top/next/tree/DEBIAN/control"
rm "$top/next/tree/usr/lib/pallet/libpallet_crate_nginx.so"
dpkg-deb --root-owner-group -Znone -b "$top/next/tree" "$top/next/next.deb" >/dev/null
install "$top/next/next.deb"
pallet / pallet-cli version
[ ! -e "$root/usr/lib/pallet/libpallet_crate_nginx.so" ] && echo "upgraded"
chroot "$root" dpkg --purge pallet
files >"$top/after"
diff "$top/before" "$top/after" && echo "clean"
"#;

#[test]
fn what_is_released_is_the_same_twice_and_can_be_installed() {
    let home = Project::empty();
    let at = |name: &str| home.home().join(name);
    let text = |name: &str| at(name).to_str().unwrap().to_owned();
    fs::create_dir(at("built")).unwrap();
    stripped(&at("built"));
    home.run(&["generate-key", &text("key"), "--no-passphrase", "--algorithm", "ed25519"]).exits(0);
    the_least_root(&at("base"));
    let (built, key, base) = (text("built"), text("key"), text("base"));
    let dist = |out: &str, glibc: &str| {
        let out = text(out);
        let words = ["dist", "--built", &built, "--out", &out, "--glibc", glibc];
        xtask(&[&words[..], &["--compression", "1", "--key", &key, "--image", &base]].concat())
    };
    dist("old", "2.2").exits(1).says("newer than 2.2: pallet-cli needs 2.").says("--debian");
    assert!(!at("old").exists());
    dist("one", "2.99").exits(0);
    dist("two", "2.99").exits(0);
    let mut names: Vec<_> = fs::read_dir(at("one"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 6, "{names:?}");
    for name in &names {
        let read = |out: &str| fs::read(at(out).join(name)).unwrap();
        assert!(read("one") == read("two"), "{name} differs");
    }
    let find = |ending: &str| {
        let name = names.iter().find(|name| name.ends_with(ending)).unwrap();
        at("one").join(name).to_str().unwrap().to_owned()
    };

    // checksums and signature, with tools that everybody has
    let check = format!("cd {} && sha256sum --check --quiet SHA256SUMS", text("one"));
    run("sh", &["-c", &check]).exits(0);
    let (sums, public) = (find("SHA256SUMS"), find("SHA256SUMS.pub"));
    let signature = find("SHA256SUMS.sig");
    let words = ["pkeyutl", "-verify", "-pubin", "-inkey", &public, "-rawin", "-in", &sums];
    run("openssl", &[&words[..], &["-sigfile", &signature]].concat()).exits(0);

    the_tarball_works_from_anywhere(&home, &find(".tar.gz"));
    the_image_is_whole(&home, &find(".oci.tar"));
    the_image_starts(&find(".oci.tar"));
    the_package_is_installed_and_removed(&home, &find(".deb"));
}

/// A root with nothing but the libraries that the program needs, a link, and a directory that is
/// mounted.
fn the_least_root(root: &Path) {
    for directory in ["etc", "proc/1", "usr/lib", "tmp"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    for file in ["etc/os-release", "etc/hostname", "tmp/left"] {
        fs::write(root.join(file), "ID=debian\n").unwrap();
    }
    for link in ["lib", "lib64"] {
        std::os::unix::fs::symlink("usr/lib", root.join(link)).unwrap();
    }
    let needed = run("ldd", &[workspace().cli().to_str().unwrap()]).exits(0).stdout;
    for library in needed.split_whitespace().filter(|word| word.starts_with('/')) {
        let name = Path::new(library).file_name().unwrap();
        fs::copy(library, root.join("usr/lib").join(name)).unwrap();
    }
}

fn the_tarball_works_from_anywhere(home: &Project, tarball: &str) {
    let to = home.home().join("unpacked");
    fs::create_dir(&to).unwrap();
    run("tar", &["-xzf", tarball, "--strip-components=1", "-C", to.to_str().unwrap()]).exits(0);
    std::os::unix::fs::symlink(to.join("bin/pallet-cli"), to.join("link")).unwrap();
    for file in [
        "share/man/man1/pallet-cli-lift.1",
        "share/bash-completion/completions/pallet-cli",
        "share/doc/pallet/LICENSE-MIT",
        "share/doc/pallet/sbom/pallet-provider-ec2.cdx.json",
    ] {
        assert!(to.join(file).is_file(), "{file}");
    }
    let others = fs::read_to_string(to.join("share/doc/pallet/THIRD-PARTY")).unwrap();
    assert!(others.contains("\nserde ") && others.contains("Permission is hereby granted"));
    assert!(!others.contains("\nexpect-test "), "tests are not released");
    let mut command = Command::new(to.join("link"));
    command.args(["crates"]).env_clear().env("HOME", home.home()).current_dir("/");
    let listed = Process::start(command, Duration::from_secs(60)).wait().exits(0);
    listed.says("nginx").says("haproxy").says("bundled with pallet-cli");
}

fn the_image_is_whole(home: &Project, image: &str) {
    let to = home.home().join("image");
    fs::create_dir(&to).unwrap();
    run("tar", &["-xf", image, "-C", to.to_str().unwrap()]).exits(0);
    let json = |path: &Path| -> serde_json::Value {
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    // the name of a blob is its digest
    for blob in fs::read_dir(to.join("blobs/sha256")).unwrap() {
        let blob = blob.unwrap().path();
        let sum = run("sha256sum", &[blob.to_str().unwrap()]).exits(0).stdout;
        assert!(sum.starts_with(blob.file_name().unwrap().to_str().unwrap()), "{sum}");
    }
    let blob = |about: &serde_json::Value| {
        let digest = about["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        to.join("blobs/sha256").join(digest)
    };
    let manifest = json(&blob(&json(&to.join("index.json"))["manifests"][0]));
    let config = json(&blob(&manifest["config"]));
    assert_eq!(config["config"]["Entrypoint"][0], "/usr/bin/pallet-cli");
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), config["rootfs"]["diff_ids"].as_array().unwrap().len());
    let listed: Vec<_> = layers
        .iter()
        .map(|layer| run("tar", &["-tzf", blob(layer).to_str().unwrap()]).exits(0).stdout)
        .collect();
    let own = listed[0].strip_prefix("etc/\netc/os-release\nlib\nlib64\nproc/\ntmp/\nusr/\n");
    assert!(own.is_some_and(|rest| rest.lines().all(|line| line.starts_with("usr/lib/"))));
    assert!(listed[1].contains("usr/bin/pallet-cli\n"), "{listed:?}");
}

fn the_image_starts(image: &str) {
    let podman = ContainerEngine::start("podman");
    let loaded = podman.client(&["load", "--input", image]).exits(0);
    let name = loaded.stdout.trim().rsplit(' ').next().unwrap().to_owned();
    podman.client(&["run", "--rm", &name, "version"]).exits(0).says("pallet-cli ");
    let listed = podman.client(&["run", "--rm", &name, "crates"]).exits(0);
    listed.says("nginx").says("bundled with pallet-cli");
}

fn the_package_is_installed_and_removed(home: &Project, package: &str) {
    let root = image("bookworm-min").join("root");
    let top = home.home().join("debian");
    fs::create_dir(&top).unwrap();
    let words = [root.to_str().unwrap(), package, top.to_str().unwrap()];
    let script = ["--mount", "bash", "-c", IN_DEBIAN, "bash"];
    let output = run("unshare", &[&script[..], &words].concat()).exits(0);
    let crates = workspace().plugins().filter(|plugin| plugin.name.contains("crate")).count();
    for from in ["/", "/tmp", "/usr/lib"] {
        let told = format!("plugins {from} {crates}\n");
        assert!(output.stdout.contains(&told), "{told}{output}");
    }
    output.says("upgraded\n").says("clean\n");
}

/// One plugin, built in two directories: the same bytes.
#[test]
fn builds_are_reproducible() {
    let home = Project::empty();
    let mut built = Vec::new();
    for name in ["one", "other-place"] {
        let copy = home.home().join(name);
        run("git", &["clone", "-q", root().to_str().unwrap(), copy.to_str().unwrap()]).exits(0);
        let script = copy.join("dist/reproducible.sh");
        let words = [script.to_str().unwrap(), "cargo", "build", "--locked", "--offline"];
        let package = ["-p", "pallet-crate-automated-admin-user"];
        let mut command = Command::new("bash");
        command.args(words).args(package).current_dir(&copy).env("SOURCE_DATE_EPOCH", "1700000000");
        command.env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
        Process::start(command, Duration::from_secs(1800)).wait().exits(0);
        let library = copy.join("target/debug/libpallet_crate_automated_admin_user.so");
        built.push(fs::read(library).unwrap());
    }
    assert!(built[0] == built[1], "the libraries differ");
    let text = String::from_utf8_lossy(&built[0]);
    assert!(!text.contains(home.home().to_str().unwrap()), "it has a path of this machine");
}
