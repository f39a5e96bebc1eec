//! Links in Markdown: each leads to a file that is there, to a heading that is in it, and, where its text is a name in
//! code, to a Rust file that defines the name. Web addresses are left alone.

use std::fs;
use std::path::Path;

/// What can stand before a name where it is defined.
const DEFINITIONS: [&str; 8] = ["fn", "struct", "enum", "trait", "mod", "const", "static", "type"];

/// What is wrong with the links of the Markdown file at `path`, taken from the workspace's `root`.
pub(super) fn broken(root: &Path, path: &Path, text: &str) -> Vec<String> {
    let folder = root.join(path.parent().unwrap_or(Path::new("")));
    let fault = |link: &Link| {
        let (file, heading) = link.address.split_once('#').unwrap_or((link.address, ""));
        let target = if file.is_empty() { root.join(path) } else { folder.join(file) };
        if !target.exists() {
            return Some("is not there");
        }
        if heading.is_empty() && !link.text.starts_with('`') {
            return None;
        }
        let text = fs::read_to_string(&target).unwrap_or_default();
        if !heading.is_empty() && !headings(&text).any(|found| found == heading) {
            return Some("has no such heading");
        }
        let name = link.text.trim_matches('`');
        let is_code = link.text.starts_with('`') && name.chars().all(is_word) && file.ends_with(".rs");
        let is_module = target.file_stem().is_some_and(|stem| stem == name);
        (is_code && !is_module && !defines(&text, name)).then_some("does not define the name")
    };
    let finding = |link: Link| {
        let fault = fault(&link)?;
        Some(format!("{}: [{}]({}) {fault}", path.display(), link.text, link.address))
    };
    links(text).filter(|link| !is_web_address(link.address)).filter_map(finding).collect()
}

/// `[text](address)`, also that of a picture.
struct Link<'a> {
    text: &'a str,
    address: &'a str,
}

fn links(text: &str) -> impl Iterator<Item = Link<'_>> {
    prose(text).flat_map(|line| {
        line.match_indices("](").filter_map(move |(end, _)| {
            let start = line[..end].rfind('[')? + 1;
            let (address, _) = line[end + 2..].split_once(')')?;
            Some(Link { text: &line[start..end], address })
        })
    })
}

/// The lines outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

/// The anchors of all headings, as GitHub makes them: lower case, without punctuation, words joined by hyphens.
fn headings(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter(|line| line.starts_with('#')).map(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|&letter| is_word(letter) || letter == ' ' || letter == '-');
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    })
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn is_web_address(address: &str) -> bool {
    ["https://", "http://", "mailto:"].iter().any(|scheme| address.starts_with(scheme))
}

fn defines(code: &str, name: &str) -> bool {
    DEFINITIONS.iter().any(|kind| {
        let definition = format!("{kind} {name}");
        code.match_indices(&definition)
            .any(|(start, _)| !code[start + definition.len()..].starts_with(is_word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_files_headings_and_definitions() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("docs")).unwrap();
        fs::write(root.path().join("code.rs"), "pub(crate) fn forward_all() {}\nstruct Plan {}\n").unwrap();
        fs::write(root.path().join("docs/other.md"), "# The first: a start\n```\n# Code\n```\n").unwrap();
        for (line, fault) in [
            ("[other](other.md)", None),
            ("[web](https://example.com/x)", None),
            ("![a picture](missing.svg)", Some("is not there")),
            ("[one](other.md) and [two](nowhere.md)", Some("is not there")),
            ("[other](other.md#the-first-a-start)", None),
            ("[other](other.md#code)", Some("has no such heading")),
            ("[here](#here-too)\n\n## Here, too", None),
            ("[here](#here)\n\n## Here, too", Some("has no such heading")),
            ("[`Plan`](../code.rs)", None),
            ("[`forward_all`](../code.rs)", None),
            ("[`forward`](../code.rs)", Some("does not define the name")),
            ("[`code`](../code.rs)", None),
            ("[a plan](../code.rs)", None),
            ("```text\n[one](nowhere.md)\n```", None),
        ] {
            let page = Path::new("docs/page.md");
            fs::write(root.path().join(page), line).unwrap();
            let findings = broken(root.path(), page, line);
            assert_eq!(findings.len(), usize::from(fault.is_some()), "{line}: {findings:?}");
            assert!(fault.is_none_or(|fault| findings[0].ends_with(fault)), "{line}: {findings:?}");
        }
    }
}
