# Sourced by the scripts that build other projects' programs from source through the Go module proxy.
#
# compile MODULE PACKAGE FILE [FLAG...] builds one main package of the module in the folder MODULE, and counts the packages as
# they are done: on two cores some of these take minutes.
compile() {
  local module=$1 package=$2 file=$3 total
  shift 3
  total=$(cd "$module" && go list -deps "$package" | wc -l)
  say "building ${file##*/} from source ($total packages; those built before are not counted again)"
  (cd "$module" && go build -v -trimpath -buildvcs=false -o "$file" "$@" "$package" 2>&1) |
    awk -v name="${file##*/}" -v total="$total" '
      /^[a-z0-9.\/_-]+$/i { n++; if (n % 100 == 0) { printf "  %s: %d of at most %d packages\n", name, n, total > "/dev/stderr"; fflush("/dev/stderr") } ; next }
      { print > "/dev/stderr" }'
}

# kubernetes_version VERSION sets flags to those that make Kubernetes' programs say that version.
kubernetes_version() {
  local stamp=k8s.io/component-base/version
  flags=(-ldflags "-s -w -X $stamp.gitVersion=$1 -X $stamp.gitMajor=1 -X $stamp.gitMinor=$(echo "$1" | cut -d. -f2) -X $stamp.gitTreeState=clean")
}
