//! Small houses, each with what the search has to see in it.

use super::circles::{Known, faults};
use super::imports::{Levels, climbs};
use super::modules::{Crate, Files};

fn read(files: &[(&str, &str)]) -> Crate {
    let files = files.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned()));
    Crate::read(&files.collect::<Files>(), "lib.rs")
}

fn levels(files: &[(&str, &str)]) -> Levels {
    read(files).levels()
}

/// The imports of a house, each with its places: `a -> b src/a.rs:1`.
fn imports(files: &[(&str, &str)]) -> Vec<String> {
    let mut imports = Vec::new();
    for (directory, siblings) in levels(files) {
        for ((from, to), places) in siblings {
            let at = if directory.is_empty() { String::new() } else { format!("{directory}: ") };
            imports.extend(places.iter().map(|place| format!("{at}{from} -> {to} {place}")));
        }
    }
    imports
}

/// The imports of a room `a`, with the code that is given, beside `b` and `c`.
fn of_a(code: &str) -> Vec<String> {
    let b = "pub fn b() {} pub struct B; pub mod deep { pub fn d() {} }";
    imports(&[("lib.rs", "mod a; mod b; mod c;"), ("a.rs", code), ("b.rs", b), ("c.rs", b)])
}

#[test]
fn an_import_in_a_group() {
    let both = ["a -> b src/a.rs:1", "a -> c src/a.rs:1"];
    assert_eq!(of_a("use crate::{b::{self, B}, c::deep::*};"), both);
    assert_eq!(
        of_a("use crate::{\n  b::b as other,\n  c,\n};"),
        ["a -> b src/a.rs:2", "a -> c src/a.rs:3"]
    );
}

#[test]
fn an_import_by_the_room_above() {
    assert_eq!(of_a("\nuse super::b::B;"), ["a -> b src/a.rs:2"]);
    assert_eq!(of_a("mod inner { use super::super::b; }"), ["a -> b src/a.rs:1"]);
    assert_eq!(of_a("use self::inner::I; mod inner { pub struct I; }"), [""; 0]);
}

#[test]
fn a_path_within_code() {
    for code in [
        "fn f() { crate::b::b() }",
        "fn f(_: super::b::B) {}",
        "fn f() { Vec::<crate::b::B>::new(); }",
        "impl From<()> for crate::b::B { fn from(_: ()) -> Self { todo!() } }",
        "fn f() { let g = || { use crate::b; b::b() }; }",
        "pub(in crate::c) fn f() { self::g(crate::b::deep::d) } fn g(_: fn()) {}",
    ] {
        assert_eq!(of_a(code)[0], "a -> b src/a.rs:1", "{code}");
        assert_eq!(of_a(code).len(), 1, "{code}");
    }
}

#[test]
fn a_path_within_a_macro() {
    for code in [
        r#"fn f() { println!("{:?}", crate::b::B); }"#,
        "fn f() -> bool { matches!(1, n if n == super::b::b()) }",
        "macro_rules! m { ($x:ident) => { let $x: u8 = $crate::b::b(); } }",
        "m! { one => crate::b::b, two: u8 }",
        "#[derive(Args)] struct S { #[arg(value_parser = crate::b::b)] s: u8 }",
    ] {
        assert_eq!(of_a(code), ["a -> b src/a.rs:1"], "{code}");
    }
}

#[test]
fn what_is_for_tests_alone_imports_nothing() {
    for code in [
        "#[cfg(test)] mod tests { use crate::b; }",
        "#[cfg(test)] use crate::b;",
        "#[cfg(all(test, unix))] fn f() { crate::b::b() }",
        "struct S; impl S { #[cfg(test)] fn f() { crate::b::b() } }",
        "/// Not [`crate::b`].\nfn f() {}",
    ] {
        assert_eq!(of_a(code), [""; 0], "{code}");
    }
    assert_eq!(of_a("#[cfg(any(test, unix))] use crate::b;").len(), 1);
}

const B: &str = "pub struct B; pub fn b() {}";

#[test]
fn what_the_room_above_passes_on() {
    let house = |above: &'static str, code: &'static str| {
        imports(&[("lib.rs", "mod r;"), ("r.rs", above), ("r/a.rs", code), ("r/b.rs", B)])
    };
    let seen = ["r: a -> b src/r/a.rs:1"];
    for above in [
        "mod a; mod b; pub(crate) use self::b::B;",
        "mod a; mod b; pub use b::B;",
        "mod a; mod b; use b::*;",
        "mod a; mod b; use crate::r::b::{B};",
        "mod a; mod b { pub use self::c::B; mod c { pub struct B; } }",
    ] {
        let code = if above.contains("mod c") { "use super::b::B;" } else { "use super::B;" };
        assert_eq!(house(above, code), seen, "{above}");
    }
    assert_eq!(house("mod a; mod b; pub use b::b as c;", "fn f() { super::c() }"), seen);
    assert_eq!(house("mod a; mod b; use b::B;", "use super::*; fn f(_: B) {}"), seen);
    // Its own, that of another crate, and what a macro makes.
    assert_eq!(house("mod a; mod b; pub struct Own;", "use super::Own;"), [""; 0]);
    assert_eq!(house("mod a; mod b; use std::fs::File;", "use super::File;"), [""; 0]);
    assert_eq!(house("mod a; mod b; make!(Made);", "use super::Made;"), [""; 0]);
    // Two that pass all on to each other.
    assert_eq!(house("mod a; mod b; use a::*;", "use super::*; fn f(_: Foreign) {}"), [""; 0]);
}

#[test]
fn what_the_root_passes_on() {
    let house = [
        ("lib.rs", "mod a; mod r; pub use r::B;"),
        ("a.rs", "use crate::B;"),
        ("r.rs", "mod b; pub use self::b::B;"),
        ("r/b.rs", "pub struct B;"),
    ];
    assert_eq!(imports(&house), ["a -> r src/a.rs:1"]);
    let read = read(&house);
    let exports = |path: &str| {
        let way: Vec<String> = path.split("::").map(str::to_owned).collect();
        read.exports(&way)
    };
    assert!(exports("B") && exports("B::new"));
    assert!(!exports("C") && !exports("r::C"));
}

#[test]
fn a_method_that_stands_in_another_room() {
    let house = |call: &'static str| {
        imports(&[
            ("lib.rs", "mod a; mod b; struct S; struct T;"),
            ("a.rs", call),
            ("b.rs", "use crate::S; impl S { fn m(&self) {} }"),
        ])
    };
    let seen = ["a -> b src/a.rs:1"];
    assert_eq!(house("impl super::S { fn n(&self) { self.m() } }"), seen);
    assert_eq!(house("use super::S; impl S { fn n(&self) { Self::m(self) } }"), seen);
    assert_eq!(house("impl super::S { fn n(&self) { assert!(self.m() == ()) } }"), seen);
    assert_eq!(house("impl super::T { fn n(&self) { self.m() } }"), [""; 0]);
}

#[test]
fn a_module_of_each_system() {
    let above = "#[cfg_attr(unix, path = \"r/unix.rs\")] #[cfg_attr(not(unix), path = \"r/other.rs\")] \
                 mod system;";
    let house = [
        ("lib.rs", "mod a; mod b; mod r;"),
        ("a.rs", ""),
        ("b.rs", ""),
        ("r.rs", above),
        ("r/unix.rs", "use crate::a;"),
        ("r/other.rs", "use crate::b;"),
    ];
    assert_eq!(imports(&house), ["r -> a src/r/unix.rs:1", "r -> b src/r/other.rs:1"]);
}

#[test]
#[should_panic(expected = "src/a.rs:1: crate::nothing::N leads nowhere")]
fn a_path_that_leads_nowhere_is_a_fault_of_the_search() {
    of_a("use crate::nothing::N;");
}

#[test]
fn a_room_that_imports_one_above_it() {
    let of_c = |c: &'static str| {
        let house = [("lib.rs", "mod a; mod b; mod c;"), ("a.rs", ""), ("b.rs", ""), ("c.rs", c)];
        climbs(&levels(&house)[""], &["a", "c", "b"])
    };
    assert_eq!(of_c("use crate::a;"), [""; 0]);
    assert_eq!(of_c("use crate::{\na,\nb};"), ["c imports b, which stands above it: src/c.rs:3"]);
    let house = levels(&[("lib.rs", "mod a; mod d;"), ("a.rs", ""), ("d.rs", "use crate::a;")]);
    assert_eq!(climbs(&house[""], &["a"]), ["d is no known room"]);
}

/// The rooms `a`, `b` and `c` of a house, with the code that is given.
fn three(a: &str, b: &str, c: &str) -> Levels {
    let above = "mod a; mod b; mod c; pub(crate) use self::c::C; pub(crate) struct Own;";
    levels(&[("lib.rs", "mod r;"), ("r.rs", above), ("r/a.rs", a), ("r/b.rs", b), ("r/c.rs", c)])
}

const C: &str = "pub(crate) struct C;";

#[test]
fn a_circle_of_two() {
    let levels = three("use super::b;", "\nfn f() { super::a::g() }", C);
    assert_eq!(
        faults(&levels, &[]),
        ["src/r: a -> b -> a\n  a -> b: src/r/a.rs:1\n  b -> a: src/r/b.rs:2"]
    );
}

#[test]
fn a_circle_of_three_of_which_one_hides_behind_the_room_above() {
    let c = C.to_owned() + "\nuse crate::r::{Own, a};";
    let levels = three("use super::b::B;", "use super::C;", &c);
    assert_eq!(
        faults(&levels, &[]),
        ["src/r: a -> b -> c -> a\n  a -> b: src/r/a.rs:1\n  \
         b -> c: src/r/b.rs:1\n  c -> a: src/r/c.rs:2"]
    );
}

#[test]
fn no_circle() {
    let levels = three("use super::{b, C, Own};", "use super::{C, Own};", C);
    assert_eq!(faults(&levels, &[]), [""; 0]);
}

#[test]
fn a_known_circle_is_let_be_until_it_is_opened() {
    const KNOWN: &[Known] = &[("r", "b", "a")];
    let opened = ["src/r: b -> a closes no circle any more"];
    let circle = three("use super::b;", "use super::a;", C);
    assert_eq!(faults(&circle, KNOWN), [""; 0]);
    assert_eq!(faults(&three("use super::b;", "", C), KNOWN), opened);
    assert_eq!(faults(&three("", "use super::a;", C), KNOWN), opened);
    assert_eq!(faults(&Levels::new(), KNOWN), opened);
    // Nor is it there for another one, or for the same twice.
    let two = three("use super::{b, c};", "use super::a;", "pub struct C; use super::a;");
    assert_eq!(faults(&two, KNOWN).len(), 1);
    assert_eq!(faults(&circle, &[KNOWN[0], ("r", "a", "b")]).len(), 2);
}
