//! The outline of a text, and that reading it in windows changes nothing.

use proptest::prelude::*;

use super::*;
use crate::markdown::sample;

fn headings(body: &str) -> Vec<(u8, String)> {
    let heading = |piece| match piece {
        Piece::Heading(heading) => Some((heading.level, heading.text)),
        Piece::Block(_) => None,
    };
    Outline::new(body).filter_map(heading).collect()
}

fn blocks(body: &str) -> Vec<(&str, u32, Kind)> {
    let block = |piece| match piece {
        Piece::Block(mark) => Some((body[mark.at..].lines().next().unwrap_or(""), mark.depth, mark.kind)),
        Piece::Heading(_) => None,
    };
    Outline::new(body).filter_map(block).collect()
}

#[test]
fn headings_of_both_styles_are_read_without_their_markup() {
    let body = "\u{feff}# One `two` *three* {#id}\n\nSet\next\n===\n\n#### [Link](http://x.y) ####\n#\n#nospace\n";
    let expected = [(1, "One two three"), (1, "Set ext"), (4, "Link"), (1, "")];
    assert_eq!(headings(body), expected.map(|(level, text)| (level, text.to_owned())));
}

#[test]
fn what_looks_like_a_heading_inside_another_block_is_none() {
    assert_eq!(
        headings("```sh\n# comment\n```\n\n    # indented\n\n> # quoted\n\n- # item\n\n<!--\n# html\n-->\n"),
        []
    );
    assert_eq!(headings(&format!("# {}\n", "x".repeat(LONGEST_HEADING))), []);
}

#[test]
fn a_heading_covers_its_lines() {
    let body = "text\n\n  Set\n  ===\n\nmore\n";
    let Some(Piece::Heading(heading)) = Outline::new(body).nth(1) else { panic!("no heading") };
    assert_eq!(body[heading.range].trim_end(), "  Set\n  ===");
}

#[test]
fn blocks_begin_at_lines_and_know_their_depth() {
    let body = "para\n\n- a\n  - b\n\n    ```\n    c\n    ```\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n---\n";
    let expected = [
        ("para", 0, Kind::Prose),
        ("- a", 0, Kind::Prose),
        ("  - b", 2, Kind::Prose),
        ("    ```", 4, Kind::Lines),
        ("| x | y |", 0, Kind::Lines),
        ("---", 0, Kind::Prose),
    ];
    assert_eq!(blocks(body), expected);
}

#[test]
fn what_stands_in_a_long_fence_is_no_heading_and_what_follows_it_is() {
    let body = format!("# Before\n\n```sh\n{}```\n\n# After\n", "# comment\n".repeat(1000));
    let headings: Vec<_> = Outline::with_window(&body, 50, 200)
        .filter_map(|piece| match piece {
            Piece::Heading(heading) => Some(heading.text),
            Piece::Block(_) => None,
        })
        .collect();
    assert_eq!(headings, ["Before", "After"]);
}

#[test]
fn no_window_is_longer_than_a_block_may_be() {
    let body = ">".repeat(8 << 20);
    let pieces: Vec<_> = Outline::new(&body).collect();
    assert!((8..100).contains(&pieces.len()), "{} pieces", pieces.len());
}

proptest! {
    #[test]
    fn windows_do_not_change_the_outline(body in sample::markdown(), window in 1_usize..200) {
        let whole: Vec<_> = Outline::new(&body).collect();
        let windowed: Vec<_> = Outline::with_window(&body, window, usize::MAX).collect();
        prop_assert_eq!(windowed, whole);
    }

    #[test]
    fn blocks_too_long_to_be_read_whole_are_read_in_parts(
        body in sample::anything(), window in 1_usize..50, longest in 1_usize..80,
    ) {
        let mut before = 0;
        for piece in Outline::with_window(&body, window, longest) {
            prop_assert!(piece.start() >= before && body.is_char_boundary(piece.start()));
            before = piece.start();
        }
    }

    #[test]
    fn pieces_come_in_order_and_stand_on_characters(body in sample::anything()) {
        let mut before = 0;
        for piece in Outline::new(&body) {
            prop_assert!(piece.start() >= before);
            prop_assert!(body.is_char_boundary(piece.start()));
            before = piece.start();
        }
    }
}
