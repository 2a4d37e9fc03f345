//! What a dry run would do, by name.

/// Of each act, so many are named unless `-v` asks for all.
const MAX_NAMED_PER_ACT: usize = 10;

/// Lines that say what would be done to which; nothing if there is nothing.
pub(super) fn first_of(act: &str, names: &[String], verbose: u8) -> String {
    let shown = if verbose > 0 { names.len() } else { names.len().min(MAX_NAMED_PER_ACT) };
    let mut lines: String = names[..shown].iter().map(|name| format!("\n  {act} {name}")).collect();
    if shown < names.len() {
        lines.push_str(&format!("\n  {act} {} more (-v names them all)", names.len() - shown));
    }
    lines
}
