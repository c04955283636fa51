//! The program, run as a shell runs it: what scripts rely on, what people read.

#[path = "../support/mod.rs"]
mod support;

mod contract;
mod errors;
mod help;
mod mending;
mod messages;
mod scanning;
mod survey;
mod text;
