//! Which files of a folder an import reads, and how: as its layout says.

use std::collections::HashSet;

use super::super::{
    layouts::{self, Layout, Reading, recognise},
    place,
    report::{LeftOut, Reason},
    root::Root,
    walk::FolderContents,
};

/// Longest table that becomes an article. *Units:* bytes.
const LARGEST_TABLE: u64 = 256 << 10;

/// Returns what to read of a folder that lies at `prefix` in its source, and how; in `layout`, or else in the one that
/// it has.
pub(super) fn prepare_files(
    root: &Root,
    mut walked: FolderContents,
    prefix: &str,
    layout: Option<Layout>,
) -> (FolderContents, Reading) {
    let layout = layout.unwrap_or_else(|| layout_of(root, &walked, prefix));
    let own: Vec<String> =
        walked.files.extract_if(.., |file| layouts::is_of_the_program(layout, &place::join(prefix, file))).collect();
    walked.left_out.extend(own.into_iter().map(|path| LeftOut { path, reason: Reason::OfTheProgram }));
    let is_table = |left: &mut LeftOut| left.reason == Reason::NotMarkdown && layouts::is_table(layout, &left.path);
    let tables: Vec<String> = walked.left_out.extract_if(.., is_table).map(|left| left.path).collect();
    let placed: Vec<String> = tables.iter().map(|table| place::join(prefix, table)).collect();
    let reading = Reading::of(layout, placed.iter().map(String::as_str));
    let all: HashSet<&str> = tables.iter().map(String::as_str).collect();
    for table in &tables {
        let is_second = layouts::table_of_view(table).is_some_and(|first| all.contains(first.as_str()));
        let is_large = root.stamp(table).is_some_and(|stamp| stamp.size() > LARGEST_TABLE);
        let reason = if is_second { Some(Reason::SecondView) } else { is_large.then_some(Reason::LargeTable) };
        match reason {
            Some(reason) => walked.left_out.push(LeftOut { path: table.clone(), reason }),
            None => walked.files.push(table.clone()),
        }
    }
    walked.files.sort_unstable();
    walked.left_out.sort_by(|a, b| a.path.cmp(&b.path));
    (walked, reading)
}

/// The layout that the folder has, or the one around it of which it is a part.
fn layout_of(root: &Root, walked: &FolderContents, prefix: &str) -> Layout {
    let files: Vec<String> = walked.files.iter().map(|file| place::join(prefix, file)).collect();
    let left: Vec<String> = walked.left_out.iter().map(|left| place::join(prefix, &left.path)).collect();
    let mut others: HashSet<&str> = left.iter().map(String::as_str).collect();
    if !prefix.is_empty() {
        let around = root.place().ancestors().nth(prefix.split('/').count());
        let stands = |marker: &&&str| around.is_some_and(|around| around.join(marker).is_file());
        others.extend(layouts::MARKERS.iter().filter(stands));
    }
    recognise(&files, &others)
}
