//! Texts for property tests: markdown as people write it, and texts that no person would write.

use proptest::{collection::vec, prelude::*, strategy::Union};

/// Words of several scripts, none of them blank.
pub(crate) fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-zA-Z]{1,12}",
        1 => "[0-9]{1,6}",
        1 => "[一-龥]{1,8}",
        1 => "[ぁ-んァ-ン가-힣]{1,6}",
        1 => "[ก-ฮ]{2,6}",
        1 => "[а-яא-ת]{1,8}",
        1 => prop_oneof![Just("👩‍👩‍👧‍👦"), Just("e\u{301}\u{301}"), Just("🇳🇴🇳🇴"), Just("&amp;"), Just("`x`")].prop_map(str::to_owned),
    ]
}

/// A few sentences in one paragraph.
pub(crate) fn paragraph() -> impl Strategy<Value = String> {
    vec((word(), prop_oneof![8 => Just(" "), 1 => Just(". "), 1 => Just("\n"), 1 => Just("。"), 1 => Just("")]), 1..40)
        .prop_map(|words| words.into_iter().map(|(word, gap)| word + gap).collect::<String>().trim().to_owned())
}

/// A block of any kind but a heading; ends without a newline.
pub(crate) fn block() -> impl Strategy<Value = String> {
    let lines = || vec(paragraph().prop_map(|text| text.replace('\n', " ")), 1..6);
    Union::new_weighted(vec![
        (4, paragraph().boxed()),
        (1, lines().prop_map(|lines| format!("```sh\n# {}\n```", lines.join("\n# "))).boxed()),
        (1, lines().prop_map(|lines| format!("- {}", lines.join("\n- "))).boxed()),
        (1, lines().prop_map(|lines| format!("1. {}\n\n   - nested", lines.join("\n\n   "))).boxed()),
        (1, lines().prop_map(|lines| format!("> {}", lines.join("\n> "))).boxed()),
        (1, lines().prop_map(|lines| format!("| a |\n|---|\n| {} |", lines.join(" |\n| "))).boxed()),
        (1, "[a-zA-Z0-9]{50,1500}".boxed()),
    ])
}

/// A heading, then blocks.
pub(crate) fn section() -> impl Strategy<Value = String> {
    (1_usize..5, word(), vec(block(), 0..5)).prop_map(|(level, title, blocks)| {
        let heading = format!("{} {title}\n\n", "#".repeat(level));
        blocks.iter().fold(heading, |text, block| text + block + "\n\n")
    })
}

/// A whole markdown text.
pub(crate) fn markdown() -> impl Strategy<Value = String> {
    (vec(block(), 0..3), vec(section(), 0..6))
        .prop_map(|(before, sections)| format!("{}\n\n{}", before.join("\n\n"), sections.concat()))
}

/// Markup without sense, control characters included.
fn noise() -> impl Strategy<Value = String> {
    let pieces = [
        "#",
        "##",
        " ",
        "\n",
        "\r",
        "\r\n",
        "\t",
        "```",
        "~~~",
        "    ",
        "- ",
        "* ",
        "1. ",
        "> ",
        "|",
        "---",
        "===",
        "`",
        "[",
        "](",
        ")",
        "<",
        ">",
        "</",
        "<!--",
        "-->",
        "\\",
        "*",
        "_",
        "\0",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{200d}",
        "\u{301}",
        "a",
        "b c",
        "数",
        "👩",
        "\u{1f1f3}",
        "[a]: b",
        "{#x}",
        "&nbsp;",
        ".",
    ];
    vec(prop::sample::select(pieces.to_vec()), 0..120).prop_map(|pieces| pieces.concat())
}

/// Any text at all.
pub(crate) fn anything() -> impl Strategy<Value = String> {
    prop_oneof![2 => noise(), 1 => any::<String>(), 1 => markdown()]
}
