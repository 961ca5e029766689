"""Real mail systems as peers: Postfix, Exim, OpenSMTPD as relays (they take mail on one port and pass it on to
another), Dovecot as LMTP store.

All are tuned to change nothing they need not change, and to try again soon; each runs in a folder of its own
(aside.py) and is ended by its process id. `next_port` is where a relay sends everything.
"""
import os
import signal
import socket
import subprocess
import time

from . import aside, certificates, places, process, smtp

HOST = "127.0.0.1"


def greets(port, host=HOST):
    """Whether a 220 comes from the port; says QUIT."""
    try:
        with socket.create_connection((host, port), 2) as sock:
            sock.settimeout(5)
            first = sock.recv(512)
            sock.sendall(b"QUIT\r\n")
            return first.startswith(b"220")
    except OSError:
        return False


class Peer:
    """What all have in common. A subclass writes its settings in `configure` and names its command in `command`."""

    package = ""
    stop_grace_s = 5

    def __init__(
        self,
        next_port=None,
        port=None,
        tls=None,
        client_tls="none",
        accounted=False,
        resolver="127.0.0.1",
        folder=None,
        **options
    ):
        """`tls` is a host name whose certificate the server shows (None: no STARTTLS); `client_tls` is none, may,
        or encrypt.
        """
        self.port = port or places.free_port()
        self.next_port, self.tls, self.client_tls, self.options = next_port, tls, client_tls, options
        self.accounted, self.resolver = accounted, resolver
        self.folder = folder or places.run_folder(self.package)
        self.server = None
        self.user = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        places.remove(self.folder)

    def binds(self):
        return []

    def configure(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def ready(self):
        return greets(self.port)

    def start(self, timeout_s=60):
        self.configure()
        argv = aside.inside(self.package, self.folder, self.command(), self.resolver, self.binds())
        self.server = process.Server(self.package, argv, self.folder / "output", accounted=self.accounted, cwd="/")
        try:
            process.wait_for(
                lambda: not self.server.alive() or self.ready(),
                timeout_s,
                "%s to greet on port %d" % (self.package, self.port),
                0.05,
            )
            if not self.server.alive():
                raise RuntimeError("%s ended at once:\n%s" % (self.package, self.log()[-2000:]))
        except Exception:
            self.stop()
            raise
        return self

    def stop(self):
        """Ask the first process inside the namespaces to end; whatever is left of them dies with the process
        outside.
        """
        if self.server:
            if self.server.alive():
                for pid in process.children(self.server.pid)[1:2]:
                    os.kill(pid, signal.SIGTERM)
                try:
                    self.server.process.wait(self.stop_grace_s)
                except subprocess.TimeoutExpired:
                    pass
            self.server.stop(0, signal.SIGKILL)
            self.server = None

    def kill(self):
        """End it at once, as a power cut of that peer would; `start` brings it back with its spool."""
        if self.server:
            self.server.stop(0, signal.SIGKILL)
            self.server = None

    def log(self):
        text = ""
        for path in sorted(self.folder.glob("log/*")) + [self.folder / "output"]:
            if path.is_file():
                text += path.read_text(errors="replace")
        return text

    def make(self, name, owner=None, mode=0o755):
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        if owner:
            os.chown(path, aside.uid(owner), aside.uid(owner))
        return path


class Postfix(Peer):
    """Postfix 3.7 as relay. Options: main (dict of main.cf keys), smtpd_max (processes)."""

    package = "postfix"

    def configure(self):
        etc, spool, data, log = self.make("etc"), self.make("spool"), self.make("data", "postfix"), self.make("log")
        tls = {"smtpd_tls_security_level": "none", "smtp_tls_security_level": self.client_tls}
        if self.tls:
            certificate, key = certificates.issue(self.tls)
            tls.update(
                smtpd_tls_security_level="may",
                smtpd_tls_chain_files="%s %s" % (key, certificate),
                smtpd_tls_loglevel="1",
            )
        if self.client_tls != "none":
            tls.update(smtp_tls_CAfile=certificates.authority()[0], smtp_tls_loglevel="1")
        main = {
            "compatibility_level": "3.6",
            "queue_directory": spool,
            "data_directory": data,
            "maillog_file": log / "maillog",
            "maillog_file_prefixes": self.folder,
            "myhostname": "postfix.example",
            "mydestination": "",
            "local_transport": "error:no local mail",
            "alias_maps": "",
            "mynetworks": "127.0.0.0/8",
            "inet_interfaces": HOST,
            "inet_protocols": "ipv4",
            "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native",
            "smtpd_peername_lookup": "no",
            "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "relayhost": "[%s]:%d" % (HOST, self.next_port),
            "default_process_limit": "1200",
            "default_destination_concurrency_limit": "50",
            "initial_destination_concurrency": "20",
            "smtpd_client_connection_count_limit": "0",
            "message_size_limit": "60000000",
            "mailbox_size_limit": "0",
            # What follows keeps messages as they came: no field dropped, no line folded, no structure looked at.
            "message_drop_headers": "",
            "local_header_rewrite_clients": "",
            "smtp_line_length_limit": "0",
            "disable_mime_input_processing": "yes",
            "header_size_limit": "1000000",
            "hopcount_limit": "100",
            "minimal_backoff_time": "2s",
            "maximal_backoff_time": "5s",
            "queue_run_delay": "2s",
            "biff": "no",
        }
        main.update(tls)
        main.update(self.options.get("main", {}))
        (etc / "main.cf").write_text("".join("%s = %s\n" % item for item in main.items()))
        rows = [
            ("%s:%d" % (HOST, self.port), "inet", "n", "-", "n", "-", str(self.options.get("smtpd_max", 1200)), "smtpd")
        ]
        for name, kind, private, wake, limit, program in (
            ("pickup", "unix", "n", "60", "1", ""),
            ("cleanup", "unix", "n", "-", "0", ""),
            ("qmgr", "unix", "n", "300", "1", ""),
            ("tlsmgr", "unix", "-", "1000?", "1", ""),
            ("rewrite", "unix", "-", "-", "-", "trivial-rewrite"),
            ("bounce", "unix", "-", "-", "0", ""),
            ("defer", "unix", "-", "-", "0", "bounce"),
            ("trace", "unix", "-", "-", "0", "bounce"),
            ("verify", "unix", "-", "-", "1", ""),
            ("flush", "unix", "n", "1000?", "0", ""),
            ("proxymap", "unix", "-", "-", "-", ""),
            ("proxywrite", "unix", "-", "-", "1", "proxymap"),
            ("smtp", "unix", "-", "-", "200", ""),
            ("relay", "unix", "-", "-", "200", "smtp"),
            ("showq", "unix", "n", "-", "-", ""),
            ("error", "unix", "-", "-", "-", ""),
            ("retry", "unix", "-", "-", "-", "error"),
            ("discard", "unix", "-", "-", "-", ""),
            ("anvil", "unix", "-", "-", "1", ""),
            ("scache", "unix", "-", "-", "1", ""),
            ("postlog", "unix-dgram", "n", "-", "1", "postlogd"),
        ):
            rows.append((name, kind, private, "-", "n", wake, limit, program or name))
        (etc / "master.cf").write_text("".join(" ".join(row) + "\n" for row in rows))

    def command(self):
        return ["/usr/sbin/postfix", "-c", self.folder / "etc", "start-fg"]

    def queued(self):
        """Messages in its queue."""
        return sum(
            len(files)
            for where in ("incoming", "active", "deferred", "hold")
            for _, _, files in os.walk(self.folder / "spool" / where)
        )


class Exim(Peer):
    """Exim 4.96 as relay. Options: chunking (False: never offers nor uses BDAT), extra (main section lines),
    transport (lines).
    """

    package = "exim"

    def configure(self):
        self.make("spool", "Debian-exim", 0o750)
        log = self.make("log", "Debian-exim")
        chunking = "*" if self.options.get("chunking", True) else ""
        tls = "tls_advertise_hosts =\n"
        if self.tls:
            certificate, key = certificates.issue(self.tls)
            own = self.make("tls", "Debian-exim", 0o700)
            for source, name in ((certificate, "cert.pem"), (key, "key.pem")):
                (own / name).write_bytes(source.read_bytes())
                os.chown(own / name, aside.uid("Debian-exim"), aside.uid("Debian-exim"))
            tls = "tls_advertise_hosts = *\ntls_certificate = %s/cert.pem\ntls_privatekey = %s/key.pem\n" % (own, own)
        client = {"none": "hosts_avoid_tls = *", "may": "", "encrypt": "hosts_require_tls = *"}[self.client_tls]
        (self.folder / "exim.conf").write_text(
            """\
exim_path = /usr/sbin/exim4
exim_user = Debian-exim
exim_group = Debian-exim
keep_environment =
add_environment = PATH=/usr/bin:/bin
spool_directory = %(folder)s/spool
log_file_path = %(log)s/%%slog
pid_file_path = %(folder)s/spool/exim.pid
primary_hostname = exim.example
qualify_domain = exim.example
local_interfaces = %(host)s
daemon_smtp_ports = %(port)d
split_spool_directory = true
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 1200
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
smtp_connect_backlog = 1024
smtp_enforce_sync = false
smtp_receive_timeout = 10m
message_size_limit = 60M
chunking_advertise_hosts = %(chunking)s
accept_8bitmime = true
smtputf8_advertise_hosts = *
never_users =
trusted_users = root
acl_smtp_rcpt = accept
acl_smtp_data = accept
received_headers_max = 100
queue_run_max = 20
remote_max_parallel = 20
return_path_remove = false
delivery_date_remove = false
envelope_to_remove = false
%(tls)s%(extra)s
begin routers
out:
  driver = manualroute
  route_list = * %(host)s
  self = send
  transport = out
begin transports
out:
  driver = smtp
  port = %(next)d
  hosts_try_fastopen =
  hosts_try_chunking = %(chunking)s
  allow_localhost = true
  connection_max_messages = 500
  message_linelength_limit = 100000000
  %(client)s
  %(transport)s
begin retry
* * F,1h,2s
"""
            % dict(
                folder=self.folder,
                log=log,
                host=HOST,
                port=self.port,
                next=self.next_port,
                chunking=chunking,
                tls=tls,
                extra=self.options.get("extra", ""),
                client=client,
                transport=self.options.get("transport", ""),
            )
        )
        # A configuration of our own is taken only when a root-owned list names it.
        trusted = self.folder / "etc-aside" / "exim4"
        trusted.mkdir(parents=True, exist_ok=True)
        (trusted / "trusted_configs").write_text("%s\n" % (self.folder / "exim.conf"))

    def command(self):
        return ["/usr/sbin/exim4", "-C", self.folder / "exim.conf", "-bdf", "-q2s"]


class OpenSmtpd(Peer):
    """OpenSMTPD 6.8 as relay: no PIPELINING, no CHUNKING, no SMTPUTF8. Its spool lies in the run folder, bound to
    where it is compiled in.
    """

    package = "opensmtpd"

    def binds(self):
        return [(self.folder / "spool", "/var/spool/smtpd"), (self.folder / "empty", "/var/lib/opensmtpd/empty")]

    def configure(self):
        self.make("spool", mode=0o711)
        self.make("empty")
        tls, action = "", "smtp://%s:%d" % (HOST, self.next_port)
        if self.tls:
            certificate, key = certificates.issue(self.tls, key_kind="rsa")  # its key process knows RSA only
            own = self.make("tls", mode=0o700)
            for source, name in ((certificate, "cert.pem"), (key, "key.pem")):
                (own / name).write_bytes(source.read_bytes())
                (own / name).chmod(0o600)
            tls = 'pki own cert "%s/cert.pem"\npki own key "%s/key.pem"\n' % (own, own)
        if self.client_tls == "encrypt":
            action = "smtp+tls://%s:%d" % (HOST, self.next_port)
        elif self.client_tls == "none":
            action = "smtp+notls://%s:%d" % (HOST, self.next_port)
        (self.folder / "smtpd.conf").write_text(
            """\
%slisten on %s port %d hostname opensmtpd.example %s
smtp max-message-size "60M"
queue ttl 1d
smtp limit max-mails 100000
mta max-deferred 100000
%s
mta limit conn-delay-relay 0
mta limit conn-delay-route 0
mta limit reconn-delay-route 0
mta limit session-mail-max 1000
scheduler limit max-inflight 50000
bounce warn-interval 1d
action "out" relay host %s %s
match from any for any action "out"
"""
            % (
                tls,
                HOST,
                self.port,
                "tls pki own" if self.tls else "",
                "\n".join(
                    "mta limit max-conn-per-%s 200" % n
                    for n in ("host", "route", "source", "connector", "relay", "domain")
                ),
                action,
                "tls no-verify" if self.client_tls == "encrypt" else "",
            )
        )

    def command(self):
        return ["/usr/sbin/smtpd", "-d", "-f", self.folder / "smtpd.conf"]


class Dovecot(Peer):
    """Dovecot 2.3 as LMTP store: every address has a Maildir under mail/ in the run folder. Options: lmtp_extra
    (settings lines).
    """

    package = "dovecot"

    def binds(self):
        return [(self.folder / "run", "/run/dovecot"), (self.folder / "var", "/var/lib/dovecot")]

    def configure(self):
        for name in ("run", "var"):
            self.make(name)
        self.make("mail", "vmail", 0o700)
        tls = "ssl = no"
        if self.tls:
            certificate, key = certificates.issue(self.tls)
            tls = "ssl = yes\nssl_cert = <%s\nssl_key = <%s" % (certificate, key)
        (self.folder / "dovecot.conf").write_text(
            """\
base_dir = /run/dovecot
log_path = %(folder)s/dovecot.log
protocols = lmtp
listen = %(host)s
hostname = dovecot.example
%(tls)s
disable_plaintext_auth = no
default_login_user = dovenull
default_internal_user = dovecot
default_internal_group = dovecot
mail_location = maildir:%(folder)s/mail/%%u
mail_save_crlf = yes
mail_uid = %(uid)d
mail_gid = %(uid)d
first_valid_uid = 1
lda_mailbox_autocreate = yes
recipient_delimiter =
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=%(uid)d gid=%(uid)d home=%(folder)s/mail/%%u allow_all_users=yes
}
service lmtp {
  inet_listener lmtp {
    address = %(host)s
    port = %(port)d
  }
}
%(extra)s
"""
            % dict(
                folder=self.folder,
                host=HOST,
                port=self.port,
                tls=tls,
                uid=aside.uid("vmail"),
                extra=self.options.get("lmtp_extra", ""),
            )
        )

    def command(self):
        return ["/usr/sbin/dovecot", "-F", "-c", self.folder / "dovecot.conf"]

    def log(self):
        path = self.folder / "dovecot.log"
        return super().log() + (path.read_text(errors="replace") if path.exists() else "")

    def stored(self, address):
        """The messages in that address's INBOX, raw, in the order of arrival."""
        box = self.folder / "mail" / address
        paths = [p for where in ("new", "cur") if (box / where).is_dir() for p in (box / where).iterdir()]
        return [p.read_bytes() for p in sorted(paths, key=lambda p: (p.stat().st_mtime_ns, p.name))]


def smtp_source(
    port,
    sessions,
    messages,
    file=None,
    size=None,
    many=False,
    sender="sender@example.org",
    recipient="rcpt@example.net",
    timeout_s=600,
    extra=(),
):
    """Run Postfix's smtp-source to its end. Returns (exit status, seconds, what it said)."""
    program, environment = aside.tool("postfix", "smtp-source")
    argv = [program, "-s", str(sessions), "-m", str(messages), "-N", "-C", "50", "-f", sender, "-t", recipient]
    argv += ["-F", str(file)] if file else ["-l", str(size or 4096)]
    argv += (["-d"] if many else []) + list(extra) + ["%s:%d" % (HOST, port)]
    started = time.monotonic()
    done = subprocess.run(
        argv,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
    )
    return done.returncode, time.monotonic() - started, (done.stderr + done.stdout).strip()


def swaks(port, message, sender="sender@example.org", recipients="rcpt@example.net", extra=()):
    """Send one message (CRLF line ends) with swaks, unchanged. Returns (exit status, transcript)."""
    program, environment = aside.tool("swaks", "swaks")
    argv = [
        program,
        "--server",
        "%s:%d" % (HOST, port),
        "--from",
        sender,
        "--to",
        recipients,
        "--helo",
        "swaks.example",
        "--no-data-fixup",
        "--data",
        "-",
        *extra,
    ]
    done = subprocess.run(
        argv, env=environment, input=smtp.stuffed(message) + b".\r\n", capture_output=True, timeout=120
    )
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")
