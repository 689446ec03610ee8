#!/usr/bin/env bash
# Install the Debian packages the tests use. Without apt or the right to use it, say what will be skipped.
set -u
missing=()
compgen -G '/usr/share/postgresql/*/extension/postgis.control' >/dev/null || missing+=(postgresql postgis postgresql-15-postgis-3)
command -v chromium >/dev/null || missing+=(chromium)
command -v systemd-analyze >/dev/null || missing+=(systemd)
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=()
if [ "$(id -u)" -ne 0 ]; then sudo=(sudo -n); fi
if command -v apt-get >/dev/null && "${sudo[@]}" true 2>/dev/null; then
  echo "Installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  "${sudo[@]}" apt-get update -qq && "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null && exit 0
fi
echo "WARNING: ${missing[*]} not installed; the tests that need them will be skipped and counted." >&2
[ "${SCA_CI_NO_SKIPS:-0}" = 1 ] && exit 1
exit 0
