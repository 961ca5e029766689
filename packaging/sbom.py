#!/usr/bin/env python3
"""Write what the programs stand on as SPDX 2.3 JSON: each shared library they name (ELF NEEDED), the Debian package it came from here, with
version and licence. The same programs on the same system give the same bytes: times come from SOURCE_DATE_EPOCH.

    sbom.py --version VERSION --dependencies docs/DEPENDENCIES.md --out FILE PROGRAM...

Ends with status 1 when a program needs a library that the table below does not have, when the table and docs/DEPENDENCIES.md
disagree about a licence, or when no package owns a library.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

# Each library by its file name without version: as docs/DEPENDENCIES.md names it, its licence there, and that licence in SPDX's words.
LIBRARIES = {
    "libcrypto.so": ("OpenSSL", "Apache-2.0", "Apache-2.0"),
    "libssl.so": ("OpenSSL", "Apache-2.0", "Apache-2.0"),
    "libunbound.so": ("libunbound", "BSD-3", "BSD-3-Clause"),
    "libsodium.so": ("libsodium", "ISC", "ISC"),
    "libseccomp.so": ("libseccomp", "LGPL-2.1", "LGPL-2.1-only"),
    "libsqlite3.so": ("SQLite", "public domain", "blessing"),
    "libmicrohttpd.so": ("libmicrohttpd", "LGPL-2.1", "LGPL-2.1-or-later"),
    "libexpat.so": ("expat", "MIT", "MIT"),
    "libzstd.so": ("zstd", "BSD-3", "BSD-3-Clause"),
    "libyara.so": ("libyara", "BSD-3", "BSD-3-Clause"),
    "libhs.so": ("vectorscan", "BSD-3", "BSD-3-Clause"),
    "libicuuc.so": ("ICU", "Unicode-3.0", "Unicode-3.0"),
    "libicui18n.so": ("ICU", "Unicode-3.0", "Unicode-3.0"),
    "libicudata.so": ("ICU", "Unicode-3.0", "Unicode-3.0"),
    "libpsl.so": ("libpsl", "MIT", "MIT"),
    "libz.so": ("zlib", "zlib", "Zlib"),
    "libarchive.so": ("libarchive", "BSD-2", "BSD-2-Clause"),
    "libc.so": ("glibc", "LGPL-2.1", "LGPL-2.1-or-later"),
    "ld-linux-x86-64.so": ("glibc", "LGPL-2.1", "LGPL-2.1-or-later"),
    "ld-linux-aarch64.so": ("glibc", "LGPL-2.1", "LGPL-2.1-or-later"),
}


class Wrong(Exception):
    """The list cannot be written; the text says why."""


def run(*command):
    answer = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, LC_ALL="C"))
    if answer.returncode != 0:
        raise Wrong("%s: %s" % (" ".join(command), answer.stderr.strip()))
    return answer.stdout


def needed(program):
    """The file names of the libraries that a program asks the linker for."""
    return re.findall(r"\(NEEDED\).*\[(.+?)\]", run("readelf", "-dW", str(program)))


def stem(library):
    """libssl.so.3 -> libssl.so"""
    return re.sub(r"(\.so)[.\d]*$", r"\1", library)


def written_licences(page):
    """{library: licence} from the table of docs/DEPENDENCIES.md; versions behind the name are left out."""
    licences = {}
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 6:
            licences.setdefault(cells[0].split(" ")[0], set()).add(cells[4])
    return licences


def check_licences(page):
    written = written_licences(page)
    for library, (name, licence, _) in LIBRARIES.items():
        if written.get(name) != {licence}:
            raise Wrong("%s: %s is %s here, and %s in %s" % (library, name, licence, sorted(written.get(name, ())) or "missing", page.name))


def path_of(library):
    """Where the dynamic linker finds it."""
    for line in run("/sbin/ldconfig", "-p").splitlines():
        found = re.match(r"\s+(\S+) \(.*\) => (\S+)$", line)
        if found and found.group(1) == library:
            return found.group(2)
    raise Wrong("%s: the dynamic linker does not know it" % library)


def owner_of(path):
    """(package, version, source) of the Debian package that owns a file. With a merged /usr, dpkg may know it by either name."""
    real = os.path.realpath(path)
    for name in (real, path, real[len("/usr"):] if real.startswith("/usr/") else "/usr" + real):
        answer = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True)
        if answer.returncode == 0:
            package = answer.stdout.split(": ")[0].split(",")[0]
            version, source = run("dpkg-query", "-W", "-f", "${Version}\t${source:Package}", package).split("\t")
            return package.split(":")[0], version, source
    raise Wrong("%s: no Debian package owns it" % path)


def packages_of(programs):
    """{package: (version, source, SPDX licence, [libraries])} of all that the programs need."""
    packages = {}
    for library in sorted({library for program in programs for library in needed(program)}):
        if stem(library) not in LIBRARIES:
            raise Wrong("%s is needed, and neither in packaging/sbom.py nor in docs/DEPENDENCIES.md: say first why, and what on "
                        "the day it has a hole" % library)
        package, version, source = owner_of(path_of(library))
        entry = packages.setdefault(package, (version, source, LIBRARIES[stem(library)][2], []))
        entry[3].append(library)
    return packages


def file_entry(program):
    data = program.read_bytes()
    return {
        "SPDXID": "SPDXRef-File-" + program.name,
        "fileName": "./" + "/".join(program.parts[-3:]),
        "fileTypes": ["BINARY"],
        "checksums": [{"algorithm": "SHA1", "checksumValue": hashlib.sha1(data).hexdigest()},
                      {"algorithm": "SHA256", "checksumValue": hashlib.sha256(data).hexdigest()}],
        "licenseConcluded": "Apache-2.0",
        "copyrightText": "NOASSERTION",
    }


def library_entry(package, version, source, licence, libraries):
    return {
        "SPDXID": "SPDXRef-Package-" + re.sub(r"[^A-Za-z0-9.-]", "-", package),
        "name": package,
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": licence,
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
        "sourceInfo": "Debian source package " + source,
        "comment": "linked dynamically: " + ", ".join(libraries),
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": "pkg:deb/debian/%s@%s" % (package, version.replace("+", "%2B").replace(":", "%3A"))}],
    }


def document(version, programs, packages):
    files = [file_entry(program) for program in programs]
    libraries = [library_entry(package, *packages[package]) for package in sorted(packages)]
    digest = hashlib.sha256("".join(file["checksums"][1]["checksumValue"] for file in files).encode()).hexdigest()
    ours = {
        "SPDXID": "SPDXRef-Package-hangu",
        "name": "hangu",
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "APPLICATION",
    }

    def related(one, kind, other):
        return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}

    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "hangu-" + version,
        "documentNamespace": "https://spdx.org/spdxdocs/hangu-%s-%s" % (version, digest[:32]),
        "creationInfo": {
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))),
            "creators": ["Tool: hangu-packaging-sbom"],
        },
        "packages": [ours] + libraries,
        "files": files,
        "relationships": [related("SPDXRef-DOCUMENT", "DESCRIBES", ours["SPDXID"])]
        + [related(ours["SPDXID"], "CONTAINS", file["SPDXID"]) for file in files]
        + [related(ours["SPDXID"], "DEPENDS_ON", library["SPDXID"]) for library in libraries],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True)
    parser.add_argument("--dependencies", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("programs", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    try:
        check_licences(options.dependencies)
        written = document(options.version, options.programs, packages_of(options.programs))
    except (Wrong, OSError, KeyError) as wrong:
        print("sbom.py: %s" % wrong, file=sys.stderr)
        return 1
    options.out.write_text(json.dumps(written, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
