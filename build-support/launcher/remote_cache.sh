# Hand [pipeline] of slipway.toml to Pants: a remote cache, a remote execution. Sourced by
# launcher.sh and called by .pants.bootstrap at each start: without the setting, no process starts.

export_remote_cache() {
  local text='' line
  # flags and variables of Pants itself come first
  [[ -z ${PANTS_REMOTE_STORE_ADDRESS:-} && ${SLIPWAY_REMOTE_CACHE:-} != off ]] || return 0
  [[ ! -f $root/slipway.toml ]] || IFS= read -rd '' text < "$root/slipway.toml" || :
  [[ -n ${SLIPWAY_REMOTE_CACHE:-} || $text == *remote-cache* ]] || return 0
  [[ -n ${python312:-} ]] || require_tools 3.12 || return 0
  while IFS= read -r line; do
    [[ $line == PANTS_*=* ]] || continue
    export "${line?}"
  done < <("$python312" -I -S -c '
import pathlib, sys
sys.path.insert(0, sys.argv[1] + "/build-support")
sys.dont_write_bytecode = True
from slipway.settings.pants import main
main(pathlib.Path(sys.argv[1]))
' "$root")
}
