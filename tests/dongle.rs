//! The software dongle of the tests in a virtual machine, in front of a host made of software too.

#[path = "vm/dongle/mod.rs"]
mod dongle;
