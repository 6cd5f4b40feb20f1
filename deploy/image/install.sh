#!/bin/sh
# Makes the image's root file system out of a bare Debian: the packages, and who the functions run as.
# The one place that says how: the Dockerfile runs it, and so does tools/imageCheck.ts.
set -eu
cd "$(dirname "$0")"

export DEBIAN_FRONTEND=noninteractive
cp dpkg.cfg /etc/dpkg/dpkg.cfg.d/klipstream
apt-get update
# The base image is some weeks old; what was mended since is wanted.
apt-get upgrade --yes --no-install-recommends
sed 's/#.*//' packages.txt | xargs apt-get install --yes --no-install-recommends
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log

# The number is what Cloud Run and the files of the image know; nothing is theirs to write but /tmp.
useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin \
  klipstream

# With all that dpkg.cfg left out.
ffmpeg -version >/dev/null
