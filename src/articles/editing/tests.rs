//! Part edits against the same edits on lists of lines, and where sections are in CommonMark's own corner cases.

use proptest::prelude::*;

use super::{Edit, Fault, SectionChange, applied_again, apply, merge};

/// Larger than any text of these tests.
const MAX_SIZE: u64 = 1 << 24;

fn section(name: &str, change: SectionChange) -> Edit {
    Edit::Section { section: name.to_owned(), change }
}

fn replace(name: &str, text: &str) -> Edit {
    section(name, SectionChange::Replace(text.to_owned()))
}

fn find(find: &str, replace: &str, count: usize) -> Edit {
    Edit::Replace { find: find.to_owned(), replace: replace.to_owned(), count }
}

fn applied(body: &str, edit: Edit) -> String {
    apply(body, &[edit], MAX_SIZE).expect("an edit that can be applied")
}

fn fault(body: &str, edit: Edit) -> Fault {
    apply(body, &[edit], MAX_SIZE).expect_err("an edit that cannot be applied").fault
}

#[test]
fn text_is_added_at_both_ends_as_lines_of_its_own() {
    for (body, end, beginning) in [
        ("", "new\n", "new\n"),
        ("old\n", "old\n\nnew\n", "new\n\nold\n"),
        ("old", "old\n\nnew", "new\n\nold"),
        ("old\n\n", "old\n\nnew\n", "new\n\nold\n\n"),
        ("old\r\nlines\r\n", "old\r\nlines\r\n\r\nnew\r\n", "new\r\n\r\nold\r\nlines\r\n"),
        ("---\ntitle: T\n---\nold\n", "---\ntitle: T\n---\nold\n\nnew\n", "---\ntitle: T\n---\nnew\n\nold\n"),
        ("\u{feff}old\n", "\u{feff}old\n\nnew\n", "\u{feff}new\n\nold\n"),
    ] {
        assert_eq!(applied(body, Edit::Append("\nnew\n".to_owned())), end, "{body:?}");
        let prepended = applied(body, Edit::Prepend("new\n".to_owned()));
        // After front matter the text is set apart as well.
        let expected = beginning.replace("---\nnew", "---\n\nnew");
        assert_eq!(prepended.replace("\u{feff}\n\n", "\u{feff}"), expected, "{body:?}");
    }
}

#[test]
fn items_and_rows_go_on_the_list_or_table_before_them() {
    assert_eq!(applied("- one\n- two\n", Edit::Append("- three".to_owned())), "- one\n- two\n- three\n");
    assert_eq!(applied("1. one\n", Edit::Append("2. two".to_owned())), "1. one\n2. two\n");
    assert_eq!(applied("| a |\n|---|\n| 1 |\n", Edit::Append("| 2 |".to_owned())), "| a |\n|---|\n| 1 |\n| 2 |\n");
    assert_eq!(applied("- one\n", Edit::Append("text".to_owned())), "- one\n\ntext\n");
    // Blank lines stand behind the list, and not within it.
    let after = |body: &str| applied(body, section("Log", SectionChange::InsertAfter("- new".to_owned())));
    assert_eq!(after("## Log\n\n- a\n\n## Next\n"), "## Log\n\n- a\n- new\n\n## Next\n");
    assert_eq!(after("## Log\r\n- a\r\n  more\r\n\r\n\r\n# B"), "## Log\r\n- a\r\n  more\r\n- new\r\n\r\n\r\n# B");
    assert_eq!(after("# Log\n- a\n\ntext\n\n"), "# Log\n- a\n\ntext\n\n- new\n");
    assert_eq!(applied("- a\n\n\n", Edit::Append("- b".to_owned())), "- a\n- b\n\n\n");
}

const GUIDE: &str = "intro\n\n# A\n\na\n\n## B\nb\n### C\nc\n\n## D\n\n# E\ne";

#[test]
fn a_section_ends_where_the_next_one_begins_that_is_not_lower() {
    for (edit, expected) in [
        (replace("A > B", "new"), "intro\n\n# A\n\na\n\n## B\nnew\n\n## D\n\n# E\ne"),
        (replace("B", "## Bee\nnew"), "intro\n\n# A\n\na\n\n## Bee\nnew\n\n## D\n\n# E\ne"),
        (replace("D", "d"), "intro\n\n# A\n\na\n\n## B\nb\n### C\nc\n\n## D\n\nd\n\n# E\ne"),
        (replace("E", "end"), "intro\n\n# A\n\na\n\n## B\nb\n### C\nc\n\n## D\n\n# E\nend"),
        (section("B", SectionChange::Delete), "intro\n\n# A\n\na\n\n## D\n\n# E\ne"),
        (
            section("D", SectionChange::InsertBefore("## N\nn".to_owned())),
            "intro\n\n# A\n\na\n\n## B\nb\n### C\nc\n\n## N\nn\n\n## D\n\n# E\ne",
        ),
        (
            section("C", SectionChange::InsertAfter("n".to_owned())),
            "intro\n\n# A\n\na\n\n## B\nb\n### C\nc\n\nn\n\n## D\n\n# E\ne",
        ),
    ] {
        assert_eq!(applied(GUIDE, edit.clone()), expected, "{edit:?}");
    }
}

#[test]
fn headings_are_those_of_commonmark() {
    for (body, name, expected) in [
        // In a fence, a quotation, a list, an indented block or a comment there are no headings.
        ("# A\n```\n# B\n```\n# C\n", "A", "# A\nnew\n# C\n"),
        ("# A\n> # B\n# C\n", "A", "# A\nnew\n# C\n"),
        ("# A\n- # B\n# C\n", "A", "# A\nnew\n# C\n"),
        ("# A\n\n    # B\n# C\n", "A", "# A\n\nnew\n# C\n"),
        ("# A\n<!--\n# B\n-->\n# C\n", "A", "# A\nnew\n# C\n"),
        // Both styles, trailing hashes, leading blanks, markup inside.
        ("A\n===\na\n\nB\n---\nb\n", "B", "A\n===\na\n\nB\n---\nnew\n"),
        ("A\n===\na\nB\n---\nb\n", "a B", "A\n===\na\nB\n---\nnew\n"),
        ("## A ##\na\n", "A", "## A ##\nnew\n"),
        ("   # A\na\n", "A", "   # A\nnew\n"),
        ("# *A* `b`\na\n", "A b", "# *A* `b`\nnew\n"),
        ("# A\r\n\r\na\r\n\r\n# B\r\n", "A", "# A\r\n\r\nnew\r\n\r\n# B\r\n"),
        ("# A", "A", "# A\n\nnew"),
        ("---\ntitle: A\n---\n# A\na\n", "A", "---\ntitle: A\n---\n# A\nnew\n"),
    ] {
        assert_eq!(applied(body, replace(name, "new")), expected, "{body:?}");
    }
    assert_eq!(
        applied("# U\u{308}n\na\n", replace("\u{fc}n", "new")),
        "# U\u{308}n\nnew\n",
        "an accent written otherwise"
    );
    for body in ["```\n# A\n```", "> # A", "- # A", "#A", "\\# A"] {
        assert!(matches!(fault(body, replace("A", "new")), Fault::NoSection { .. }), "{body:?}");
    }
}

#[test]
fn of_sections_with_one_name_one_is_said_by_its_number_or_its_path() {
    let body = "# Log\none\n# Other\n## Log\ntwo\n# Log\nthree\n";
    let Fault::SeveralSections { names, .. } = fault(body, replace("log", "new")) else { panic!("which?") };
    assert_eq!(names, ["\"log [1]\" (Log, line 1)", "\"log [2]\" (Other > Log, line 4)", "\"log [3]\" (Log, line 6)"]);
    assert_eq!(applied(body, replace("Log [3]", "new")), "# Log\none\n# Other\n## Log\ntwo\n# Log\nnew\n");
    assert_eq!(applied(body, replace("Other > Log", "new")), "# Log\none\n# Other\n## Log\nnew\n# Log\nthree\n");
    assert!(matches!(fault(body, replace("Log [4]", "new")), Fault::SeveralSections { .. }));
    assert_eq!(applied("# A [2]\na\n", replace("A [2]", "new")), "# A [2]\nnew\n", "brackets of the heading's own");
}

#[test]
fn a_text_is_replaced_as_often_as_expected_or_not_at_all() {
    assert_eq!(applied("a b a", find("b", "", 1)), "a  a");
    assert_eq!(applied("a b a", find("a", "c", 2)), "c b c");
    assert_eq!(applied("one\r\ntwo\r\n", find("one\ntwo", "1\n2", 1)), "1\r\n2\r\n");
    let Fault::Count { found: 2, expected: 1, places } = fault("x a\ny\nz a", find("a", "c", 1)) else { panic!("two") };
    assert_eq!(places, ["line 1: x a", "line 3: z a"]);
    let Fault::NotFound { near } = fault("The  Moon rises", find("the moon", "c", 1)) else { panic!("none") };
    assert_eq!(near.as_deref(), Some("line 1: \"The  Moon rises\""));
    assert_eq!(fault("a", find("", "c", 1)), Fault::NothingToFind);
}

#[test]
fn several_edits_are_all_applied_or_none() {
    let edits = [replace("E", "## New\nx"), replace("New", "y"), Edit::Append("z".to_owned())];
    assert_eq!(apply(GUIDE, &edits, MAX_SIZE).expect("all"), GUIDE.replace("# E\ne", "# E\n## New\ny\n\nz"));
    let refused = apply(GUIDE, &[Edit::Append("z".to_owned()), replace("No", "x")], MAX_SIZE).expect_err("one");
    assert_eq!((refused.number, refused.of), (2, 2));
    assert!(refused.to_string().starts_with("edit 2 of 2: there is no section \"No\""), "{refused}");
    assert!(matches!(apply(GUIDE, &[], MAX_SIZE).expect_err("nothing").fault, Fault::NoEdit));
}

#[test]
fn what_is_inserted_takes_no_heading_behind_it_along() {
    for text in ["```\nopen", "<!-- open", "~~~~\n```"] {
        let edit = replace("B", text);
        assert!(matches!(fault(GUIDE, edit), Fault::Swallows { ref heading } if heading == "D"), "{text}");
    }
    assert!(apply(GUIDE, &[Edit::Append("```\nopen".to_owned())], MAX_SIZE).is_ok(), "nothing stands behind");
}

#[test]
fn a_text_never_grows_past_what_an_article_may_be() {
    let (body, bomb) = ("a".repeat(1_000_000), "b".repeat(100_000));
    let edits = [find("a", &bomb, 1_000_000)];
    let refused = apply(&body, &edits, MAX_SIZE).expect_err("a hundred gigabytes");
    assert!(matches!(refused.fault, Fault::TooLarge { limit: MAX_SIZE, .. }), "{refused}");
    assert!(matches!(fault(&body, find("a", "", usize::MAX)), Fault::Count { .. }));
    let growing: Vec<_> = (0..60).map(|_| Edit::Append(body.clone())).collect();
    assert!(matches!(apply("", &growing, MAX_SIZE).expect_err("too much").fault, Fault::TooLarge { .. }));
    let many = vec![Edit::Append("x".to_owned()); 101];
    assert!(matches!(apply("", &many, MAX_SIZE).expect_err("too many").fault, Fault::ManyEdits { most: 100 }));
}

#[test]
fn front_matter_in_the_text_stays_unless_it_is_what_is_replaced() {
    let body = "---\r\ntitle: T\r\ntags: [a]\r\n---\r\n# A\r\n\r\na";
    assert_eq!(
        applied(body, Edit::Prepend("new\nlines".to_owned())),
        body.replace("# A", "\r\nnew\r\nlines\r\n\r\n# A")
    );
    assert_eq!(applied(body, replace("A", "é🦀")), body.replace("\na", "\né🦀"));
    assert_eq!(applied(body, find("tags: [a]", "tags: [b]", 1)), body.replace("[a]", "[b]"));
    let Fault::NoSection { names, .. } = fault(body, replace("title: T", "x")) else { panic!("no section") };
    assert_eq!(names, ["A"]);
}

#[test]
fn a_text_without_headings_is_said_to_have_none() {
    for body in ["text\n", "#\n\ntext\n"] {
        let told = fault(body, replace("e", "x")).to_string();
        assert_eq!(told, "there is no section \"e\"; the text has no headings", "{body:?}");
    }
}

/// A document of plain sections, as lists of lines.
#[derive(Debug, Clone)]
struct Document {
    end: &'static str,
    has_last_end: bool,
    /// Level, and paragraphs of one line.
    sections: Vec<(usize, Vec<String>)>,
}

impl Document {
    fn text(&self) -> String {
        let mut blocks = Vec::new();
        for (number, (level, paragraphs)) in self.sections.iter().enumerate() {
            blocks.push(format!("{} S{number}", "#".repeat(*level)));
            blocks.extend(paragraphs.iter().cloned());
        }
        let text = blocks.join(&self.end.repeat(2));
        if self.has_last_end { text + self.end } else { text }
    }
}

fn documents() -> impl Strategy<Value = Document> {
    let paragraphs = proptest::collection::vec("[a-z]{1,6}( [a-z]{1,6})?", 0..3);
    let sections = proptest::collection::vec((1_usize..4, paragraphs), 1..8);
    (proptest::bool::ANY, proptest::bool::ANY, sections).prop_map(|(crlf, has_last_end, sections)| Document {
        end: if crlf { "\r\n" } else { "\n" },
        has_last_end,
        sections,
    })
}

/// The blocks of a text, which these documents separate by blank lines.
fn blocks(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// An edit on a list of blocks, as a person would do it by hand.
fn by_hand(mut blocks: Vec<String>, edit: &Edit) -> Vec<String> {
    let level = |block: &str| block.bytes().take_while(|&byte| byte == b'#').count();
    let bounds = |name: &str| {
        let start = blocks.iter().position(|block| block.trim_start_matches(['#', ' ']) == name).expect("a section");
        let own = level(&blocks[start]);
        let next = blocks[start + 1..].iter().position(|block| (1..=own).contains(&level(block)));
        (start, next.map_or(blocks.len(), |next| start + 1 + next))
    };
    match edit {
        Edit::Append(text) => blocks.push(text.clone()),
        Edit::Prepend(text) => blocks.insert(0, text.clone()),
        Edit::Section { section, change } => {
            let (start, end) = bounds(section);
            match change {
                SectionChange::Replace(text) => drop(blocks.splice(start + 1..end, [text.clone()])),
                SectionChange::InsertBefore(text) => blocks.insert(start, text.clone()),
                SectionChange::InsertAfter(text) => blocks.insert(end, text.clone()),
                SectionChange::Delete => drop(blocks.drain(start..end)),
            }
        }
        Edit::Replace { find, replace, .. } => {
            for block in &mut blocks {
                *block = block.replace(find, replace);
            }
        }
    }
    blocks
}

/// An edit of these blocks, of some kind, at one of their headings.
fn some_edit(blocks: &[String], kind: usize, place: usize, new: String) -> Edit {
    let headings = blocks.iter().filter(|block| block.starts_with('#'));
    let names: Vec<_> = headings.map(|block| block.trim_start_matches(['#', ' '])).collect();
    match (kind, names.get(place % names.len().max(1))) {
        (0, _) | (_, None) => Edit::Append(new),
        (1, _) => Edit::Prepend(new),
        (2, Some(name)) => section(name, SectionChange::Replace(new)),
        (3, Some(name)) => section(name, SectionChange::InsertBefore(new)),
        (4, Some(name)) => section(name, SectionChange::InsertAfter(new)),
        (_, Some(name)) => section(name, SectionChange::Delete),
    }
}

/// Applies `ours`, made for `base`, to `newest`.
fn again(base: &str, newest: &str, ours: Edit) -> Option<String> {
    applied_again(base, newest, &[ours], MAX_SIZE)
}

#[test]
fn what_is_added_at_an_end_goes_with_whatever_others_changed() {
    let base = "# Log\n\none\n";
    for (newest, appended, prepended) in [
        ("# Log\n\none\n\ntheirs\n", "# Log\n\none\n\ntheirs\n\nours\n", "ours\n\n# Log\n\none\n\ntheirs\n"),
        ("theirs\n\n# Log\n\none\n", "theirs\n\n# Log\n\none\n\nours\n", "ours\n\ntheirs\n\n# Log\n\none\n"),
        ("", "ours\n", "ours\n"),
    ] {
        assert_eq!(again(base, newest, Edit::Append("ours".to_owned())).as_deref(), Some(appended), "{newest:?}");
        assert_eq!(again(base, newest, Edit::Prepend("ours".to_owned())).as_deref(), Some(prepended), "{newest:?}");
    }
    let (ours, theirs) =
        (applied(base, Edit::Append("ours".to_owned())), applied(base, Edit::Append("theirs".to_owned())));
    assert_eq!(merge(base, &ours, &theirs), None, "lines alone say no");
}

#[test]
fn a_section_is_changed_again_if_it_is_the_one_that_it_was() {
    let ours = || replace("D", "ours");
    let beside = || section("D", SectionChange::InsertAfter("ours".to_owned()));
    for (newest, is_replaced, is_put_beside) in [
        (GUIDE.replace("# E\ne", "# E\ntheirs"), true, true),
        (GUIDE.replace("## D\n", "## D\n\ntheirs\n"), false, true),
        (GUIDE.replace("## D\n", ""), false, false),
        (GUIDE.replace("# A\n", "# Other\n"), false, false),
        (format!("{GUIDE}\n## D\n"), false, false),
        (GUIDE.replace("## D\n", "### D\n\n## Between\n\n## D\n"), false, false),
    ] {
        assert_eq!(again(GUIDE, &newest, ours()).is_some(), is_replaced, "{newest:?}");
        assert_eq!(again(GUIDE, &newest, beside()).is_some(), is_put_beside, "{newest:?}");
    }
    let (base, newest) = ("# Log\n1\n# Log\n2\n", "# Log\n0\n# Log\n1\n");
    assert_eq!(again(base, newest, section("Log [2]", SectionChange::InsertAfter("ours".to_owned()))), None);
    let newest = "# Log\n0\n# Log\n2\n";
    let both = again(base, newest, replace("Log [2]", "ours"));
    assert_eq!(both.as_deref(), Some("# Log\n0\n# Log\nours\n"));
}

#[test]
fn a_found_text_is_replaced_again_where_it_was() {
    let base = "# A\n\nstatus: open\n\n# B\n\nnothing\n";
    let ours = || find("open", "done", 1);
    for (newest, expected) in [
        (base.replace("nothing", "something"), Some(base.replace("nothing", "something").replace("open", "done"))),
        (format!("more\n\n{base}"), Some(format!("more\n\n{base}").replace("open", "done"))),
        (base.replace("status: open", "status: open, of theirs"), Some(base.replace("open", "done, of theirs"))),
        (base.replace("nothing", "open"), None),
        (base.replace("open", "closed"), None),
        (base.replace("open", "closed").replace("nothing", "status: open"), None),
    ] {
        assert_eq!(again(base, &newest, ours()), expected, "{newest:?}");
    }
    let crlf = base.replace('\n', "\r\n");
    let newest = crlf.replace("nothing", "something");
    let both = again(&crlf, &newest, find("# A\n\nstatus", "# A\n\nstate", 1));
    assert_eq!(both, Some(newest.replace("status", "state")));
}

#[test]
fn several_edits_are_applied_again_all_or_none() {
    let newest = GUIDE.replace("# E\ne", "# E\ntheirs");
    let edits = [replace("D", "ours"), Edit::Append("more".to_owned()), find("intro", "beginning", 1)];
    let both = applied_again(GUIDE, &newest, &edits, MAX_SIZE);
    assert_eq!(both, Some(apply(&newest, &edits, MAX_SIZE).expect("a text")));
    assert_eq!(applied_again(GUIDE, &newest, &[Edit::Append("more".to_owned()), replace("E", "ours")], MAX_SIZE), None);
    assert_eq!(applied_again(GUIDE, &newest, &[Edit::Append("more".to_owned())], 10), None, "too large");
}

proptest! {
    #[test]
    fn edits_are_those_that_are_made_by_hand_on_lines(
        document in documents(),
        steps in proptest::collection::vec((0_usize..6, 0_usize..8, "[A-Z]{3,8}"), 1..8),
    ) {
        let mut text = document.text();
        for (kind, place, new) in steps {
            let before = blocks(&text);
            let edit = some_edit(&before, kind, place, new);
            let after = applied(&text, edit.clone());
            prop_assert_eq!(blocks(&after), by_hand(before, &edit), "{:?} of {:?}", edit, text);
            if document.end == "\r\n" && text.contains("\r\n") {
                prop_assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
            }
            text = after;
        }
    }

    /// Whatever two make of one text: what is joined has both.
    #[test]
    fn an_edit_that_is_applied_again_loses_nothing_of_others(
        document in documents(),
        theirs in (0_usize..6, 0_usize..8),
        ours in (0_usize..6, 0_usize..8),
    ) {
        let base = document.text();
        let edit = |(kind, place), new: &str| some_edit(&blocks(&base), kind, place, new.to_owned());
        let (theirs, ours) = (edit(theirs, "THEIRS"), edit(ours, "OURS"));
        let newest = applied(&base, theirs.clone());
        let both = again(&base, &newest, ours.clone());
        if let Some(both) = &both {
            for (new, alone) in [("THEIRS", newest), ("OURS", applied(&base, ours.clone()))] {
                prop_assert_eq!(both.contains(new), alone.contains(new), "{:?} {:?} {:?}", base, theirs, ours);
            }
        }
        if matches!(ours, Edit::Append(_) | Edit::Prepend(_)) {
            prop_assert!(both.is_some(), "{:?} {:?} {:?}", base, theirs, ours);
        }
    }

    #[test]
    fn bytes_outside_the_part_never_change(
        body in crate::markdown::sample::markdown(), new in "[a-z]{1,8}", place in 0_usize..20,
    ) {
        let appended = applied(&body, Edit::Append(new.clone()));
        prop_assert!(appended.starts_with(&body));
        prop_assert_eq!(appended.ends_with('\n'), body.is_empty() || body.ends_with('\n'));
        let prepended = apply(&body, &[Edit::Prepend(new.clone())], MAX_SIZE);
        if let Ok(prepended) = prepended {
            prop_assert!(prepended.ends_with(&body[super::apply::beginning(&body)..]));
        }
        let all = crate::markdown::sections::sections(&body);
        let Some(one) = all.get(place % all.len().max(1)) else { return Ok(()) };
        let edit = |change| apply(&body, &[section(&one.name(), change)], MAX_SIZE);
        let (before, after) = (&body[..one.range.start], &body[one.range.end..]);
        if let Ok(result) = edit(SectionChange::Replace(new.clone())) {
            prop_assert!(result.starts_with(&body[..one.heading.end]) && result.ends_with(after));
        }
        if let Ok(result) = edit(SectionChange::Delete) {
            prop_assert_eq!(result, [before, after].concat());
        }
        if let Ok(result) = edit(SectionChange::InsertBefore(new)) {
            prop_assert!(result.starts_with(before) && result.ends_with(&body[one.range.start..]));
        }
    }
}

#[test]
fn a_deletion_joins_no_lines() {
    let delete = || Edit::Section { section: "A".to_owned(), change: SectionChange::Delete };
    assert_eq!(applied("para\n## A\nx\n\nSub\n---\ny\n", delete()), "para\n\nSub\n---\ny\n");
    assert_eq!(applied("para\n## A\nx\n## B\ny\n", delete()), "para\n## B\ny\n");
}

#[test]
fn of_very_many_sections_some_are_named() {
    let body = "# H\n".repeat(30_000);
    let Fault::SeveralSections { names, count, .. } = fault(&body, replace("H", "new")) else { panic!("which?") };
    assert!(count == 30_000 && names.len() < 100);
}
