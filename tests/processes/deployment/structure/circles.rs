//! Circles among files, and among folders.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Arrows, ModulePath};

/// Files that import each other in a circle, each with its arrows.
pub(crate) fn of_files(arrows: &Arrows) -> Vec<String> {
    told(arrows, &circles(&plain(arrows)))
}

/// Modules of one parent that import each other in a circle, whichever of their files do so.
pub(crate) fn of_folders(arrows: &Arrows) -> Vec<String> {
    let mut levels: BTreeMap<ModulePath, Arrows> = BTreeMap::new();
    for (from, targets) in arrows {
        for (to, names) in targets {
            let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
            // One of them is above the other: that is for the files to say.
            if common == from.len() || common == to.len() {
                continue;
            }
            let level = levels.entry(from[..common].to_vec()).or_default();
            let (from, to) = (from[..=common].to_vec(), to[..=common].to_vec());
            level.entry(from).or_default().entry(to).or_default().extend(names.iter().cloned());
        }
    }
    levels.values().flat_map(|level| told(level, &circles(&plain(level)))).collect()
}

fn plain(arrows: &Arrows) -> BTreeMap<&ModulePath, BTreeSet<&ModulePath>> {
    arrows.iter().map(|(from, to)| (from, to.keys().collect())).collect()
}

/// Sets of nodes of which each reaches all others.
fn circles<'a>(arrows: &BTreeMap<&'a ModulePath, BTreeSet<&'a ModulePath>>) -> Vec<BTreeSet<&'a ModulePath>> {
    let reached: BTreeMap<_, _> = arrows.keys().map(|&from| (from, reached_from(from, arrows))).collect();
    let mut found = BTreeSet::new();
    for (&from, reach) in &reached {
        if reach.contains(from) {
            let back = |to: &&&ModulePath| reached.get(**to).is_some_and(|reach| reach.contains(from));
            found.insert(reach.iter().filter(back).copied().collect::<BTreeSet<_>>());
        }
    }
    found.into_iter().collect()
}

fn reached_from<'a>(
    from: &ModulePath,
    arrows: &BTreeMap<&'a ModulePath, BTreeSet<&'a ModulePath>>,
) -> BTreeSet<&'a ModulePath> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<_> = arrows[from].iter().copied().collect();
    while let Some(at) = open.pop() {
        if reached.insert(at) {
            open.extend(arrows.get(at).into_iter().flatten());
        }
    }
    reached
}

fn told(arrows: &Arrows, circles: &[BTreeSet<&ModulePath>]) -> Vec<String> {
    let mut all = Vec::new();
    for circle in circles {
        let mut text = String::from("a circle:");
        for from in circle {
            for (to, names) in arrows[*from].iter().filter(|(to, _)| circle.contains(to)) {
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                text += &format!("\n  {} → {}: {}", from.join("/"), to.join("/"), names.join(", "));
            }
        }
        all.push(text);
    }
    all
}
