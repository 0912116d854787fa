//! What is wrong with a crate in Starlark is one error with file and line.

use std::fs;

use super::{CODE, MANIFEST, Shop};

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let shop = Shop::new().by_path();
    shop.configures("web.page(request, \"a\")");
    let recursive = "def page(request, name: str):\n    page(request, name)\n";
    for (code, why, place) in [
        ("def page(request\n", "syntax error", "@web/crate.star:"),
        ("def page(name):\n    pass\n", "the first parameter of `page` must be `request`", ":1"),
        ("def page(request, *names):\n    pass\n", "`page` cannot take `*names`", ":1"),
        ("def page(request, x: set):\n    pass\n", "the type of `x` of `page` cannot be", ":1"),
        ("x = 1\n", "crate.star defines no function", "web"),
        ("load(\"//../../x.star\", \"x\")\n", "`//../../x.star` is outside the crate", ":1"),
        ("load(\"/etc/x.star\", \"x\")\n", "`/etc/x.star` is outside the crate", ":1"),
        ("load(\"none.star\", \"x\")\n", "there is no file none.star", ":1"),
        ("def package(request):\n    pass\n", "`package` is a name of Pallet or Starlark", ":1"),
        ("def page(request):\n    return len(x)\n\nlen = 1\n", "`len` is a name of Pallet", ":4"),
        ("load(\"@nginx\", file = \"site\")\n", "`nginx`", ":1"),
        ("group_spec(\"x\")\n", "`group_spec`", ":1"),
        ("fail(\"never\")\ndef page(request):\n    pass\n", "never", ":1"),
        (
            "def page(request, a: int, a2 = 1):\n    \"\"\"A.\n\n    Args:\n        b: B.\n    \
             \"\"\"\n",
            "describes `b`, which is no parameter",
            ":1",
        ),
        ("def page(request):\n    remote_fle(request, \"/x\")\n", "`remote_fle`", ":2"),
        ("load(\"crate.star\", \"x\")\n", "load each other in a cycle", ":1"),
    ] {
        shop.write("crate.star", code);
        let output = shop.project.run(&["check"]).exits(2);
        output.says("crate `web` cannot be loaded").says(why).says(place);
    }
    // it is found when it is called
    shop.write("crate.star", recursive);
    let output = shop.project.run(&["lift", "--dry-run"]);
    assert_ne!(output.code(), 0, "{output}");
    output.says("recurses too deep").says("@web/crate.star:2");
    shop.write("crate.star", "def page(request, name: str):\n    return page\n");
    shop.project.run(&["lift", "--dry-run"]).says("must be plain data");

    shop.write("crate.star", CODE);
    for (manifest, why) in [
        ("name = \"other\"\nversion = \"1.0.0\"\nabout = \"x\"\n", "there is no crate `web`"),
        (&MANIFEST.replace("0.1.0", "new"), "crate.toml: line 2: "),
        (&format!("{MANIFEST}[requires]\nredis-none = \"1\"\n"), "requires crate redis-none ^1"),
        (
            &format!("{MANIFEST}[requires]\nnginx = \"9\"\n"),
            "is installed: install another version of nginx or of web",
        ),
        (&format!("{MANIFEST}licence = \"x\"\n"), "unknown field `licence`"),
    ] {
        shop.write("crate.toml", manifest);
        shop.project.run(&["check"]).exits(2).says(why);
    }
}

#[test]
fn two_crates_that_want_the_same_file_are_told() {
    let shop = Shop::new().by_path();
    let other = shop.project.home().join("other");
    std::fs::create_dir_all(&other).unwrap();
    std::fs::write(other.join("crate.toml"), MANIFEST.replace("\"web\"", "\"other\"")).unwrap();
    let code = |text: &str| {
        format!(
            "def motd(request):\n    remote_file(request, \"/srv/motd\", content = \"{text}\")\n"
        )
    };
    shop.write("crate.star", &code("one"));
    std::fs::write(other.join("crate.star"), code("two")).unwrap();
    let path = format!("[plugins]\nother = {{ path = \"{}\" }}\n", other.display());
    shop.project.edit("pallet.toml", "[plugins]\n", &path);
    shop.configures("web.motd(request)\n    other.motd(request)");
    shop.project.edit("pallet.star", "load(", "load(\"@other\", \"other\")\nload(");
    shop.project
        .run(&["check"])
        .exits(2)
        .says("remote_file /srv/motd (pallet.star:6:5) undoes remote_file /srv/motd")
        .says("they differ in the content of /srv/motd; keep one of them");
}

#[test]
fn crates_that_load_each_other_are_refused() {
    let shop = Shop::new().by_path();
    shop.write("crate.toml", &format!("{MANIFEST}[requires]\nother = \"*\"\n"));
    shop.write("crate.star", "load(\"@other\", \"other\")\n\ndef page(request):\n    pass\n");
    let other = shop.project.home().join("other");
    std::fs::create_dir_all(&other).unwrap();
    let manifest = MANIFEST.replace("\"web\"", "\"other\"") + "[requires]\nweb = \"*\"\n";
    std::fs::write(other.join("crate.toml"), manifest).unwrap();
    let code = "load(\"@web\", \"web\")\n\ndef run(request):\n    pass\n";
    std::fs::write(other.join("crate.star"), code).unwrap();
    let path = format!("[plugins]\nother = {{ path = \"{}\" }}\n", other.display());
    shop.project.edit("pallet.toml", "[plugins]\n", &path);
    shop.configures("web.page(request)");
    shop.project
        .run(&["check"])
        .exits(2)
        .says("the crates load each other in a cycle: web -> other -> web");
}

#[test]
fn modules_that_never_end_or_lead_out_are_refused() {
    let shop = Shop::new().by_path();
    shop.configures("web.page(request, \"a\")");
    let module = shop.directory().join("lib/text.star");
    let main = shop.directory().join("crate.star");
    let refused = |why: &str| {
        shop.project.run(&["check"]).exits(2).says(why);
    };
    fs::remove_file(&module).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &module, rustix::fs::Mode::RUSR).unwrap();
    refused("cannot read @web/lib/text.star: it is not a regular file");
    fs::remove_file(&module).unwrap();
    fs::File::create(&module).unwrap().set_len(20 << 30).unwrap();
    refused("cannot read @web/lib/text.star: it has more than 4 MiB");
    fs::write(&module, "def line(name, port):\n    return name\n").unwrap();
    let outside = shop.project.home().join("outside.star");
    fs::rename(&main, &outside).unwrap();
    std::os::unix::fs::symlink(&outside, &main).unwrap();
    refused("cannot read @web/crate.star: it leads out of its crate");
    fs::remove_file(&main).unwrap();
    fs::rename(&outside, &main).unwrap();
    shop.project.run(&["check"]).exits(0);
}
