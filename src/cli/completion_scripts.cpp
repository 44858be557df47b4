// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.hpp"

namespace davit::cli {

namespace {

// Bash completes what follows an "=" as a word of its own.
constexpr std::string_view kBash = R"(# bash completion of davit
_davit() {
  local current=${COMP_WORDS[COMP_CWORD]} is_value= line
  [[ $current == = || ${COMP_WORDS[COMP_CWORD-1]} == = ]] && is_value=yes
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files)
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${current#=}") ;;
      :directories)
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${current#=}") ;;
      *)
        line=${line%%$'\t'*}
        [[ $is_value ]] && line=${line#*=}
        COMPREPLY+=("$line") ;;
    esac
  done < <("$1" completion next "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _davit davit
)";

constexpr std::string_view kZsh = R"(#compdef davit
_davit() {
  local line word paths=
  local -a found
  for line in "${(@f)$("${(Q)words[1]}" completion next "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :*) paths=$line ;;
      *$'\t'*)
        word=${line%%$'\t'*}
        found+=("${word//:/\\:}:${line#*$'\t'}") ;;
      *) found+=("${line//:/\\:}") ;;
    esac
  done
  (( $#found )) && _describe davit found
  [[ -n $paths ]] || return 0
  compset -P '--*='
  if [[ $paths == :directories ]]; then _files -/; else _files; fi
}
if [[ $funcstack[1] == _davit ]]; then _davit "$@"; else compdef _davit davit; fi
)";

constexpr std::string_view kFish = R"(# fish completion of davit
function __davit_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l option (string match -r -- '^--[^=]*=' "$current")
    set -l path (string replace -r -- '^--[^=]*=' '' "$current")
    for line in ($words[1] completion next $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case :files
                for found in (__fish_complete_path "$path")
                    echo "$option$found"
                end
            case :directories
                for found in (__fish_complete_directories "$path" '')
                    echo "$option$found"
                end
            case '*'
                echo $line
        end
    end
end
complete -c davit -f -a '(__davit_complete)'
)";

}  // namespace

std::string_view completion_script(std::string_view shell) {
  return shell == "bash" ? kBash : shell == "zsh" ? kZsh : shell == "fish" ? kFish : std::string_view();
}

}  // namespace davit::cli
