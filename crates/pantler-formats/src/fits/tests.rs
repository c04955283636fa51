//! Tests of the FITS formatter against real files; each file tells one story.

mod archives;
mod backgrounds;
mod costs;
mod cutouts;
mod mutations;
mod oracle;
mod parts;
mod row_components;
mod rows;
mod sha256;
mod support;
mod tables;
mod writing;
