//! Parses the simulated installations of dnf, yum and zypper. `None`: the changes cannot be
//! predicted.

/// Parses the output of `dnf --assumeno install`, or yum's: a table with headings, where each
/// package is on a line with one leading space.
///
/// If packages would be removed or skipped, the list would not be the whole change, so the result
/// is `None`.
pub(super) fn dnf(text: &str) -> Option<Vec<&str>> {
    let (table, _) = text.split_once("\nTransaction Summary")?;
    let (mut come, mut counts) = (Vec::new(), false);
    for line in table.lines() {
        if let Some(heading) = line
            .strip_suffix(':')
            .filter(|heading| heading.starts_with(|first: char| first.is_ascii_uppercase()))
        {
            let verb = heading.split(' ').next().unwrap_or_default();
            if matches!(verb, "Removing" | "Skipping" | "Skipped") {
                return None;
            }
            counts = matches!(
                verb,
                "Installing" | "Upgrading" | "Updating" | "Downgrading" | "Reinstalling"
            );
        } else if let Some(package) =
            line.strip_prefix(' ').filter(|rest| counts && !rest.starts_with(' '))
        {
            come.extend(package.split(' ').next());
        }
    }
    Some(come)
}

/// Parses the output of `zypper --xmlout install --dry-run`: lists of planned changes, each with
/// its packages.
pub(super) fn zypper(text: &str) -> Option<Vec<&str>> {
    let (_, summary) = text.split_once("<install-summary")?;
    let (summary, _) = summary.split_once("</install-summary>")?;
    let (mut come, mut list) = (Vec::new(), "");
    for line in summary.lines().map(str::trim_start) {
        if let Some(name) = line.strip_prefix("<to-") {
            list = name.trim_end_matches('>');
        } else if let Some(name) = line
            .strip_prefix("<solvable type=\"package\" name=\"")
            .and_then(|rest| rest.split('"').next())
        {
            if list == "remove" {
                return None;
            }
            come.push(name);
        }
    }
    Some(come)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from dnf 4.14, with names that are longer than their column.
    const DNF: &str = "Last metadata expiration check: 0:07:47 ago on Sun Nov 29 00:57:44 2026.
Dependencies resolved.
================================================================================
 Package          Arch       Version         Repository                    Size
================================================================================
Installing:
 law-two          noarch     3:2.0-1         law                          5.9 k
 law-with-a-very-long-name-that-does-not-fit-into-its-column-at-all
                  noarch     1.0-1           law                          6.2 k
Upgrading:
 law-rest         noarch     1.1-1           law                          5.9 k
     replacing  law-old.noarch 1.0-1
Installing dependencies:
 law-one          noarch     1.1-1           law                          5.9 k
Enabling module streams:
 law                         1.24

Transaction Summary
================================================================================
Install  3 Packages
Upgrade  1 Package

Total size: 24 k
Operation aborted.
";

    #[test]
    fn the_table_of_dnf() {
        let long = "law-with-a-very-long-name-that-does-not-fit-into-its-column-at-all";
        assert_eq!(dnf(DNF), Some(vec!["law-two", long, "law-rest", "law-one"]));
        assert_eq!(dnf("Error: Unable to find a match: law-none\n"), None);
        assert_eq!(dnf(&DNF.replace("Upgrading:", "Removing dependent packages:")), None);
        assert_eq!(
            dnf(&DNF.replace("Upgrading:", "Skipping packages with broken dependencies:")),
            None
        );
    }

    /// In the format of yum 3.
    const YUM: &str = "Dependencies Resolved

================================================================================
 Package            Arch          Version                 Repository       Size
================================================================================
Installing:
 nginx              x86_64        1:1.20.1-10.el7         epel            588 k
Installing for dependencies:
 nginx-filesystem   noarch        1:1.20.1-10.el7         epel             24 k
Updating for dependencies:
 openssl11-libs     x86_64        1:1.1.1k-7.el7          epel            1.5 M

Transaction Summary
================================================================================
Install  1 Package (+1 Dependent package)
Exiting on user command
";

    #[test]
    fn the_table_of_yum() {
        assert_eq!(dnf(YUM), Some(vec!["nginx", "nginx-filesystem", "openssl11-libs"]));
    }

    /// Recorded from zypper 1.14.
    const ZYPPER: &str = "<?xml version='1.0'?>
<stream>
<message type=\"info\">Resolving package dependencies...</message>
<install-summary download-size=\"18109\" space-usage-diff=\"12\" packages-to-change=\"2\">
<to-install>
<solvable type=\"package\" name=\"law-one\" edition=\"1.1-1\" arch=\"noarch\" summary=\"test\">
<description>test</description></solvable>
<solvable type=\"package\" name=\"law-two\" edition=\"2.0-1\" arch=\"noarch\" summary=\"test\">
<description>test</description></solvable>
</to-install>
</install-summary>
<prompt id=\"0\">
<text>Continue?</text>
</prompt>
</stream>
";

    #[test]
    fn the_lists_of_zypper() {
        assert_eq!(zypper(ZYPPER), Some(vec!["law-one", "law-two"]));
        assert_eq!(
            zypper(&ZYPPER.replace("to-install", "to-upgrade")),
            Some(vec!["law-one", "law-two"])
        );
        assert_eq!(zypper(&ZYPPER.replace("to-install", "to-remove")), None);
        assert_eq!(
            zypper(
                "<stream>\n<message type=\"error\">No provider of &apos;law-none&apos; \
            found.</message>\n</stream>\n"
            ),
            None
        );
    }
}
