//! Takes out of an output what differs from run to run.

use super::Ream;

/// The text with `[link]` in the place of the link in each id that is made of one and a position.
pub(crate) fn without_links(text: &str) -> String {
    const LENGTH: usize = 13;
    let is_base32 = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    let (mut redacted, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('/') {
        let (before, behind) = rest.split_at(at);
        let link = before.as_bytes().iter().rev().take_while(|byte| is_base32(byte)).count();
        if link == LENGTH && behind[1..].starts_with(|c: char| c.is_ascii_digit()) {
            redacted.push_str(&before[..at - LENGTH]);
            redacted.push_str("[link]");
        } else {
            redacted.push_str(before);
        }
        redacted.push('/');
        rest = &behind[1..];
    }
    redacted + rest
}

/// The text with `[store]`, `[link]`, `[home]` and `[time]` in the places of those.
pub(crate) fn redact(ream: &Ream, text: &str) -> String {
    let mut text = without_links(&text.replace(&*ream.home().to_string_lossy(), "[home]"));
    if let Some(id) = ream.id() {
        text = text.replace(&id, "[store]");
    }
    let now = jiff::Timestamp::now();
    // A test may begin before midnight and end after it.
    for time in [now, now - jiff::SignedDuration::from_hours(24)] {
        text = without_times_of(&text, &time.to_string()[..10]);
    }
    text
}

/// Replaces the points in time of this day that a program writes: in microseconds as JSON has them,
/// in seconds as tables do. Others, such as the examples in messages, stay.
fn without_times_of(text: &str, date: &str) -> String {
    let mut redacted = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(date) {
        let (before, time) = rest.split_at(at);
        redacted.push_str(before);
        let length = if has_form(time, "####-##-##T##:##:##.######Z") {
            27
        } else if has_form(time, "####-##-## ##:##:##") {
            19
        } else {
            0
        };
        redacted.push_str(if length == 0 { date } else { "[time]" });
        rest = &time[length.max(date.len())..];
    }
    redacted + rest
}

/// Whether `text` begins as `form`, in which `#` stands for a digit.
fn has_form(text: &str, form: &str) -> bool {
    let same = |(byte, form): (u8, u8)| byte == form || form == b'#' && byte.is_ascii_digit();
    text.len() >= form.len() && text.bytes().zip(form.bytes()).all(same)
}
