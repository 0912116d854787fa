//! A crate in Starlark can do nothing but declare what it may declare.

use super::{MANIFEST, Shop};

#[test]
fn a_crate_may_do_what_it_declares_and_nothing_else() {
    let shop = Shop::new().by_path();
    let may = "[capabilities]\npaths = [\"/srv/page-*\"]\n";
    shop.write("crate.toml", &format!("{MANIFEST}{may}"));
    // its own templates are its own
    shop.configures("web.page(request, \"a\")");
    shop.project.run(&["lift", "--dry-run"]).exits(0).says("remote_file /srv/page-a");
    shop.project.run(&["doc", "web"]).exits(0).says("paths: /srv/page-*");
    shop.project.write("own.txt", "of the project\n");
    shop.project
        .write(".pallet/plugins/other/crate.toml", MANIFEST.replace("\"web\"", "\"other\""));
    shop.project.write(".pallet/plugins/other/crate.star", "def x(request):\n    pass\n");
    shop.project.write(".pallet/plugins/other/files/a", "of another crate\n");
    for (body, why) in [
        ("remote_file(request, \"/etc/shadow\", content = \"x\")", "it needs the path /etc/shadow"),
        ("package(request, \"nginx\")", "it needs the package nginx, and the crate declares no"),
        ("exec_script(request, \"id\")", "it needs the command id"),
        (
            "remote_file(request, \"/srv/page-x\", local_file = \"own.txt\")",
            "it needs the local file own.txt",
        ),
        (
            "remote_file(request, \"/srv/page-x\", local_file = \"@other/files/a\")",
            "it needs the local file @other/files/a",
        ),
        (
            "remote_file(request, \"/srv/page-x\", local_file = \"@web/../../etc/passwd\")",
            "leads out of its crate",
        ),
        ("locally(request, lambda request: directory(request, \"/srv/page-x\"))", "locally"),
    ] {
        shop.write("crate.star", &format!("def page(request, name: str):\n    {body}\n"));
        let output = shop.project.run(&["lift", "--dry-run"]);
        assert_ne!(output.code(), 0, "{body}: {output}");
        output.says(why);
    }
    // the caller's limits are not the crate's, nor the other way round
    shop.write("crate.star", "def page(request, name: str):\n    pass\n");
    shop.configures("web.page(request, \"a\"); directory(request, \"/etc/of-the-project\")");
    shop.project.run(&["lift", "--dry-run"]).exits(0).says("directory /etc/of-the-project");
}

/// Whatever a crate calls is in this list: no files, no network, no clock, no processes, no chance.
#[test]
fn the_language_of_crates_has_nothing_but_data_and_actions() {
    let shop = Shop::new().by_path();
    shop.configures("web.page(request, \"a\")");
    for name in [
        "open",
        "read",
        "glob",
        "run_command",
        "eval",
        "import",
        "time",
        "now",
        "random",
        "env",
        "getenv",
        "http",
        "socket",
        "secret",
        "group_spec",
        "node_spec",
        "fact",
        "os",
        "sys",
        "native",
    ] {
        let code = format!("def page(request, name: str):\n    {name}(\"/etc/passwd\")\n");
        shop.write("crate.star", &code);
        let output = shop.project.run(&["check"]).exits(2);
        output.says(&format!("`{name}`")).says("@web/crate.star:2");
    }
    // neither by a loop that does not end
    shop.write(
        "crate.star",
        "def page(request, name: str):\n    for i in range(1 << 30):\n        pass\n",
    );
    let output = shop.project.run(&["lift", "--dry-run"]);
    assert_ne!(output.code(), 0, "{output}");
    output.says("was stopped after 10s");
}
