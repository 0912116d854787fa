//! Two declarations that undo each other are an error where they are declared, with both places.

use pallet_tests::Project;

const POOL: &str = "[project]\nname = \"contradictions\"\n\n[services.pool]\n\
    provider = \"node-list\"\n\n[services.pool.nodes.a1]\ngroup = \"a\"\nhost = \"127.0.0.1\"\n";

fn explained(body: &str) -> pallet_tests::Output {
    let project = Project::empty();
    project.write("pallet.toml", POOL);
    let function = format!(
        "def configure(request):\n{body}\n\n\
        group_spec(\"a\", phases = {{\"configure\": configure}})\n"
    );
    project.write("pallet.star", function);
    project.run(&["explain", "a"])
}

#[test]
fn fault_08_declarations_that_undo_each_other_are_refused() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    let keys = format!(
        "    k = \"{key}\"\n    authorized_key(request, \"dep\", k, options = \"no-pty\")\n    \
         authorized_key(request, \"dep\", k, options = \"restrict\")"
    );
    let said = explained(&keys).exits(1);
    said.says("pallet.star:3:")
        .says("pallet.star:4:")
        .says("undoes authorized_key dep")
        .says("how the key");
    let service = "    service(request, \"a\")\n    service(request, \"a\", action = \"stop\")";
    explained(service)
        .exits(1)
        .says("pallet.star:2:")
        .says("pallet.star:3:")
        .says("service a")
        .says("whether a.service runs");
    let file = "    remote_file(request, \"/srv/x\", content = \"a\")\n    remote_file(request, \
        \"/srv/x\", content = \"b\")";
    explained(file).exits(1).says("pallet.star:2:").says("the content of /srv/x");
    let apart = "    plan_when(request, \"test -e /x\", lambda request: service(request, \
        \"a\"))\n    \
        plan_when_not(request, \"test -e /x\", lambda request: service(request, \"a\", action = \
        \"stop\"))";
    explained(apart).exits(0);
    explained("    package(request, \"a\")\n    package(request, \"a\")").exits(0);
    let list = format!(
        "    user(request, \"dep\")\n    authorized_key(request, \"dep\", [\"{key}\", \"no-pty \
         {}\"], exclusive = True)",
        key.replace("JVl", "x").replace("KJl", "KJm")
    );
    explained(&list).exits(0);
}
