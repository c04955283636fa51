//! Immutable values that pipelines pass around: images, exposures, coordinate systems, calibrations.
