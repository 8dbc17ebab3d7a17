#!/usr/bin/env bash
# Fetch the real servers that `make e2e` tests against, in pinned versions, into a folder of their own:
# REVERBERATE_SERVERS, or else reverberate/servers in the user's cache. What is there already is not fetched again.
# Usage: tools/servers.sh [NAME...]   names: pds plc oidc wordpress snac; all without a name.
set -euo pipefail
folder=${REVERBERATE_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/reverberate/servers}

say() { printf '%s: %s\n' "$1" "$2"; }

# have NAME VERSION: whether this version is there.
have() { [ "$(cat "$folder/$1/.version" 2>/dev/null)" = "$2" ] && say "$1" "$2 is there"; }

# done_with NAME VERSION: it is whole from now on.
done_with() { echo "$2" > "$folder/$1/.version"; say "$1" "fetched $2"; }

# from_npm NAME PACKAGE@VERSION [OPTION...]
from_npm() {
  local name=$1 package=$2
  have "$name" "$package" && return
  rm -rf "${folder:?}/$name" && mkdir -p "$folder/$name"
  echo '{"private": true}' > "$folder/$name/package.json"
  (cd "$folder/$name" && npm install --silent --no-audit --no-fund "${@:3}" "$package")
  done_with "$name" "$package"
}

pds() { from_npm pds @atproto/pds@0.4.217; }                       # the last line for Node 20
plc() { from_npm plc @did-plc/server@0.0.1 --ignore-scripts; }
oidc() { from_npm oidc oidc-provider@9.13.3; }

# WordPress and its SQLite drop-in, as the builds of WordPress Playground hold them.
wordpress() {
  local package=@wp-playground/wordpress-builds@0.9.19 at=package/src
  have wordpress "$package" && return
  rm -rf "$folder/wordpress" && mkdir -p "$folder/wordpress"
  (
    cd "$folder/wordpress"
    tar xzf "$(npm pack --silent "$package")" --strip-components=3 \
      $at/wordpress/wp-6.5.zip $at/sqlite-database-integration/sqlite-database-integration.zip
    rm ./*.tgz
  )
  done_with wordpress "$package"
}

# snac from Debian's backports, unpacked and not installed; the system's own sources stay as they are.
snac() {
  if installed=$(type -P snac); then say snac "$installed is there"; return; fi
  local version=2.75
  have snac "$version" && return
  rm -rf "$folder/snac" && mkdir -p "$folder/snac/apt/lists/partial" "$folder/snac/apt/cache/archives/partial"
  (
    cd "$folder/snac"
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")-backports
    mirror=$(awk '/^URIs/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources)
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > apt/sources.list
    apt="-o Dir::Etc::sourcelist=$PWD/apt/sources.list -o Dir::Etc::sourceparts=/dev/null"
    apt="$apt -o Dir::State::lists=$PWD/apt/lists -o Dir::Cache=$PWD/apt/cache"
    # shellcheck disable=SC2086  # options, one a word
    apt-get $apt update -qq && apt-get $apt download -qq "snac2=$version*"
    dpkg-deb -x ./*.deb root
    rm -rf apt ./*.deb
  )
  done_with snac "$version"
}

[ $# -gt 0 ] || set -- pds plc oidc wordpress snac
for name; do "$name"; done
