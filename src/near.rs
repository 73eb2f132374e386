//! How near two names are: for "did you mean".

/// The longest name that is compared, in bytes: no name has more.
const LONGEST: usize = 255;

/// The number of characters to insert, delete, replace or swap with a neighbour that turns `a`
/// into `b`: the optimal string alignment distance. What is longer than any name is as far as can be.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let longest = a.len().max(b.len());
    if longest > LONGEST {
        return longest;
    }
    let b: Vec<char> = b.chars().collect();
    let (mut before, mut previous): (Vec<usize>, Vec<usize>) = (vec![], (0..=b.len()).collect());
    let mut last = None;
    for (row, character) in a.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in b.iter().enumerate() {
            let replaced = previous[column] + usize::from(character != *other);
            let mut cost = replaced.min(previous[column + 1] + 1).min(current[column] + 1);
            if column > 0 && last == Some(*other) && b[column - 1] == character {
                cost = cost.min(before[column - 1] + 1);
            }
            current.push(cost);
        }
        before = std::mem::replace(&mut previous, current);
        last = Some(character);
    }
    previous.last().copied().unwrap_or_default()
}

/// Whether `known` may be what `name` was meant to be.
pub(crate) fn is_near(name: &str, known: &str) -> bool {
    distance(name, known) <= name.len().max(3) / 3 || known.eq_ignore_ascii_case(name)
}

/// How many near names an error tells.
const NEAR: usize = 3;

/// The names that are nearest to one, or begin with it.
pub(crate) struct Nearest<'n> {
    name: &'n str,
    /// With their distances.
    found: Vec<(usize, String)>,
}

impl<'n> Nearest<'n> {
    /// Those that are nearest to `name`.
    pub(crate) fn to(name: &'n str) -> Self {
        Self { name, found: Vec::new() }
    }

    /// Considers one more name.
    pub(crate) fn add(&mut self, known: &str) {
        let distance = distance(self.name, known);
        if distance <= self.name.len().max(3) / 3 || known.starts_with(self.name) {
            self.found.push((distance, known.to_owned()));
        }
    }

    /// The nearest ones first.
    pub(crate) fn names(mut self) -> Vec<String> {
        self.found.sort_unstable();
        self.found.into_iter().take(NEAR).map(|(_, name)| name).collect()
    }
}

/// The word of `words` that is nearest to `text`, where one is near.
pub(crate) fn nearest<'a>(text: &str, words: &[&'a str]) -> Option<&'a str> {
    words
        .iter()
        .map(|word| (distance(text, word), *word))
        .filter(|(distance, word)| *distance <= word.len().max(3) / 3)
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn edits_are_counted() {
        for (a, b, edits) in [
            ("", "", 0),
            ("data", "data", 0),
            ("dat", "data", 1),
            ("adta", "data", 1),
            ("", "ab", 2),
            ("order-1", "order-2", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }
}
