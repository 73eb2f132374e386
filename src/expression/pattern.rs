//! Patterns: regular expressions whose time is bounded by the text's length.

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

/// How many characters and classes a pattern has at most, repeated ones counted as often as they may
/// be. A text costs that many steps a byte, at worst.
const MAX_PARTS: usize = 2000;
/// How deep a pattern may nest.
const MAX_DEPTH: u32 = 100;
/// How much memory a compiled pattern may take, in bytes: some hundred classes of Unicode.
const COMPILED_BYTES: usize = 10 * 1024 * 1024;
/// How much a pattern may remember while it runs, in bytes. With less than its states need it would
/// forget them again and again, and take seconds for a mebibyte of text.
const REMEMBERED_BYTES: usize = 16 * 1024 * 1024;

/// Compiles a pattern, or says why it is none.
pub(super) fn compile(text: &str) -> Result<Regex, String> {
    let no_pattern = |error: &dyn std::fmt::Display| {
        // The last line says what is wrong; those before it show the pattern.
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default();
        format!("this is no pattern: {}", reason.trim_start_matches("error: "))
    };
    let parsed = ParserBuilder::new().nest_limit(MAX_DEPTH).build().parse(text);
    let parts = parts(&parsed.map_err(|error| no_pattern(&error))?);
    if parts > MAX_PARTS {
        return Err(format!(
            "the pattern has {parts} characters and classes, repeated ones counted out; {MAX_PARTS} are allowed"
        ));
    }
    let mut builder = RegexBuilder::new(text);
    builder.nest_limit(MAX_DEPTH).size_limit(COMPILED_BYTES).dfa_size_limit(REMEMBERED_BYTES);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".into(),
        error => no_pattern(&error),
    })
}

/// How many characters and classes there are, repeated ones counted out.
fn parts(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(_) => 1,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            parts(&repetition.sub).saturating_mul(times as usize)
        }
        HirKind::Capture(capture) => parts(&capture.sub),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => {
            subs.iter().map(parts).fold(0, usize::saturating_add)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_bounded_by_what_it_repeats() {
        for text in
            ["@mail.com$", r"^\w{3,30}$", r"(\w{0,9}a){12}", "(a[ab]{0,30}){40}", "", "a|b|(cd)*"]
        {
            assert!(compile(text).is_ok(), "{text}");
        }
        let told = |text: &str| compile(text).unwrap_err();
        assert_eq!(
            told("(((a{1,9}){1,9}){1,9}){1,9}"),
            "the pattern has 6561 characters and classes, repeated ones counted out; 2000 are allowed"
        );
        assert!(
            told("((((((((a{99}){99}){99}){99}){99}){99}){99}){99}){99}")
                .contains("2000 are allowed")
        );
        assert_eq!(told(r"\w{1000}"), "the pattern is too large");
        assert_eq!(told("(a"), "this is no pattern: unclosed group");
        assert_eq!(told("a**{"), "this is no pattern: unclosed counted repetition");
        assert!(told(&format!("{}a{}", "(".repeat(101), ")".repeat(101))).contains("nested"));
        assert_eq!(told(r"(a)\1"), "this is no pattern: backreferences are not supported");
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let text = "ab".repeat(512 * 1024);
        for pattern in [
            "(a*)*$",
            "(x+x+)+y",
            "(a|b)*a(a|b){13}[c-w]",
            "([ab]?a?){500}[c-w]",
            "(.*a.*){20}[c-w]",
        ] {
            let found = compile(pattern).unwrap().is_match(&text);
            assert_eq!(found, pattern == "(a*)*$", "{pattern}");
        }
        // A kibibyte of quantifiers within quantifiers.
        let nested = "(((((a?[ab]{0,3})+)*b?)+a?)*[ab]{1,4})+".repeat(26) + "[c-w]";
        assert!(nested.len() > 1000);
        assert!(!compile(&nested).unwrap().is_match(&text));
    }
}
