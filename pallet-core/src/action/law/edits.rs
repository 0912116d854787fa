//! The law of actions that write what a part of the system reads, in a copy of this machine's root.

use super::super::Cron;
use super::*;

fn copy() -> Place {
    Place::of(Shell::copy())
}

/// Runs a script in the place, and returns what it prints.
fn printed(place: &Place, script: &str) -> String {
    let output = place.shell.run(&format!("set -e\n{script}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "needs root"]
fn jobs_of_cron() {
    let place = copy();
    printed(&place, "mkdir -p /etc/cron.d");
    let job = || Cron::new("law", "echo \"it's $HOME\" +%F").at(["*/5", "1-3", "*", "*", "mon"]).env("A", "b c");
    place.law(job(), true);
    place.law_of_unknown(job(), false);
    place.law_of_unknown(job().user("daemon"), true);
    assert_eq!(
        printed(&place, "stat -c '%U %G %a' /etc/cron.d/pallet-law; cat /etc/cron.d/pallet-law"),
        "root root 644\nA=\"b c\"\n*/5 1-3 * * mon daemon echo \"it's $HOME\" +\\%F\n"
    );
    place.law(job().absent(), true);
    place.law_of_unknown(job().absent(), false);
    printed(&place, "mkdir -p /etc/crontabs; sed -i 's/^ID=.*/ID=alpine/; /^ID_LIKE/d' \"$(readlink -f /etc/os-release)\"");
    place.law(job(), true);
    place.law_of_unknown(job(), false);
    place.law_of_unknown(job().special("@daily").at(["*"; 5]), true);
    assert_eq!(
        printed(&place, "stat -c %a /etc/crontabs/root; cat /etc/crontabs/root /etc/crontabs/cron.update"),
        "600\n0 0 * * * export A='b c'; echo \"it's $HOME\" +%F # pallet: law\nroot\nroot\n"
    );
    place.law(job().absent(), true);
}
