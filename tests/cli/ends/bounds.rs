//! Inputs without a bound: what is refused is refused after a bounded part of it.

use crate::harness::{REAM, ream};

/// As much memory as a command may have for what it refuses, in KiB.
const ROOM: &str = "ulimit -v 400000;";

#[test]
fn data_without_end_is_refused_in_little_memory() {
    let shop = ream();
    shop.append("s", "T", "1").ok();
    shop.run(["project", "create", "p", "id:integer:key"]).ok();
    let told = |bytes: usize| format!("has more than {bytes} bytes");
    let (data, other) = (told(33 * 1024 * 1024), told(64 * 1024 * 1024));
    for (command, told) in [
        ("append s T -", &data),
        ("append s T - --base64", &data),
        ("append s T --expect 1 --state -", &data),
        ("append s T --expect 1 --state @/dev/zero", &data),
        ("state set s -", &data),
        ("decide s - -- true", &other),
        ("project set p -", &other),
        ("project create q --schema -", &other),
    ] {
        let script = format!("{ROOM} exec \"$REAM\" {command} </dev/zero");
        shop.sh(&script).env("REAM", REAM).fails_with(6, [told]);
    }
    assert_eq!(shop.positions(&[]), [1]);
}
