//! Payloads come out byte for byte as they went in.

use ream::{Data, Json, Query};

use crate::store;
use crate::support::{Build as _, event, everything, read};

const TEXTS: [&str; 16] = [
    "{}",
    "[]",
    "null",
    "true",
    r#""""#,
    r#"{"a":1,"a":2,"b":{"a":3,"a":3}}"#,
    r#"{"z":1,"a":2,"10":3,"9":4}"#,
    "[1,1.0,1.00,1e2,1E+2,100,-0,-0.0,0.1e-7]",
    "123456789012345678901234567890.123456789012345678901234567890",
    r#"{"a b":" c  d "," ":"\t"}"#,
    r#""\u0041\n\/\"\\\ud83e\udd80""#,
    "\"\u{7f}\u{2028}\u{feff}é東🦀\"",
    r#""\u0000""#,
    "1e400",
    "{\"\u{202e}\":\"\u{200f}\"}",
    r#"[[[[[[[[[[{"":[]}]]]]]]]]]]"#,
];

#[test]
fn json_comes_out_byte_for_byte() {
    let mut store = store();
    let events: Vec<_> = TEXTS.iter().map(|text| event("s", "T").data(text)).collect();
    store.append(&events).unwrap();
    for (found, text) in everything(&store).iter().zip(TEXTS) {
        assert_eq!(found.data, Data::Json(Json::parse(text).unwrap()));
        assert!(matches!(&found.data, Data::Json(json) if json.as_str() == text), "{found:?}");
    }
}

#[test]
fn only_white_space_outside_strings_is_lost() {
    let mut store = store();
    store.append(&[event("s", "T").data("\n{ \"a b\" :\t[ 1 , \" 2 \" ] }\r\n")]).unwrap();
    let found = everything(&store).remove(0).data;
    assert!(matches!(&found, Data::Json(json) if json.as_str() == r#"{"a b":[1," 2 "]}"#));
}

#[test]
fn bytes_come_out_as_they_went_in() {
    let mut store = store();
    let all: Vec<u8> = (0..=255).collect();
    let kinds: [&[u8]; 5] = [b"", b"\0", b"{}", b"\xff\xfe", &all];
    let events: Vec<_> = kinds.iter().map(|bytes| event("s", "T").bytes(bytes)).collect();
    store.append(&events).unwrap();
    for (found, bytes) in everything(&store).iter().zip(kinds) {
        assert_eq!(found.data, Data::Bytes(bytes.into()));
    }
}

#[test]
fn metadata_is_kept_apart_and_byte_for_byte() {
    let mut store = store();
    let kinds = [None, Some("{}"), Some(r#"{"correlation_id":"x","n":1.0,"n":1.0}"#)];
    for text in kinds {
        let mut event = event("s", "T").data("1");
        event.metadata = text.map(|text| Json::parse(text).unwrap());
        store.append(&[event]).unwrap();
    }
    for (found, text) in everything(&store).iter().zip(kinds) {
        assert_eq!(found.metadata.as_ref().map(Json::as_str), text);
    }
}

#[test]
fn names_are_kept_as_they_are() {
    let mut store = store();
    let long = "é".repeat(127);
    let names = ["a", "A", "Zoë's order", "東京-1", "a$b", "a'b\"c\\d", "%_", "null", "0", &long];
    for name in names {
        store.append(&[event(name, name)]).unwrap();
    }
    for (index, name) in (1..).zip(names) {
        let found = read(&store, &Query::of(vec![name.parse().unwrap()]));
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].position.0, index);
        assert_eq!((found[0].stream.as_str(), found[0].event_type.as_str()), (name, name));
    }
}

#[test]
fn payloads_larger_than_a_batch_of_a_reader_are_read() {
    let mut store = store();
    let large = format!("\"{}\"", "x".repeat(700 * 1024));
    for _ in 0..3 {
        store.append(&[event("s", "T").data(&large), event("s", "T").data("1")]).unwrap();
    }
    for query in [Query::default(), Query::of(vec!["s".parse().unwrap()])] {
        let lengths: Vec<usize> =
            read(&store, &query).iter().map(|event| event.data.len()).collect();
        assert_eq!(lengths, [large.len(), 1, large.len(), 1, large.len(), 1]);
    }
}
