# browser.sh: a page in a real browser, without a window. Sourced after lib.sh.
#
#   browse FILE [OPTION…]  loads it; what its console said is in $TMP/console, its DOM in $TMP/dom
#   drive FILE SCRIPT      loads a copy in which SCRIPT runs, too, when everything is loaded; what
#                          SCRIPT returns is in $TMP/result
#
# The copy has no Content-Security-Policy: that would not let SCRIPT run, which is tested by itself.
chromium=
for c in chromium chromium-browser google-chrome; do
  command -v "$c" >/dev/null && chromium=$c && break
done
[ -n "$chromium" ] || skip_all "no Chromium (Debian: chromium)"

# Every start has an empty profile; no network is wanted, and none is used.
browse() {
  browse_file=$1
  shift
  rm -rf "$TMP/profile"
  mkdir "$TMP/profile"
  timeout 60 "$chromium" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync \
    --user-data-dir="$TMP/profile" --window-size=1200,800 --timeout=20000 --enable-logging=stderr \
    --dump-dom "$@" "file://$(realpath "$browse_file")" >"$TMP/dom" 2>"$TMP/chromium"
  browse_status=$?
  grep CONSOLE "$TMP/chromium" | sed 's/.*CONSOLE/CONSOLE/' >"$TMP/console"
  rm -rf "$TMP/profile"
  return $browse_status
}

drive() {
  case $1 in
  *.svg) copy=$TMP/driven.svg last='</svg>' open='<script><![CDATA[' close=']]></script>' ;;
  *) copy=$TMP/driven.html last='</html>' open='<script>' close='</script>' ;;
  esac
  awk -v last="$last" -v script="$2" -v open="$open" -v close_="$close" '
    /Content-Security-Policy/ { next }
    $0 == last {
      print open
      print "addEventListener(\"load\", () => {\nlet r;\ntry { r = (() => {"
      while ((getline line < script) > 0) print line
      print "})(); } catch (e) { r = \"threw \" + e.stack; }"
      print "const p = document.createElementNS(\"http://www.w3.org/1999/xhtml\", \"pre\");"
      print "p.id = \"result\";"
      print "p.textContent = btoa(unescape(encodeURIComponent(r)));"
      print "document.documentElement.appendChild(p);\n});"
      print close_
    }
    { print }' "$1" >"$copy"
  browse "$copy"
  sed -n 's/.*<pre [^>]*id="result"[^>]*>\([^<]*\)<.*/\1/p' "$TMP/dom" | base64 -d >"$TMP/result" 2>/dev/null
}
