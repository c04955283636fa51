//! Bytes to objects and back: FITS, JSON, YAML, text.
