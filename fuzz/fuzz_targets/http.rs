//! Any bytes as what a client sends to a server of HTTP.

#![no_main]

use std::cell::RefCell;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ream_fuzz::http::Site;

thread_local! {
    static SITE: RefCell<Site> = RefCell::new(Site::new(Duration::from_millis(5)));
}

fuzz_target!(|bytes: &[u8]| {
    SITE.with_borrow_mut(|site| site.answers(bytes));
});
