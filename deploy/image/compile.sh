#!/bin/sh
# Fills NODE_COMPILE_CACHE of an image that has everything else already, from its /app; the arguments
# are what an instance runs. Instances read it and write nothing: files are their memory.
set -eu
tools=$(cd "$(dirname "$0")/../../tools" && pwd)
user=10001

install --directory --owner="$user" "$NODE_COMPILE_CACHE"
setpriv --reuid="$user" --regid="$user" --clear-groups \
  node "$tools/compileImage.ts" "$@"
chown -R root:root "$NODE_COMPILE_CACHE"
chmod -R u=rwX,go=rX "$NODE_COMPILE_CACHE"
