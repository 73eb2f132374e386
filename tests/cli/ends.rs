//! Ends that are none: whatever a number, a time or a duration is, a command ends, and with an exit
//! code that is documented.

mod bounds;
mod limits;
mod numbers;
mod signals;
mod times;
mod waits;
