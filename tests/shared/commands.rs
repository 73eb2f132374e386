//! The words of commands, as the program declares them.

/// The commands in a file of the program: the lines `"word" Variant(…),` of its `commands!`.
pub(crate) fn commands(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix('"'));
    let words = lines.filter_map(|line| line.split_once("\" "));
    let declared = words.filter(|(_, variant)| {
        variant.starts_with(|first: char| first.is_ascii_uppercase()) && variant.ends_with("),")
    });
    declared.map(|(word, _)| word.to_owned()).collect()
}
