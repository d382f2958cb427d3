#!/usr/bin/env bash
# Regenerates the PDFs of this folder: Chromium prints the HTML, LibreOffice exports the flat OpenDocument files.
# The results are committed; run this only after a source has changed.
set -euo pipefail
cd "$(dirname "$0")"
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

chromium=$(command -v chromium || command -v google-chrome)
flags=(--headless --disable-gpu --no-first-run --user-data-dir="$profile/chromium" --no-pdf-header-footer
  --generate-pdf-document-outline)
[[ $(id -u) -ne 0 ]] || flags+=(--no-sandbox)
for page in harbour mill survey; do
  "$chromium" "${flags[@]}" --print-to-pdf="$page.pdf" "file://$PWD/$page.html" 2>"$profile/log" || cat "$profile/log" >&2
done

export_as() { # SOURCE FILTER OPTIONS TARGET
  soffice "-env:UserInstallation=file://$profile/office" --headless --convert-to "pdf:$2:$3" --outdir "$profile" "$1" >"$profile/log"
  mv "$profile/$(basename "${1%.*}").pdf" "$4"
}
export_as minutes.fodt writer_pdf_Export '{"UseTaggedPDF":{"type":"boolean","value":"false"}}' minutes.pdf
export_as minutes.fodt writer_pdf_Export '{"UseTaggedPDF":{"type":"boolean","value":"true"}}' minutes-tagged.pdf
export_as accounts.fods calc_pdf_Export '{"UseTaggedPDF":{"type":"boolean","value":"false"}}' accounts.pdf
