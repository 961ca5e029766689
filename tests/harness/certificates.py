"""Throw-away certificates for tests: one authority, server and client certificates signed by it. Made with the
openssl command, kept in build/.
"""
import fcntl
import shutil
import ssl
import subprocess

from . import places


def _openssl(*argv):
    if not shutil.which("openssl"):
        raise places.Unavailable("no openssl command on this machine")
    subprocess.run(["openssl", *map(str, argv)], check=True, stdin=subprocess.DEVNULL, capture_output=True)


def authority():
    """(certificate, key) of the test authority."""
    folder = places.scratch() / "certificates"
    folder.mkdir(exist_ok=True)
    certificate, key = folder / "authority.pem", folder / "authority.key"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not certificate.exists():
            _openssl(
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "3650",
                "-subj",
                "/CN=Hangu test authority",
                "-keyout",
                key,
                "-out",
                str(certificate) + ".new",
            )
            shutil.move(str(certificate) + ".new", certificate)
    return certificate, key


def issue(name, days=365, addresses=("127.0.0.1",), key_kind="ec"):
    """A certificate for host `name` (and localhost, and `addresses`): (certificate, key). The same name and kind give
    the same files.

    `key_kind` is ec or rsa.
    """
    folder = places.scratch() / "certificates"
    ca, ca_key = authority()
    stem = "%s-%s-%d" % (name.replace("*", "any"), key_kind, days)
    certificate, key = folder / (stem + ".pem"), folder / (stem + ".key")
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if certificate.exists():
            return certificate, key
        made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key_kind == "ec" else ["-newkey", "rsa:2048"]
        request, extensions = folder / (stem + ".csr"), folder / (stem + ".ext")
        _openssl("req", *made, "-nodes", "-subj", "/CN=" + name, "-keyout", key, "-out", request)
        names = ["DNS:" + name, "DNS:localhost"] + ["IP:" + a for a in addresses]
        extensions.write_text("subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n" % ",".join(names))
        _openssl(
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            ca,
            "-CAkey",
            ca_key,
            "-CAcreateserial",
            "-days",
            days,
            "-extfile",
            extensions,
            "-out",
            str(certificate) + ".new",
        )
        shutil.move(str(certificate) + ".new", certificate)
        key.chmod(0o600)
    return certificate, key


def server_context(name, client_authority=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, issue(name)))
    if client_authority:
        context.load_verify_locations(str(authority()[0]))
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def client_context(certificate_of=None):
    """A context that trusts the test authority only; with `certificate_of` it also presents that name's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(authority()[0]))
    if certificate_of:
        context.load_cert_chain(*map(str, issue(certificate_of)))
    return context
