//! What an archive must not do, whoever made it; and what `archive` does besides.

use std::os::unix::fs::MetadataExt;
use std::process::Command;

use super::super::unpacking::Unpack;
use super::super::{Archive, RemoteDirectory};
use super::*;

/// Makes an archive of the project by a script, which finds its name in `$1`; returns false if a
/// tool is missing.
fn made(place: &Place, archive: &str, script: &str) -> bool {
    let work = place.project.0.path().join("work");
    fs::create_dir_all(&work).expect("it can be made");
    let path = place.project.0.path().join(archive);
    fs::remove_file(&path).ok();
    let status = Command::new("sh")
        .args(["-ec", script, "sh"])
        .arg(&path)
        .current_dir(&work)
        .stderr(std::process::Stdio::null())
        .status();
    fs::remove_dir_all(&work).expect("it is there");
    status.is_ok_and(|status| status.success())
}

/// By Python, which refuses nothing; `t` is the tar file, and `add` adds a member.
fn tar_of(place: &Place, archive: &str, members: &str) -> bool {
    let program = format!(
        "import io, sys, tarfile\n\
         t = tarfile.open(sys.argv[1], 'w')\n\
         def add(name, kind=tarfile.REGTYPE, to='', content=b'hostile\\n', mode=0o644):\n\
         \x20   member = tarfile.TarInfo(name)\n\
         \x20   member.type, member.linkname, member.mode = kind, to, mode\n\
         \x20   if kind == tarfile.REGTYPE: member.size = len(content)\n\
         \x20   t.addfile(member, io.BytesIO(content) if kind == tarfile.REGTYPE else None)\n\
         LINK, HARD = tarfile.SYMTYPE, tarfile.LNKTYPE\n\
         FIFO, CHR = tarfile.FIFOTYPE, tarfile.CHRTYPE\n\
         {members}\nt.close()\n"
    );
    fs::write(place.project.0.path().join("make.py"), program).expect("it can be written");
    made(place, archive, "python3 ../make.py \"$1\"")
}

#[test]
#[ignore = "needs root"]
fn nothing_is_written_outside_of_the_directory() {
    for place in places() {
        let outside = place.path("outside");
        let hostile = [
            ("absolute", format!("add('{outside}/file')")),
            ("climbing", "add('app/../../outside/file')".to_owned()),
            ("out", format!("add('out', LINK, '{outside}')\nadd('out/file')")),
            ("up", "add('d/up', LINK, '../../outside')\nadd('d/up/file')".to_owned()),
            ("middle", "add('d/x')\nadd('up', LINK, 'd/../../outside')\nadd('up/file')".to_owned()),
            (
                "chain",
                "add('a', LINK, '.')\nadd('b', LINK, 'a/../../outside')\nadd('b/file')".to_owned(),
            ),
            ("hard", format!("add('x')\nadd('mine', HARD, '{outside}/secret')")),
            ("hard-up", "add('x')\nadd('mine', HARD, '../../outside/secret')".to_owned()),
            ("through", format!("add('l', LINK, '{outside}/secret')\nadd('l')")),
            ("device", "add('x')\nadd('null', CHR, mode=0o666)".to_owned()),
            ("pipe", "add('x')\nadd('pipe', FIFO)".to_owned()),
        ];
        for (name, members) in hostile {
            fs::create_dir_all(&outside).expect("it can be made");
            fs::write(format!("{outside}/secret"), "secret\n").expect("it can be written");
            fs::set_permissions(format!("{outside}/secret"), fs::Permissions::from_mode(0o4711))
                .expect("it is ours");
            let archive = format!("{name}.tar");
            if !tar_of(&place, &archive, &members) {
                return;
            }
            let label = format!("{}: {name}", place.shell);
            let path = place.path(&format!("app/{name}"));
            let action = place.prepared(Archive::local_file(&path, &archive).owner("daemon"));
            let change = action
                .plan(&mut place.observe(&action))
                .expect("it can be planned")
                .expect("it is not there");
            match place.apply(&change) {
                // the tool has left the names within
                Ok(_) => assert!(["absolute", "climbing", "through"].contains(&name), "{label}"),
                Err(said) => {
                    let told = said.contains("the archive has ")
                        || said.contains("cannot unpack the archive into ");
                    assert!(told, "{label}: {said}");
                    assert_eq!(names(Path::new(&path)), Vec::<String>::new(), "{label}");
                }
            }
            assert_eq!(names(Path::new(&outside)), ["secret"], "{label}");
            let secret = fs::metadata(format!("{outside}/secret")).expect("it is there");
            assert_eq!(
                (secret.mode() & 0o7777, secret.uid(), secret.nlink()),
                (0o4711, 0, 1),
                "{label}"
            );
            assert_eq!(
                fs::read_to_string(format!("{outside}/secret")).expect("it is there"),
                "secret\n",
                "{label}"
            );
            fs::remove_dir_all(place.path("app")).expect("it is there");
            fs::remove_dir_all(&outside).expect("it is there");
        }
    }
}

#[test]
#[ignore = "needs root"]
fn hard_links_out_of_an_archive_are_refused_by_remote_directory_too() {
    for place in places() {
        let secret = place.path("secret");
        fs::write(&secret, "secret\n").expect("it can be written");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o4711)).expect("it is ours");
        if !tar_of(&place, "hard.tar", &format!("add('x')\nadd('mine', HARD, '{secret}')")) {
            return;
        }
        let said = place.fails(RemoteDirectory::local_file(place.path("app"), "hard.tar"));
        let told = said.contains("the archive has hard links to files that are not in it")
            || said.contains("cannot unpack the archive into ");
        assert!(told, "{}: {said}", place.shell);
        assert_eq!((mode(&secret), names(Path::new(&place.path("app")))), (0o4711, Vec::new()));
    }
}

#[test]
#[ignore = "needs root"]
fn files_of_an_archive_have_no_rights_of_others() {
    for place in places() {
        let tool = "add('a/tool', mode=0o6755)\nadd('a/same', HARD, 'a/tool')\n\
            add('a/in', LINK, '../a/tool')";
        if !tar_of(&place, "tool.tar", tool) {
            return;
        }
        place.law(Archive::local_file(place.path("app"), "tool.tar").owner("daemon"), true);
        let tool = place.path("app/a/tool");
        assert_eq!(mode(&tool), 0o755, "{}", place.shell);
        let found = fs::metadata(&tool).expect("it is there");
        assert_eq!((found.uid(), found.nlink()), (1, 2), "{}", place.shell);
        assert_eq!(
            fs::read_link(place.path("app/a/in")).expect("it is a link").to_str(),
            Some("../a/tool")
        );
    }
}

#[test]
fn an_archive_is_unpacked_once() {
    let pack = "mkdir -p app-1/bin 'app-1/.hid den' && echo 1 >app-1/bin/run && \
        echo 2 >'app-1/.hid den/x' && \
        chmod 755 app-1/bin/run && echo 3 >top && ";
    for place in places() {
        let busybox = place.shell.to_string() == "busybox";
        for (archive, how) in [
            ("app.tar", "tar -cf"),
            ("app.tgz", "tar -czf"),
            ("app.tar.bz2", "tar -cjf"),
            ("app.tar.xz", "tar -cJf"),
            ("app.tar.zst", "tar --zstd -cf"),
            ("app.zip", "zip -qr"),
        ] {
            if !made(&place, archive, &format!("{pack} {how} \"$1\" top app-1"))
                || busybox && archive.ends_with("zst")
            {
                continue;
            }
            let path = place.path(&format!("it's {archive}"));
            let app = || Archive::local_file(&path, archive).strip_components(1).mode(0o750);
            place.law(app(), true);
            place.law(app(), false);
            place.law_of_unknown(app(), false);
            let mut found = names(Path::new(&path));
            found.retain(|name| name != ".pallet.directory");
            found.sort();
            assert_eq!(found, [".hid den", "bin"], "{}: {archive}", place.shell);
            assert_eq!((mode(&format!("{path}/bin/run")), mode(&path)), (0o755, 0o750));
            place.law(app().strip_components(0), true);
            assert!(Path::new(&format!("{path}/app-1/bin/run")).exists());
        }
    }
}

#[test]
fn an_archive_is_unpacked_until_it_created_something() {
    for place in places() {
        let pack =
            |content: &str| format!("mkdir bin && echo {content} >bin/run && tar -cf \"$1\" bin");
        assert!(made(&place, "app.tar", &pack("1")), "there is no tar");
        let (path, archive) = (place.path("app"), place.path("app.tar"));
        fs::copy(place.project.0.path().join("app.tar"), &archive).expect("it can be copied");
        let app = || Archive::remote_file(&path, &archive).creates(format!("{path}/bin/run"));
        place.law(app(), true);
        place.law(app(), false);
        place.law_of_unknown(app(), false);
        assert!(made(&place, "app.tar", &pack("2")), "there is no tar");
        fs::copy(place.project.0.path().join("app.tar"), &archive).expect("it can be copied");
        place.law(app(), false);
        fs::remove_file(format!("{path}/bin/run")).expect("it is there");
        place.law_of_unknown(app(), true);
        assert_eq!(fs::read_to_string(format!("{path}/bin/run")).expect("it is there"), "2\n");
        place.law_of_unknown(app().mode(0o700), true);
        fs::remove_file(&archive).expect("it is there");
        place.law(app(), false);
        fs::copy(place.project.0.path().join("app.tar"), &archive).expect("it can be copied");
        let said = place.fails(app().creates(format!("{path}/bin/other")));
        assert!(said.contains("the archive has no bin/other for "), "{}: {said}", place.shell);
    }
}

#[test]
fn names_that_are_the_same_once_they_are_stripped_are_refused() {
    for place in places() {
        if !made(&place, "two.zip", "mkdir a b && echo 1 >a/x && echo 2 >b/x && zip -qr \"$1\" a b")
        {
            return;
        }
        let two = Archive::local_file(place.path("two"), "two.zip").unpack(Unpack::Zip);
        place.law(two.clone(), true);
        let said = place.fails(two.strip_components(1));
        assert!(said.contains("the archive has x twice "), "{}: {said}", place.shell);
        assert!(made(&place, "one.zip", "mkdir a && echo 1 >a/x && zip -qr \"$1\" a"));
        let one = Archive::local_file(place.path("one"), "one.zip");
        let said = place.fails(one.strip_components(2));
        assert!(said.contains("the archive has nothing for "), "{}: {said}", place.shell);
    }
}
