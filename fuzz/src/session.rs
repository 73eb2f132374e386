//! What a client sends to a server.

use ream::serve::messages;

/// That it makes no difference where it is cut: the first byte says how long the pieces are, and whether it may
/// come from a stranger. Whether all of it is messages.
pub fn session(bytes: &[u8]) -> bool {
    let Some((how, sent)) = bytes.split_first() else { return false };
    let is_stranger = how % 2 == 1;
    let whole = messages(std::iter::once(sent), is_stranger);
    let length = usize::from(how / 2) + 1;
    assert_eq!(messages(sent.chunks(length), is_stranger), whole, "in pieces of {length}");
    whole.iter().all(|message| message.starts_with("Request"))
}
