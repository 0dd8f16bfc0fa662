//! Writes the text of HAProxy's configuration for one environment, whole or as a fragment beside somebody else's.
