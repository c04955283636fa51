//! Data access for science pipelines: composite datasets assembled from parts that live in other files, repositories and processing stages.
