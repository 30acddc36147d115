#!/usr/bin/env bash
# Lists what an installed Inkstream is made of.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: deploy/make_sbom.sh BINARY

Writes an SBOM, SPDX 2.3 as JSON, to standard output: the binary, and every
Debian package of this system, with those that the binary loads libraries of
named as what it depends on. Times are SOURCE_DATE_EPOCH's, or now.
EOF
}

if (($# != 1)) || [[ $1 == -* ]]; then
  [[ ${1:-} == --help || ${1:-} == -h ]] && { usage && exit; }
  usage >&2
  exit 2
fi
binary=$1

# Packages of the libraries that the binary loads, as NAME-ARCHITECTURE. dpkg
# knows files by their own path, ldd names them by links (/lib is /usr/lib): so
# it is asked for each form, and most are nobody's.
packages_of_libraries() {
  local paths path forms=() owners
  mapfile -t paths < <(ldd "$binary" | awk '$2 == "=>" && $3 ~ /^\// {print $3}')
  for path in "${paths[@]}"; do forms+=("$path" "/usr$path" "$(realpath "$path")"); done
  mapfile -t owners < <(dpkg-query --search "${forms[@]}" 2>/dev/null | sed 's/: .*//' | sort -u)
  dpkg-query --show --showformat '${Package}-${Architecture}\n' "${owners[@]}"
}

created=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%dT%H:%M:%SZ)
version=$("$binary" --version)
version=${version#inkstream }
sum=$(sha256sum "$binary" | cut -d' ' -f1)
loaded=$(packages_of_libraries)
[[ -n $loaded ]]

cat <<EOF
{"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
"name": "inkstream-$version", "documentNamespace": "urn:inkstream:$version:$sum",
"creationInfo": {"created": "$created", "creators": ["Tool: make_sbom.sh"]},
"packages": [
{"SPDXID": "SPDXRef-inkstream", "name": "inkstream", "versionInfo": "$version",
"downloadLocation": "NOASSERTION", "filesAnalyzed": false, "licenseDeclared": "Apache-2.0",
"checksums": [{"algorithm": "SHA256", "checksumValue": "$sum"}]}
EOF
dpkg-query --show --showformat \
  '${db:Status-Status}\t${Package}\t${Architecture}\t${Version}\t${source:Package}\n' | sort |
  awk -F '\t' '$1 == "installed" {
    id = $2 "-" $3
    gsub(/[^A-Za-z0-9.-]/, "-", id)
    locator = $2 "@" $4
    gsub(/\+/, "%2B", locator)
    printf ",{\"SPDXID\": \"SPDXRef-%s\", \"name\": \"%s\", \"versionInfo\": \"%s\", ", id, $2, $4
    printf "\"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false, "
    printf "\"sourceInfo\": \"%s\", \"externalRefs\": [{", $5
    printf "\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", "
    printf "\"referenceLocator\": \"pkg:deb/debian/%s?arch=%s\"}]}\n", locator, $3
  }'
echo '], "relationships": ['
echo '{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",'
echo '"relatedSpdxElement": "SPDXRef-inkstream"}'
for package in $loaded; do
  id=${package//[^A-Za-z0-9.-]/-}
  echo ',{"spdxElementId": "SPDXRef-inkstream", "relationshipType": "DEPENDS_ON",'
  echo "\"relatedSpdxElement\": \"SPDXRef-$id\"}"
done
echo ']}'
