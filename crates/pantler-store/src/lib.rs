//! Where artifacts live: local folders and memory, and stores that count, fail and forget.
