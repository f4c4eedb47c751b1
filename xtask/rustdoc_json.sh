#!/bin/sh
# The stable compiler writes its documentation as JSON only when it is told that this may change.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
