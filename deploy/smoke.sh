#!/usr/bin/env bash
# Runs a sample through the deployed service: deploy/smoke.sh --help
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ ! -d node_modules/convex ]; then
  echo "node_modules is not complete: run npm ci." >&2
  exit 1
fi
# The Node that npm brought, where it did; else the one on the path.
PATH="$PWD/node_modules/.bin:$PATH"
if ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 24 ? 0 : 1)'; then
  echo "Node 24 or later is needed; this is $(node --version)." >&2
  exit 1
fi

exec node deploy/smoke.ts "$@"
