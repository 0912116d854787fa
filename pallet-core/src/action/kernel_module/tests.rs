//! Tests of the action on modules of the kernel.

use super::super::check::{NodeBuilder, check, node, planned};
use super::super::{ClaimIndex, Declared, Flags, RemoteFile, Sysctl, plan};
use super::*;
use crate::action::check::NoWorkspace;
use expect_test::expect;

const BOOT: &str = "/etc/modules-load.d/br_netfilter.conf";
const OPTIONS: &str = "/etc/modprobe.d/pallet-br_netfilter.conf";

fn module() -> KernelModule {
    KernelModule::new("br-netfilter")
}

/// A node where the module is in this state, without files about it.
fn with(module: &KernelModule, state: &str, obstacle: &str) -> NodeBuilder {
    let node = node()
        .reading(&module.state(), 0, state)
        .reading(&module.obstacle(), 0, obstacle)
        .without_file(BOOT)
        .without_file(OPTIONS);
    match module.others() {
        Some(words) => node.reading(&KernelModule::told(&words).1, 0, ""),
        None => node,
    }
}

#[test]
fn loads_what_is_missing() {
    check(
        module(),
        with(&module(), "missing", ""),
        expect![[r#"
        will load, create file
        + file root:root 0644
        @@ -0,0 +1 @@
        +br_netfilter
        ---
        ensure_module br_netfilter
        edited() { printf %s 'br_netfilter
        '; }
        edit_file /etc/modules-load.d/br_netfilter.conf create root root 0644
    "#]],
    );
    let options = || module().parameter("b", "1 2").parameter("a", "x").not_persistent();
    check(
        options(),
        with(&options(), "missing", ""),
        expect![[r#"
        will create file, load
        + file root:root 0644
        @@ -0,0 +1 @@
        +options br_netfilter a=x b="1 2"
        ---
        edited() { printf %s 'options br_netfilter a=x b="1 2"
        '; }
        edit_file /etc/modprobe.d/pallet-br_netfilter.conf create root root 0644
        ensure_module br_netfilter
    "#]],
    );
    // it is loaded, and not at boot
    check(
        module(),
        with(&module(), "loaded", ""),
        expect![[r#"
        will create file
        + file root:root 0644
        @@ -0,0 +1 @@
        +br_netfilter
        ---
        edited() { printf %s 'br_netfilter
        '; }
        edit_file /etc/modules-load.d/br_netfilter.conf create root root 0644
    "#]],
    );
}

#[test]
fn leaves_what_is_right() {
    for state in ["loaded", "built-in"] {
        // in a container too
        let node = with(&module(), state, "it is a container").file(BOOT, "br_netfilter\n", 0o644);
        check(module(), node, expect!["nothing to do"]);
    }
    check(module().absent(), with(&module().absent(), "missing", ""), expect!["nothing to do"]);
    let blacklisted = with(&module().blacklisted(), "missing", "").file(
        OPTIONS,
        "blacklist br_netfilter\n",
        0o644,
    );
    check(module().blacklisted(), blacklisted, expect!["nothing to do"]);
}

#[test]
fn unloads() {
    let all = |module: &KernelModule| {
        with(module, "loaded", "").file(BOOT, "br_netfilter\n", 0o644).file(
            OPTIONS,
            "options br_netfilter a=x\n",
            0o644,
        )
    };
    check(
        module().absent(),
        all(&module().absent()),
        expect![[r#"
        will delete file, unload
        - file root:root 0644
        @@ -1 +0,0 @@
        -options br_netfilter a=x
        - file root:root 0644
        @@ -1 +0,0 @@
        -br_netfilter
        ---
        ensure_absent /etc/modprobe.d/pallet-br_netfilter.conf
        ensure_absent /etc/modules-load.d/br_netfilter.conf
        ensure_no_module br_netfilter
    "#]],
    );
    check(
        module().blacklisted(),
        all(&module().blacklisted()),
        expect![[r#"
        will change content, delete file, unload
        @@ -1 +1 @@
        -options br_netfilter a=x
        +blacklist br_netfilter
        - file root:root 0644
        @@ -1 +0,0 @@
        -br_netfilter
        ---
        edited() { printf %s 'blacklist br_netfilter
        '; }
        edit_file /etc/modprobe.d/pallet-br_netfilter.conf create root root 0644
        ensure_absent /etc/modules-load.d/br_netfilter.conf
        ensure_no_module br_netfilter
    "#]],
    );
}

#[test]
fn is_loaded_again_for_other_parameters_if_told_to() {
    let options = || module().parameter("a", "y");
    let node = |module: &KernelModule| {
        with(module, "loaded", "").file(BOOT, "br_netfilter\n", 0o644).file(
            OPTIONS,
            "options br_netfilter a=x\n",
            0o644,
        )
    };
    check(
        options(),
        node(&options()),
        expect![[r#"
        will change content
        @@ -1 +1 @@
        -options br_netfilter a=x
        +options br_netfilter a=y
        ---
        edited() { printf %s 'options br_netfilter a=y
        '; }
        edit_file /etc/modprobe.d/pallet-br_netfilter.conf create root root 0644
    "#]],
    );
    check(
        options().reload(),
        node(&options()),
        expect![[r#"
        will change content, load again
        @@ -1 +1 @@
        -options br_netfilter a=x
        +options br_netfilter a=y
        ---
        unload_for_options br_netfilter /etc/modprobe.d/pallet-br_netfilter.conf 'options br_netfilter a=y
        '
        edited() { printf %s 'options br_netfilter a=y
        '; }
        edit_file /etc/modprobe.d/pallet-br_netfilter.conf create root root 0644
        ensure_module br_netfilter
    "#]],
    );
    check(
        module().reload(),
        node(&module()),
        expect![[r#"
        will delete file, load again
        - file root:root 0644
        @@ -1 +0,0 @@
        -options br_netfilter a=x
        ---
        unload_for_options br_netfilter /etc/modprobe.d/pallet-br_netfilter.conf ''
        ensure_absent /etc/modprobe.d/pallet-br_netfilter.conf
        ensure_module br_netfilter
    "#]],
    );
}

#[test]
fn decides_on_the_node_what_is_not_known() {
    check(
        module().parameter("a", "x").reload(),
        node(),
        expect![[r#"
        may edit file, load, edit file
        + file root:root 0644
        +options br_netfilter a=x
        + file root:root 0644
        +br_netfilter
        ---
        require_no_builtin br_netfilter
        require_module_files blacklist br_netfilter /etc/modprobe.d/pallet-br_netfilter.conf
        unload_for_options br_netfilter /etc/modprobe.d/pallet-br_netfilter.conf 'options br_netfilter a=x
        '
        edited() { printf %s 'options br_netfilter a=x
        '; }
        edit_file /etc/modprobe.d/pallet-br_netfilter.conf create root root 0644
        ensure_module br_netfilter
        edited() { printf %s 'br_netfilter
        '; }
        edit_file /etc/modules-load.d/br_netfilter.conf create root root 0644
    "#]],
    );
    check(
        module().absent(),
        node(),
        expect![[r#"
        may ensure it is absent, unload
        ---
        require_no_builtin br_netfilter
        require_module_files boot br_netfilter /etc/modules-load.d/br_netfilter.conf
        ensure_absent /etc/modprobe.d/pallet-br_netfilter.conf
        ensure_absent /etc/modules-load.d/br_netfilter.conf
        ensure_no_module br_netfilter
    "#]],
    );
}

#[test]
fn refuses_what_the_node_cannot() {
    let obstacle = "it has no modprobe; declare package(\"kmod\") before";
    check(
        module(),
        with(&module(), "missing", obstacle),
        expect![[
            r#"error: this node cannot load the kernel module br_netfilter: it has no modprobe; declare package("kmod") before"#
        ]],
    );
    check(
        module().absent(),
        with(&module().absent(), "loaded", obstacle),
        expect![[
            r#"error: this node cannot unload the kernel module br_netfilter: it has no modprobe; declare package("kmod") before"#
        ]],
    );
    for module in [module().absent(), module().blacklisted(), module().parameter("a", "x")] {
        assert_eq!(
            planned(module.clone(), with(&module, "built-in", "")),
            "error: br_netfilter is built into the kernel of this node: it cannot be unloaded, \
             and takes its parameters from the kernel's command line alone"
        );
    }
    let others = |module: &KernelModule, file: &str| {
        let (_, told) = KernelModule::told(&module.others().unwrap());
        with(module, "missing", "").reading(&told, 0, file)
    };
    check(
        module(),
        others(&module(), "/usr/lib/modprobe.d/x.conf"),
        expect![
            "error: /usr/lib/modprobe.d/x.conf blacklists the kernel module br_netfilter, so it \
             would not be loaded when the node starts; remove it there before"
        ],
    );
    check(
        module().absent(),
        others(&module().absent(), "/etc/modules"),
        expect![
            "error: /etc/modules loads the kernel module br_netfilter when the node starts; \
             remove it there before"
        ],
    );
}

#[test]
fn refuses_what_cannot_be() {
    for (module, why) in [
        (KernelModule::new("../x"), "\"../x\" is not the name of a module"),
        (KernelModule::new("-r"), "\"-r\" is not the name of a module"),
        (KernelModule::new(""), "\"\" is not the name of a module"),
        (module().parameter("a b", "1"), "\"a b\" is not the name of a parameter"),
        (module().parameter("a", "1\n2"), "the value \"1\\n2\" of a has a newline"),
        (module().parameter("a", "1\\"), "the value \"1\\\\\" of a has a newline"),
        (module().parameter("a", "1").absent(), "br-netfilter has parameters only when it is"),
        (module().reload().blacklisted(), "br-netfilter has parameters only when it is"),
    ] {
        let said = planned(module, node());
        assert!(said.starts_with(&format!("error: kernel_module: {why}")), "{said}");
    }
}

#[test]
fn parameters_are_text_or_numbers() {
    let read = |value: serde_json::Value| {
        serde_json::from_value::<KernelModule>(
            serde_json::json!({"name": "zram", "parameters": {"a": value}}),
        )
        .map(|module| module.options())
        .map_err(|error| error.to_string())
    };
    assert_eq!(read(2.into()), Ok("options zram a=2\n".to_owned()));
    assert_eq!(read("x y".into()), Ok("options zram a=\"x y\"\n".to_owned()));
    assert_eq!(
        read(true.into()),
        Err("true is not a value of a; give text or a number".to_owned())
    );
}

#[test]
fn a_module_brings_settings_that_were_missing() {
    let setting = Sysctl::new("net.bridge.bridge-nf-call-iptables", "1").not_persistent();
    let known = Sysctl::new("vm.swappiness", "10").not_persistent();
    let mut wanted = crate::observe::Observation::default();
    setting.observe(&mut wanted);
    known.observe(&mut wanted);
    let mut node = with(&module(), "missing", "").0;
    for (reading, path) in &wanted.readings.commands {
        let (exit, output) = if reading.contains("swappiness") { (0, "60") } else { (1, "") };
        node.set_reading(reading, Reading { exit, output: output.into(), of: path.clone() });
    }
    let actions = |module: KernelModule| {
        let mut module = module;
        module.prepare(&NoWorkspace).unwrap();
        [Declared::of(module), Declared::of(setting.clone()), Declared::of(known.clone())]
    };
    let certainties = |actions: &[Declared], mut node: NodeState| {
        plan(actions, &mut node, &mut Flags::new(), false).map(|steps| {
            steps
                .iter()
                .map(|step| step.change.as_ref().map(|change| change.certainty))
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        certainties(&actions(module()), node.clone()).unwrap(),
        [Some(Certainty::Will), Some(Certainty::May), Some(Certainty::Will)]
    );
    let (at, error) = certainties(&actions(module())[1..], node).unwrap_err();
    assert_eq!(at, 0);
    assert!(error.to_string().starts_with("there is no kernel setting net.bridge"), "{error}");
}

#[test]
fn two_declarations_of_one_module_agree_or_are_refused() {
    let undone = |one: KernelModule, other: KernelModule| {
        let (one, other) = (Declared::of(one), Declared::of(other));
        let mut index = ClaimIndex::default();
        assert_eq!(index.add(&one, &[]), None);
        index.add(&other, &[one]).map(|(_, what)| what)
    };
    let underscore = KernelModule::new("br_netfilter");
    assert_eq!(undone(module(), underscore.clone()), None);
    assert_eq!(undone(module(), underscore.clone().not_persistent().reload()), None);
    assert_eq!(
        undone(module(), underscore.clone().absent()).as_deref(),
        Some("whether br_netfilter is loaded")
    );
    assert_eq!(
        undone(module().parameter("a", "1"), underscore.parameter("a", "2")).as_deref(),
        Some("the content of /etc/modprobe.d/pallet-br_netfilter.conf")
    );
    let mut written = RemoteFile::content(BOOT, "overlay\n");
    written.prepare(&NoWorkspace).unwrap();
    let mut index = ClaimIndex::default();
    let one = Declared::of(module());
    assert_eq!(index.add(&one, &[]), None);
    let other = index.add(&Declared::of(written), &[one]);
    assert_eq!(other, Some((0, format!("the content of {BOOT}"))));
}
