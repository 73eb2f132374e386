//! Circles among the modules of one directory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

use super::imports::{Levels, Siblings};

/// A circle that is known, by an import that closes it: the directory, from, to.
pub(crate) type Known = (&'static str, &'static str, &'static str);

/// The modules of a circle in their order: each imports the next, the last the first.
type Circle = Vec<String>;

/// The circles that are not known, and the known ones that are opened, in words.
pub(crate) fn faults(levels: &Levels, known: &[Known]) -> Vec<String> {
    let mut left = levels.clone();
    for (directory, from, to) in known {
        if let Some(siblings) = left.get_mut(*directory) {
            siblings.remove(&((*from).to_owned(), (*to).to_owned()));
        }
    }
    let mut faults = Vec::new();
    for (directory, siblings) in &left {
        let circles = circles(siblings).into_iter();
        faults.extend(circles.map(|circle| in_words(directory, siblings, &circle)));
    }
    for (directory, from, to) in known {
        let import = ((*from).to_owned(), (*to).to_owned());
        let is_there = levels.get(*directory).is_some_and(|all| all.contains_key(&import));
        let closes = left.get(*directory).is_some_and(|all| way(all, to, from).is_some());
        if !(is_there && closes) {
            faults.push(format!("src/{directory}: {from} -> {to} closes no circle any more"));
        }
    }
    faults
}

/// A shortest circle through each import that is in one.
fn circles(siblings: &Siblings) -> BTreeSet<Circle> {
    let mut circles = BTreeSet::new();
    for (from, to) in siblings.keys() {
        if let Some(mut circle) = way(siblings, to, from) {
            let first = (0..circle.len()).min_by_key(|at| &circle[*at]).unwrap();
            circle.rotate_left(first);
            circles.insert(circle);
        }
    }
    circles
}

/// The fewest imports that lead from one module to another, as the modules on the way.
fn way(siblings: &Siblings, from: &str, to: &str) -> Option<Vec<String>> {
    let mut before = BTreeMap::from([(from, None)]);
    let mut next = VecDeque::from([from]);
    while let Some(module) = next.pop_front() {
        if module == to {
            let mut way: Vec<_> = std::iter::successors(Some(module), |at| before[at]).collect();
            way.reverse();
            return Some(way.into_iter().map(str::to_owned).collect());
        }
        for (_, imported) in siblings.keys().filter(|(importer, _)| importer == module) {
            if !before.contains_key(&**imported) {
                before.insert(imported, Some(module));
                next.push_back(imported);
            }
        }
    }
    None
}

/// A circle with the first line of each file that is a part of it.
fn in_words(directory: &str, siblings: &Siblings, circle: &Circle) -> String {
    let mut words = format!("src/{directory}: {} -> {}", circle.join(" -> "), circle[0]);
    for (from, to) in circle.iter().zip(circle.iter().cycle().skip(1)) {
        write!(words, "\n  {from} -> {to}:").unwrap();
        let mut files = BTreeSet::new();
        for place in &siblings[&(from.clone(), to.clone())] {
            if files.insert(&place.file) {
                write!(words, " {place}").unwrap();
            }
        }
    }
    words
}
