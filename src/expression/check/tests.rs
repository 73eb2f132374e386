use super::super::{Assignments, Condition, ExpressionError, Parameter, Parameters};
use super::*;

/// A field of each type.
fn schema() -> Schema {
    Schema::of(&[
        "id:integer:key",
        "count:integer:null",
        "score:float",
        "price:decimal:12:2",
        "rate:decimal:18:4",
        "city:text",
        "name:text:5",
        "photo:blob",
        "born:timestamp",
        "active:boolean",
        "extra:json:null",
    ])
    .unwrap()
}

fn parameters() -> Parameters {
    let mut parameters = Parameters::default();
    parameters.insert("untyped", Parameter::Untyped("5".into()));
    parameters.insert("word", Parameter::Untyped("London".into()));
    parameters.insert("text", Parameter::Text("London".into()));
    parameters.insert("exact", Parameter::Text("31.70".into()));
    parameters.insert("large", Parameter::Text("9007199254740993".into()));
    parameters.insert("number", Parameter::Number("1.50".into()));
    parameters.insert("truth", Parameter::Boolean(true));
    parameters.insert("null", Parameter::Null);
    parameters
}

fn condition(text: &str) -> Result<Condition, ExpressionError> {
    Condition::new(text, &schema(), &parameters())
}

/// What is wrong, with what stands at its place.
fn wrong(text: &str) -> (String, &str) {
    let error = match condition(text) {
        Ok(condition) => panic!("`{text}` passes: {:?}", condition.node),
        Err(error) => error,
    };
    let (start, end) = (error.span().start, error.span().end);
    let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
    (format!("{error}{hint}"), &text[start..end])
}

#[test]
fn each_pair_of_types_compares_or_is_refused() {
    let fields = ["count", "score", "price", "city", "photo", "born", "active", "extra"];
    // By the order of the fields: x where two compare.
    let compare = [
        "xxx.....", // integer
        "xx......", // float
        "x.x.....", // decimal
        "...x....", // text
        "....x...", // blob
        ".....x..", // timestamp
        "......x.", // boolean, by `=` alone
        "........", // json
    ];
    for (left, row) in fields.iter().zip(compare) {
        for (right, mark) in fields.iter().zip(row.chars()) {
            for sign in ["=", "!=", "<", ">="] {
                let text = format!("{left} {sign} {right}");
                let equal = matches!(sign, "=" | "!=");
                let passes = mark == 'x' && (equal || *left != "active");
                assert_eq!(condition(&text).is_ok(), passes, "{text}");
            }
        }
    }
}

#[test]
fn what_is_written_takes_the_type_of_what_it_meets() {
    for text in [
        "count = 5",
        "count = 5.5",
        "5 < count",
        "count = 1e3",
        "score = 5",
        "score < 1.5e-3",
        "price >= 1000.005",
        "rate = 1",
        "city = 'x'",
        "'x' != city",
        "photo = 'AAEC'",
        "born > '2026-11-23T05:49:13+01:00'",
        "active",
        "NOT active",
        "active = TRUE",
        "active != false",
        "count = :untyped",
        "score = :untyped",
        "price = :untyped",
        "city = :untyped",
        "city = :word",
        "city = :text",
        "price = :number",
        "price = :exact",
        "31.70 = :exact",
        "city = :exact",
        "count = :large",
        "count IN (1, :large)",
        "price + :exact > 1",
        ":exact * 2 < price",
        ":exact * :exact < price",
        "active = :truth",
        "count = :null",
        "count IN (1, 2.0, :untyped, :null)",
        "city NOT IN ('x', :text)",
        "city CONTAINS 'x'",
        "'xyz' CONTAINS city",
        "city CONTAINS name",
        "city =~ '^x'",
        "city =~ :text",
        "extra IS NULL",
        "(count + 1) IS NOT NULL",
        "count IS NULL OR active",
        "1 = 1",
        "'a' < 'b'",
        "TRUE",
        "NULL",
        ":truth",
        "(count = 1) = (score = 1)",
        "count * 2 + price / 3 - rate > -count",
        "score * count / 2 < 1",
    ] {
        assert!(condition(text).is_ok(), "{text}: {:?}", condition(text).unwrap_err());
    }
}

#[test]
fn what_does_not_go_together_is_told_with_its_place() {
    for (text, told, place) in [
        ("citty = 'x'", "no field `citty`; did you mean `city`?", "citty"),
        ("City = 'x'", "no field `City`; did you mean `city`?", "City"),
        ("count = 'x'", "this text is beside an integer, which it can't be", "'x'"),
        ("city = 5", "this number is beside text", "5"),
        ("price > :word", "`London` is no number", ":word"),
        ("price > :text", "`London` is no number", ":text"),
        ("price + :text > 1", "`London` is no number", ":text"),
        ("price > '31.70'", "this text is beside a decimal, which it can't be", "'31.70'"),
        ("score > :exact", "this text is beside a float, which it can't be", ":exact"),
        ("active = :exact", "this text is beside true or false, which it can't be", ":exact"),
        ("active = 'true'", "this text is beside true or false, which it can't be", "'true'"),
        ("count", "this is an integer, and no condition", "count"),
        ("NOT city", "this is text, and no condition", "city"),
        ("active AND 5", "this is a number, and no condition", "5"),
        ("city + 1 = 2", "this number is beside text", "1"),
        ("'a' + 1 = 2", "text and a number do not go together", "'a' + 1"),
        ("city + name = 2", "this is text, which does not calculate", "city"),
        ("count / 0 = 1", "this divides by zero", "0"),
        ("count / (1 - 1) = 1", "this divides by zero", "(1 - 1)"),
        (
            "count = :nothing",
            "the parameter `:nothing` has no value; a value for `nothing` is missing in `with`",
            ":nothing",
        ),
        ("count CONTAINS 'x'", "CONTAINS takes texts, and this is an integer", "count"),
        ("city =~ name", "a pattern is a string or a parameter", "name"),
        ("count =~ 'x'", "=~ takes texts, and this is an integer", "count"),
        ("count = NULL", "nothing compares to NULL; write `count IS NULL`", "NULL"),
        ("count != NULL", "nothing compares to NULL; write `count IS NOT NULL`", "NULL"),
        ("extra = '{}'", "this text is beside json, which it can't be", "'{}'"),
        (
            "price = score",
            "a decimal and a float do not compare: one is exact, the other is not",
            "price = score",
        ),
        ("city = 5 AND active", "this number is beside text", "5"),
    ] {
        assert_eq!(wrong(text), (told.to_owned(), place), "{text}");
    }
}

/// The type of a calculation.
fn result(text: &str) -> Type {
    match condition(&format!("({text}) IS NULL")).unwrap().node {
        Node::IsNull(value) => value.kind(),
        node => panic!("{node:?}"),
    }
}

#[test]
fn a_calculation_has_the_type_that_its_parts_make() {
    for (text, kind) in [
        ("count + id", Type::Integer),
        ("count / 2", Type::Integer),
        ("count * -2", Type::Integer),
        ("count + 0.5", Type::Decimal(1)),
        ("price + count", Type::Decimal(2)),
        ("price - rate", Type::Decimal(4)),
        ("price * rate", Type::Decimal(6)),
        ("price * price", Type::Decimal(4)),
        ("rate * rate * rate * rate", Type::Decimal(16)),
        ("price / rate", Type::Decimal(4)),
        ("price / 3", Type::Decimal(2)),
        ("score + 1", Type::Float),
        ("count * score", Type::Float),
        ("score / 1.5", Type::Float),
        ("-price", Type::Decimal(2)),
    ] {
        assert_eq!(result(text), kind, "{text}");
    }
    let (told, place) = wrong("1 < score + price");
    assert!(told.starts_with("a decimal and a float do not calculate"), "{told}");
    assert_eq!(place, "score + price");
}

#[test]
fn what_is_written_out_is_calculated_at_once() {
    let folded = |text: &str| match condition(&format!("count = {text}")).unwrap().node {
        Node::Compare(_, _, right) => right.constant().cloned(),
        node => panic!("{node:?}"),
    };
    assert_eq!(folded("7 / 2"), Some(Value::Integer(3)));
    assert_eq!(folded("-7 / 2"), Some(Value::Integer(-3)));
    assert_eq!(folded("2 * (3 + 4)"), Some(Value::Integer(14)));
    assert_eq!(
        folded("10.00 / 3").map(|value| format!("{value:?}")),
        folded("3.33").map(|value| format!("{value:?}"))
    );
    assert_eq!(wrong("count = 9223372036854775807 + 1").1, "+");
}

/// What is wrong with assignments, with what stands at its place.
fn unassigned(text: &str) -> (String, &str) {
    let error = match Assignments::new(text, &schema(), &parameters()) {
        Ok(assignments) => panic!("`{text}` passes: {assignments:?}"),
        Err(error) => error,
    };
    (error.to_string(), &text[error.span().start..error.span().end])
}

#[test]
fn a_field_is_set_to_what_it_can_hold() {
    for text in [
        "count = count + 1",
        "count = NULL",
        "price = count",
        "price = rate",
        "price = 1.5",
        "score = count",
        "city = 'x', name = :text",
        "born = '2026-11-23T05:49:13Z'",
        "photo = 'AAEC'",
        "active = count > 1",
        "active = :truth",
        "extra = '{\"a\":1}'",
        "extra = NULL",
        "count = :null",
        "price = :exact, count = :large",
        "price = :number, rate = price * 2",
    ] {
        let passes = Assignments::new(text, &schema(), &parameters());
        // `London` has six characters.
        assert_eq!(passes.is_ok(), !text.contains("name"), "{text}: {passes:?}");
    }
    for (text, told, place) in [
        ("id = 2", "`id` is in the key, which stays", "id"),
        ("count = 1, count = 2", "`count` is set twice", "count"),
        ("nope = 1", "no field `nope`", "nope"),
        ("city = NULL", "`city`: it can't be null", "NULL"),
        ("price = '1.00'", "this text is beside a decimal, which it can't be", "'1.00'"),
        ("count = :exact", "31.70 is no integer", ":exact"),
        ("price = 1.005", "1.005 has 3 digits behind the point; 2 fit", "1.005"),
        ("name = 'toolong'", "`name`: it has 7 characters; 5 are allowed", "'toolong'"),
        ("count = 'x'", "this text is beside an integer, which it can't be", "'x'"),
        ("city = 5", "the number 5 is no text", "5"),
        ("count = price", "this is a decimal, and the field is integer", "price"),
        ("extra = '{'", "this is not valid JSON", "'{'"),
    ] {
        let (found, at) = unassigned(text);
        assert!(found.starts_with(told), "{text}: {found}");
        assert_eq!(at, place, "{text}");
    }
}
