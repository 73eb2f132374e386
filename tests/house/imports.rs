//! Where the paths of a crate lead: an edge for each that leads from a module to a sibling of it,
//! or of a module above it.

use std::collections::BTreeMap;
use std::slice::from_ref;

use super::modules::{Crate, Named, Place, Way, within};

/// The imports between the modules of one directory: from, to, and where they are written.
pub(crate) type Siblings = BTreeMap<(String, String), Vec<Place>>;

/// Those of each directory, by its path within `src`.
pub(crate) type Levels = BTreeMap<String, Siblings>;

impl Crate {
    /// The imports at each level.
    ///
    /// What a parent passes on is an import of where it has it from. What is written in a
    /// parent's own file is none: a parent knows its children, and lends them its own.
    pub(crate) fn levels(&self) -> Levels {
        let mut levels = Levels::new();
        for (from, module) in &self.modules {
            for (way, place) in &module.paths {
                let search = Search { within: self, from: Some(from) };
                let found = search.relative(from, way, &mut Vec::new());
                let is_ours = ["crate", "self", "super"].contains(&&*way[0]) && way.len() > 1;
                assert!(!is_ours || !found.is_empty(), "{place}: {} leads nowhere", way.join("::"));
                for to in found.into_iter().flatten() {
                    self.add(&mut levels, from, &to, place);
                }
            }
        }
        self.calls(&mut levels);
        levels
    }

    /// Adds those by methods: `impl Store` may stand in many modules, and a call of `self.method()`
    /// names none of them. The type of any other receiver is not known here.
    fn calls(&self, levels: &mut Levels) {
        let mut methods: BTreeMap<(Way, &str), Vec<&Way>> = BTreeMap::new();
        for (module, read) in &self.modules {
            for (of, method) in &read.methods {
                for of in self.home(module, of) {
                    methods.entry((of, method)).or_default().push(module);
                }
            }
        }
        for (from, read) in &self.modules {
            for (of, method, place) in &read.calls {
                for of in self.home(from, of) {
                    for to in methods.get(&(of, method)).into_iter().flatten() {
                        self.add(levels, from, to, place);
                    }
                }
            }
        }
    }

    fn add(&self, levels: &mut Levels, from: &Way, to: &Way, place: &Place) {
        let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        let (Some(own), Some(other)) = (from.get(shared), to.get(shared)) else { return };
        let directory = within(&self.directory, &from[..shared].join("/"));
        let level = levels.entry(directory).or_default();
        let places = level.entry((own.clone(), other.clone())).or_default();
        if !places.contains(place) {
            places.push(place.clone());
        }
    }

    /// Where a type is defined that a module names, with its name.
    fn home(&self, module: &Way, of: &Way) -> Vec<Way> {
        let search = Search { within: self, from: None };
        let found = search.relative(module, of, &mut Vec::new()).into_iter().flatten();
        found.map(|home| [&*home, &[of.last().unwrap().clone()]].concat()).collect()
    }

    /// Whether the crate's root has what a path of another crate names.
    pub(crate) fn exports(&self, way: &[String]) -> bool {
        let search = Search { within: self, from: None };
        !search.below(&Way::new(), way, &mut Vec::new()).is_empty()
    }
}

struct Search<'c> {
    within: &'c Crate,
    /// The module that asks: paths are followed no farther than to a sibling of it, or of one
    /// above it. Without one they are followed to the end.
    from: Option<&'c Way>,
}

/// The imports that lead upwards, in words, where `rooms` go from the ground up.
pub(crate) fn climbs(siblings: &Siblings, rooms: &[&str]) -> Vec<String> {
    let floor = |room: &String| rooms.iter().position(|known| known == room);
    let mut climbs = Vec::new();
    for ((from, to), places) in siblings {
        match (floor(from), floor(to)) {
            (None, _) => climbs.push(format!("{from} is no known room")),
            (_, None) => climbs.push(format!("{to} is no known room")),
            (Some(own), Some(other)) if other > own => {
                let place = &places[0];
                climbs.push(format!("{from} imports {to}, which stands above it: {place}"));
            }
            _ => {}
        }
    }
    climbs
}

/// The module that a path leads to; none in another crate.
type Led = Option<Way>;

/// Names that are being looked up, so that one that leads to itself ends.
type Asked = Vec<(Way, String)>;

impl Search<'_> {
    /// Where a path in the code of a module leads.
    fn relative(&self, module: &Way, way: &[String], asked: &mut Asked) -> Vec<Led> {
        match &*way[0] {
            "crate" => self.below(&Way::new(), &way[1..], asked),
            "self" => self.below(module, &way[1..], asked),
            "super" => {
                let mut module = module.clone();
                let above = way.iter().take_while(|word| *word == "super").count();
                module.truncate(module.len().checked_sub(above).unwrap());
                self.below(&module, &way[above..], asked)
            }
            _ => {
                let found = self.below(module, way, asked);
                if found.is_empty() { vec![None] } else { found }
            }
        }
    }

    /// Where the rest of a path leads from a module on. Nowhere is a fault of the search.
    fn below(&self, module: &Way, rest: &[String], asked: &mut Asked) -> Vec<Led> {
        if rest.is_empty() || self.from.is_some_and(|from| !from.starts_with(module)) {
            return vec![Some(module.clone())];
        }
        let (name, after) = rest.split_first().unwrap();
        let ask = (module.clone(), name.clone());
        if asked.contains(&ask) {
            return Vec::new();
        }
        let known = &self.within.modules[module];
        let named = known.names.get(name).map_or(&[][..], |named| named);
        // Only a module, or a type of the module's own, has something below it.
        if !after.is_empty() && named.contains(&Named::Module) {
            return self.below(&[&**module, from_ref(name)].concat(), after, asked);
        }
        asked.push(ask);
        let mut found = Vec::new();
        for named in named {
            found.extend(match named {
                Named::Item => vec![Some(module.clone())],
                Named::Module => vec![Some([&**module, from_ref(name)].concat())],
                Named::Used(way) => self.relative(module, &[way, after].concat(), asked),
            });
        }
        if named.is_empty() {
            for glob in &known.globs {
                found.extend(self.relative(module, &[glob, rest].concat(), asked));
            }
        }
        if found.is_empty() && known.words.contains(name) {
            found.push(Some(module.clone()));
        }
        asked.pop();
        found
    }
}
