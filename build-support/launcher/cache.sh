# Folders below ~/.cache/slipway that are filled once per user. Sourced by launcher.sh.

HOME=${HOME:-~} # a service may run without it
export HOME
slipway_cache=${XDG_CACHE_HOME:-$HOME/.cache}/slipway
# the interpreters that a folder depends on; without one of them it is filled again
interpreters=()

# Set `key` to the name of a lockfile's folder, which changes with the lockfile's content.
lock_key() { # lockfile
  read -r key _ < <(sha256sum "$1" 2> /dev/null || shasum -a 256 "$1")
  key=${key:0:16}
}

# Return whether a folder was filled completely and its interpreters still exist.
is_complete() { # folder
  local interpreter
  [[ -f $1/complete ]] || return 1
  while read -r interpreter; do
    [[ -x $interpreter ]] || return 1
  done < "$1/complete"
  # `slipway cache` removes what was not used for long; an image's own folder cannot be written
  touch -c "$1/complete" 2> /dev/null || :
}

# Fill a folder by a command that gets the folder as its last argument. Parallel starts wait for the
# first one; a start that was killed leaves no `complete` and is repeated.
fill_once() { # folder, its content in words, command and arguments
  local folder=$1 content=$2
  shift 2
  mkdir -p "${folder%/*}"
  exec 9> "$folder.lock"
  take_lock || { exec 9>&-; return 1; }
  if ! is_complete "$folder"; then
    echo "$program: installing $content into $folder (once)" >&2
    rm -rf "$folder"
    mkdir "$folder"
    if ! "$@" "$folder" >&2; then
      rm -rf "$folder"
      exec 9>&-
      return 1
    fi
    # written last
    printf '%s\n' ${interpreters[@]+"${interpreters[@]}"} | sed '/^$/d' > "$folder/complete"
  fi
  exec 9>&-
}

# Wait for the lock on file descriptor 9. It lasts until the descriptor is closed, so the lock of a
# killed process is free as soon as its installer has ended, too.
take_lock() {
  if command -v flock > /dev/null; then
    flock 9
  else # macOS
    find_any_python && "$any_python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
  fi
}
