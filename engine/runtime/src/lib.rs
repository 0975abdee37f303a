//! One check and one report from start to end, over one snapshot.
