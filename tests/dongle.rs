//! The software dongle that the tests in a virtual machine capture from, in front of a host made of software too.

#[path = "vm/dongle/mod.rs"]
mod dongle;
#[path = "vm/dongle/tests/mod.rs"]
mod tests;
