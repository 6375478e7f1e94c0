# What ./pants, ./slipway and the scripts of ci/ share: interpreters, and environments that are made
# once per user. Sourced by them, with `root` (the repository, an absolute path) and `program` (how
# messages call the script) set. The first start is described in docs/installation.md.

for part in cache package_index interpreters uv missing remote_cache; do
  source "$root/build-support/launcher/$part.sh"
done
export_index_settings

# Make a virtual environment of what a lockfile lists, in a folder.
make_environment() { # python, lockfile, folder
  # not from the caller's folder, whose pyproject.toml uv would read
  (
    cd "$slipway_cache" &&
      unset VIRTUAL_ENV CONDA_PREFIX &&
      export UV_PYTHON_DOWNLOADS=never &&
      "$uv" venv --quiet --python "$1" "$3" &&
      "$uv" pip install --quiet --python "$3/bin/python" --require-hashes -r "$2"
  )
}

# Set `environment` to the environment of a lockfile, which is made once per user.
require_environment() { # minor version of Python, lockfile, folder of the cache, content in words
  local key python=python${1/./}
  lock_key "$2"
  environment=$slipway_cache/$3/$key
  is_complete "$environment" && return
  require_tools "$1" || return 1
  fill_once "$environment" "$4" make_environment "${!python}" "$2" || { report_failure "$4"; return 1; }
}

report_failure() { # content in words
  echo "error: $program: $1 could not be installed; the installer's message is above" >&2
  echo "fix: see that the package index is reached (docs/installation.md), then run it again" >&2
}

# Set `python` to one that has all that the library needs: SLIPWAY_PYTHON, else that of an
# environment. Let it find this checkout's library.
find_library_python() {
  export PYTHONPATH=$root/build-support
  unset PYTHONHOME
  python=${SLIPWAY_PYTHON:-}
  [[ -z $python ]] || return 0
  require_environment 3.12 "$root/build-support/lockfiles/slipway.txt" library \
    "what slipway needs" || return 1
  python=$environment/bin/python
  export PATH=$environment/bin:$PATH
}
