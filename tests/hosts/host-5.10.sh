#!/bin/sh
# Older than the oldest that is supported: a clear refusal.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
boot_if_full --timeout 600 5.10
