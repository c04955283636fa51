//! The program itself, stopped at its worst: killed at named places and at random, raced by others of its kind, without space
//! and without permission. Whatever happens the repository is in its old state or in its new one, whole (rule R29).
//!
//! The kernel finishes what a killed process began, so this says nothing about a power cut: the engine's own tests simulate
//! those. It shows that the program that people run gives the promise with a real file system, a real registry, and other
//! processes beside it.

#![cfg(feature = "fail-points")]
// A panic is how a test fails, in what prepares it as well.
#![allow(clippy::unwrap_used, clippy::print_stdout, unreachable_pub)]

#[path = "../support/mod.rs"]
mod support;

mod at_once;
mod at_random;
mod collecting;
mod dying;
mod ingests;
mod many_processes;
mod no_space;
mod puts;
mod seen;
mod survey;
mod transfers;
