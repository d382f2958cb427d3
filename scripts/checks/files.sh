# What may be in the repository: known places, no paths of one machine, nothing large but fixtures. Sourced.
# shellcheck shell=bash

known_folders=(.ci .github bench client docker docs edge-proxy extract extract-worker pg-extension scripts sql tests)
known_files=(.dockerignore .editorconfig .gitattributes .gitignore CHANGELOG.md CONTRIBUTING.md Cargo.lock Cargo.toml LICENSE-APACHE
  LICENSE-MIT README.md RELEASE.md SECURITY.md clippy.toml deny.toml dev rust-toolchain.toml rustfmt.toml typos.toml)
fixtures=tests/fixtures/
most_bytes=$((1024 * 1024))

# need_checkout: what git lists is what is checked; without a list every check would pass.
need_checkout() {
  install_packages git
  git -C "$root" ls-files --error-unmatch dev >/dev/null ||
    fail "git cannot list the files of $root" "lint a clone; if another user owns it: git config --global --add safe.directory $root"
}

# repository_files [PATHSPEC…]: tracked files and those that "git add" would take, separated by NUL.
repository_files() {
  (cd "$root" && git ls-files -z --cached --others --exclude-standard --deduplicate -- "$@" |
    while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done)
}

# search PATTERN PATHSPEC…: places in text files that match.
search() {
  local pattern=$1
  shift
  (cd "$root" && repository_files "$@" | xargs -0 -r grep -nIHP -e "$pattern" --) >&2
}

lint_files() {
  need_checkout
  local file top bad=0
  step "files"
  while IFS= read -r -d '' file; do
    top=${file%%/*}
    if [ "$top" = "$file" ]; then
      [[ " ${known_files[*]} " == *" $file "* ]] || { note "$file: not a file that belongs in the root" && bad=1; }
    else
      [[ " ${known_folders[*]} " == *" $top "* ]] || { note "$file: not in a known folder" && bad=1; }
    fi
    if [[ $file != "$fixtures"* ]] && [ "$(wc -c <"$root/$file")" -gt $most_bytes ]; then
      note "$file: larger than 1 MiB, and not in $fixtures" && bad=1
    fi
  done < <(repository_files)
  local findings=()
  [ $bad = 0 ] || findings+=("files that do not belong here: remove or ignore them, or add a new place to scripts/checks/files.sh")
  ! search '(?<![\w.~)}/-])(?:-[A-Z]|file://|/var)?(?:/(?:work|root)/|/home/[A-Za-z]|/Users/[A-Za-z])|\b[C-Z]:\\Users\\' ":!$fixtures" ||
    findings+=("a path of one machine: use a path relative to the checkout, or a setting")
  ! search '(?<![\w.~)}/-])/tmp/' ":!$fixtures" ':!tests' ':!*.md' ||
    findings+=("a fixed name in /tmp, which another user may have taken: use mktemp, or .dev/")
  ! search '^(?:<{7}|>{7}) |[ \t\r]$' ":!$fixtures" ':!tests/e2e/fixtures' ||
    findings+=("a conflict marker, or white space at the end of a line: resolve the conflict; strip the white space")
  [ ${#findings[@]} = 0 ] || fail "the files listed above have$(printf '\n       %s' "${findings[@]}")"
}
