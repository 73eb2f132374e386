//! `ream compact`.

use crate::harness::ream;

#[test]
fn a_store_without_removals_has_nothing_to_give_back() {
    let shop = ream();
    shop.fill("order-1", 3);
    let told = shop.run(["compact"]).value();
    assert_eq!((&told["gained_bytes"], &told["packed"]), (&0.into(), &0.into()));
    shop.run(["compact", "--format", "table"]).stdout_has(["gained 0 B: "]);
    assert_eq!(shop.positions(&[]), [1, 2, 3]);
    shop.append("order-1", "T", "1").ok();
}

#[test]
fn a_removal_gives_room_back() {
    let shop = ream();
    let data = format!("\"{}\"", "x".repeat(2000));
    let lines: Vec<String> = (0..200)
        .map(|number| {
            format!("{{\"stream\":\"s-{}\",\"type\":\"T\",\"data\":{data}}}\n", number % 2)
        })
        .collect();
    shop.append_lines(&lines.concat()).ok();
    shop.run(["stream", "rm", "--yes", "s-1"]).ok();
    let told = shop.run(["compact"]).value();
    assert_eq!((&told["packed"], &told["shrunk"]), (&100.into(), &true.into()), "{told}");
    assert!(told["gained_bytes"].as_u64().unwrap() > 100_000, "{told}");
    assert_eq!(shop.positions(&[]).len(), 100);
}
