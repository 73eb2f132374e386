//! What other programs make of a decimal: `sqlite3` compares, orders and sums it as exact arithmetic does.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::support::{Home, ended};

/// How many digits behind the point each field has, of 15.
const SCALES: [u32; 4] = [0, 2, 7, 15];
const SIGNS: [&str; 6] = ["<", "<=", "=", "<>", ">=", ">"];
/// What 15 digits hold.
const MOST: i64 = 999_999_999_999_999;

/// Numbers, the same at each run: of each length, and beside each other.
fn numbers() -> Vec<i64> {
    let mut state = 1_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(state >> 33).unwrap()
    };
    let mut numbers = vec![0, 1, -1, 9, 10, 11, 29, 115, 900_000, 900_001, MOST, -MOST, MOST - 1];
    for digits in 1..=15 {
        for _ in 0..6 {
            let number = (next() * next()).rem_euclid(10_i64.pow(digits));
            let number = if next() % 2 == 0 { number } else { -number };
            numbers.extend([number, (number + 1).min(MOST)]);
        }
    }
    numbers
}

/// A number as it is written with so many digits behind the point.
fn spelled(number: i64, scale: u32) -> String {
    let (sign, digits) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
    let unit = 10_u64.pow(scale);
    match scale {
        0 => format!("{sign}{digits}"),
        _ => format!("{sign}{}.{:0width$}", digits / unit, digits % unit, width = scale as usize),
    }
}

fn holds(sign: &str, one: i64, other: i64) -> bool {
    match sign {
        "<" => one < other,
        "<=" => one <= other,
        "=" => one == other,
        "<>" => one != other,
        ">=" => one >= other,
        _ => one > other,
    }
}

/// A projection with a row for each number, and one in which all is null.
fn filled(numbers: &[i64]) -> Home {
    let home = Home::new();
    let fields = SCALES.map(|scale| format!("d{scale}:decimal:15:{scale}:null:index"));
    let fields = fields.iter().map(String::as_str);
    let create: Vec<&str> =
        ["project", "create", "sums", "id:integer:key"].into_iter().chain(fields).collect();
    home.run(&create).done();
    let mut rows = String::from("{\"id\":0}\n");
    for (id, number) in numbers.iter().enumerate() {
        let fields = SCALES.map(|scale| format!("\"d{scale}\":{}", spelled(*number, scale)));
        writeln!(rows, "{{\"id\":{},{}}}", id + 1, fields.join(",")).unwrap();
    }
    fs::write(home.place().join("rows"), rows).unwrap();
    home.run(&["project", "set", "sums", "--jsonl", "rows", "--atomic"]).done();
    home
}

/// What `sqlite3` answers to these statements.
#[track_caller]
fn answers(home: &Home, statements: &str) -> Vec<String> {
    let mut command = Command::new("sqlite3");
    command.arg("-readonly").arg(home.file("projections/sums.db")).arg(".read statements");
    fs::write(home.place().join("statements"), statements).unwrap();
    let answered = ended(command.current_dir(home.place())).done();
    answered.lines().map(str::to_owned).collect()
}

#[test]
fn a_comparison_is_that_of_the_numbers() {
    let numbers = numbers();
    let home = filled(&numbers);
    let (mut statements, mut expected) = (String::new(), Vec::new());
    for scale in SCALES {
        for constant in numbers.iter().step_by(3) {
            for sign in SIGNS {
                let literal = spelled(*constant, scale);
                writeln!(statements, "SELECT count(*) FROM sums WHERE d{scale} {sign} {literal};")
                    .unwrap();
                let count =
                    numbers.iter().filter(|number| holds(sign, **number, *constant)).count();
                expected.push((format!("d{scale} {sign} {literal}"), count.to_string()));
            }
        }
    }
    let found = answers(&home, &statements);
    assert_eq!(found.len(), expected.len());
    let wrong: Vec<_> =
        expected.iter().zip(&found).filter(|((_, expected), found)| expected != *found).collect();
    assert!(
        wrong.is_empty(),
        "{} of {}: {:?}",
        wrong.len(),
        found.len(),
        &wrong[..wrong.len().min(9)]
    );
}

#[test]
fn an_order_and_a_sum_are_those_of_the_numbers() {
    let mut numbers = numbers();
    let home = filled(&numbers);
    let exact: i64 = numbers.iter().sum();
    numbers.sort_unstable();
    for scale in SCALES {
        let order =
            format!("SELECT d{scale}$ FROM sums WHERE d{scale} IS NOT NULL ORDER BY d{scale};");
        let expected: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        assert_eq!(answers(&home, &order), expected, "d{scale}");
    }
    let sum =
        "SELECT sum(\"d2$\"), printf('%.2f', sum(\"d2$\") / 100.0), sum(d2 IS NULL) FROM sums;";
    assert_eq!(answers(&home, sum), [format!("{exact}|{}|1", spelled(exact, 2))]);
    // To write there would make two truths of one.
    let mut command = Command::new("sqlite3");
    let update = "UPDATE sums SET d2 = 1;";
    command.arg(home.file("projections/sums.db")).arg(update);
    let refused = ended(&mut command);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("cannot UPDATE generated column"), "{refused:?}");
}
